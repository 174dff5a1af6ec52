"""What may be right and may be wrong: refused with the way on, and taken in when a person says so."""

import gzip
import json
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian

from annotation.intake.child import run_convert
from annotation.intake.dicom.volume import divide_series, find_series, read_series
from annotation.intake.limits import OVERRULE, Limits
from annotation.intake.nifti import read_nifti
from annotation.intake.sources import list_files
from annotation.intake.volumes import FoundVolume
from tests.unit.intake.series import GEOMETRY, LIMITS, change, convert, hu, make_series
from voxloop.kernel.errors import Invalid, Refusal
from voxloop.volume.pack import VolumeIndex, decode_pack

OVERRULED = Limits(is_overruled=True)


def read(folder: Path, limits: Limits = LIMITS) -> FoundVolume:
    (slices,) = find_series(list_files(folder, folder, limits), limits).series.values()
    return read_series(divide_series(slices, limits).volumes[0], limits)


def write(path: Path, voxels_zyx: np.ndarray, affine: np.ndarray | None = None) -> Path:
    found = GEOMETRY.ras_from_ijk() if affine is None else affine
    nibabel.Nifti1Image(voxels_zyx.transpose(2, 1, 0), found).to_filename(path)
    return path


def refused(path: Path, scratch: Path) -> Refusal:
    scratch.mkdir(exist_ok=True)
    with pytest.raises(Refusal) as refusal:
        read_nifti(path, scratch, LIMITS)
    return refusal.value


def make_x_ray(folder: Path) -> None:
    def x_ray(number: int, dataset: Dataset) -> None:
        dataset.Modality, dataset.SOPClassUID = "CR", "1.2.840.10008.5.1.4.1.1.7"

    paths = make_series(folder)
    for path in paths[1:]:
        path.unlink()
    change(paths[:1], x_ray)


def make_derived(folder: Path) -> None:
    change(make_series(folder), lambda n, dataset: setattr(dataset, "ImageType", ["DERIVED", "PRIMARY", "AXIAL"]))


def make_grey(folder: Path) -> None:
    """Grey values of a picture, 0 to 255, in a file that says CT and HU."""

    def grey(number: int, dataset: Dataset) -> None:
        dataset.PixelData = (np.frombuffer(dataset.PixelData, "<i2") & 255).astype("<i2").tobytes()
        dataset.RescaleIntercept = 0

    change(make_series(folder), grey)


@pytest.mark.parametrize(
    ("make", "code"), [(make_x_ray, "secondary_capture"), (make_derived, "derived"), (make_grey, "not_hu")]
)
def test_a_person_decides(tmp_path: Path, make: object, code: str) -> None:
    assert callable(make)
    make(tmp_path)
    with pytest.raises(Invalid) as refusal:
        read(tmp_path)
    assert refusal.value.code == code
    assert refusal.value.detail.endswith(OVERRULE)
    assert read(tmp_path, OVERRULED).origin.facts["overruled"] == [code]


def test_a_decision_is_kept_of_doubtful_series_only(tmp_path: Path) -> None:
    make_series(tmp_path)
    assert "overruled" not in read(tmp_path, OVERRULED).origin.facts


def test_pictures_of_a_screen_are_no_ct_whoever_says_so(tmp_path: Path) -> None:
    change(make_series(tmp_path), lambda n, d: setattr(d, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.7"))
    with pytest.raises(Invalid) as refusal:
        read(tmp_path, OVERRULED)
    assert refusal.value.code == "secondary_capture"


@pytest.mark.parametrize(("low", "high"), [(0, 1779), (0, 255), (-200, 300)])
def test_nifti_of_another_modality(tmp_path: Path, low: int, high: int) -> None:
    voxels = np.random.default_rng(1).integers(low, high, GEOMETRY.shape_zyx).astype(np.int16)
    found = refused(write(tmp_path / "pet.nii", voxels), tmp_path / "s")
    assert (found.code, f"{voxels.min()} to {voxels.max()}" in found.detail) == ("not_hu", True)


@pytest.mark.parametrize("factor", [1000.0, 0.001])
def test_voxels_that_no_ct_has(tmp_path: Path, factor: float) -> None:
    affine = GEOMETRY.ras_from_ijk()
    affine[:3] *= factor
    assert refused(write(tmp_path / "a.nii", hu(), affine), tmp_path / "s").code == "impossible_voxels"


def test_two_places_in_one_header(tmp_path: Path) -> None:
    """SimpleITK takes the qform where nibabel takes the sform."""
    moved = GEOMETRY.ras_from_ijk()
    moved[2, 3] += 30
    image = nibabel.Nifti1Image(hu().transpose(2, 1, 0), GEOMETRY.ras_from_ijk())
    image.set_qform(GEOMETRY.ras_from_ijk(), code=1)
    image.set_sform(moved, code=2)
    image.to_filename(tmp_path / "a.nii")
    found = refused(tmp_path / "a.nii", tmp_path / "s")
    assert (found.code, "30.0 mm apart" in found.detail) == ("two_places", True)


def test_nifti_2_and_colours(tmp_path: Path) -> None:
    nibabel.Nifti2Image(hu().transpose(2, 1, 0), GEOMETRY.ras_from_ijk()).to_filename(tmp_path / "a.nii.gz")
    (tmp_path / "scratch").mkdir()
    assert (read_nifti(tmp_path / "a.nii.gz", tmp_path / "scratch", LIMITS).voxels_zyx == hu()).all()
    colours = np.zeros((9, 9, 9), np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]))
    nibabel.Nifti1Image(colours, np.eye(4)).to_filename(tmp_path / "rgb.nii")
    assert "holds colours" in refused(tmp_path / "rgb.nii", tmp_path / "s").detail


def test_what_packs_well_is_no_bomb(tmp_path: Path) -> None:
    """A mask of one lesion beside the scan, and a NIfTI of few values, pack a thousandfold."""
    paths = make_series(tmp_path / "in")
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in paths:
            archive.write(path, path.name)
        archive.writestr("mask.nii", bytes(20 << 20))
    scratch = tmp_path / "out"
    scratch.mkdir()
    assert len(list_files(tmp_path / "a.zip", scratch, LIMITS)) == len(paths) + 1
    voxels = np.full((40, 200, 200), -1024, np.int16)
    voxels[20, 90:110, 90:110] = 40
    raw = write(tmp_path / "flat.nii", voxels, np.diag([1, 1, 2, 1])).read_bytes()
    (tmp_path / "flat.nii.gz").write_bytes(gzip.compress(raw, 9))
    assert len(raw) > 200 * (tmp_path / "flat.nii.gz").stat().st_size
    assert (read_nifti(tmp_path / "flat.nii.gz", scratch, LIMITS).voxels_zyx == voxels).all()


def test_a_deflated_slice_of_one_value(tmp_path: Path) -> None:
    """One slice of 1024×1024 that holds one value packs to a thousandth."""

    def flat(number: int, dataset: Dataset) -> None:
        dataset.Rows = dataset.Columns = 1024
        value = 0 if number == 3 else 700
        dataset.PixelData = np.full((1024, 1024), value, "<i2").tobytes()
        dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian

    change(make_series(tmp_path), flat)
    assert convert(tmp_path)[0].geometry.shape_zyx == (8, 1024, 1024)


def test_a_zip_of_nifti_files_and_a_series(tmp_path: Path) -> None:
    """Each is a scan; a mask beside them is refused by its name, and stops nothing."""
    paths = make_series(tmp_path / "in")
    write(tmp_path / "volume.nii.gz", hu(2))
    write(tmp_path / "image 3.nii", hu(3))
    write(tmp_path / "mask.nii.gz", (hu() > 0).astype(np.uint8))
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in [*paths, *tmp_path.glob("*.nii*")]:
            archive.write(path, f"set/{path.name}")
    result = run_convert(tmp_path / "a.zip", tmp_path / "out")
    assert len(result.accepted) == 3
    assert [(one.code, one.files, one.folder, one.file) for one in result.refused] == [
        ("not_hu", 1, "set", "mask.nii.gz")
    ]
    assert (result.not_dicom, result.unreadable) == (0, 0)
    found = [decode(tmp_path / "out" / one.folder) for one in result.accepted]
    assert {voxels.tobytes() for voxels in found} == {hu(seed).tobytes() for seed in (1, 2, 3)}


def decode(folder: Path) -> np.ndarray:
    index = VolumeIndex.from_json(json.loads((folder / "index.json").read_text("utf-8")))
    return decode_pack((folder / "pack").read_bytes(), index.pack, index.geometry.shape_zyx)
