"""Real scans, read in place."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from pydicom import dcmread

from annotation.intake.dicom.pixels import decode_stored
from annotation.intake.dicom.read import read_pixels, read_slice
from annotation.intake.dicom.volume import divide_series, find_series, read_series, to_hu
from annotation.intake.limits import Limits
from annotation.intake.sources import list_files
from tests.real_data import real_data
from tests.unit.intake.series import LIMITS, convert
from voxloop.kernel.errors import Invalid, Refusal
from voxloop.volume.geometry import Geometry


def read_with_simpleitk(folder: Path) -> tuple[np.ndarray, Geometry]:
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    matrix[:3, 3] = image.GetOrigin()
    voxels = SimpleITK.GetArrayFromImage(image)
    return voxels, Geometry.from_lps_affine(voxels.shape, matrix)


def test_lidc_equals_simpleitk() -> None:
    folder = real_data("lidc/LIDC-IDRI-0001")
    (volume,) = convert(folder)
    voxels, geometry = read_with_simpleitk(folder)
    assert (volume.voxels_zyx == voxels).all()
    assert volume.geometry.is_same_grid(geometry, 1e-3)
    assert volume.geometry.spacing_mm_zyx == pytest.approx((2.5, 0.703125, 0.703125))
    assert volume.origin.subject == "LIDC-IDRI-0001"
    assert volume.origin.facts["contrast"] is True


def test_gapped_and_tilted_series_is_refused() -> None:
    with pytest.raises(Invalid, match=r"mm apart, the others 4\.0 mm, and 13 more distances differ") as refusal:
        convert(real_data("dcm_qa_ct"))
    assert refusal.value.code == "uneven_spacing"


def test_series_with_empty_uids_equals_simpleitk() -> None:
    folder = real_data("totalseg/example_ct_dicom")
    (volume,) = convert(folder)
    names = sorted(folder.iterdir(), key=lambda path: dcmread(path, stop_before_pixels=True).ImagePositionPatient[2])
    voxels = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage([str(name) for name in names]))
    assert (volume.voxels_zyx == voxels).all()
    assert volume.origin.series_uid.startswith("2.25.")


def test_slices_without_modality_are_taken_for_what_their_class_says() -> None:
    with pytest.raises(Invalid) as refusal:
        convert(real_data("lungmask_testdata"))
    assert refusal.value.code == "too_few_slices"


def decode(path: Path) -> np.ndarray:
    item = read_slice(path, "", LIMITS)
    return to_hu(decode_stored(read_pixels(path, LIMITS), item.header, item.transfer_syntax), item.header)


# How far a lossy codec may be from the original, in HU; the ones with 12 or 8 bits were rescaled before coding.
TOLERANCE = {
    "JPEG2000Transfer": 20,
    "JPEGLSLossy": 4,
    "Process1T": 64,
    "Process2_4": 20,
    "Process6_8": 20,
    "Process10": 20,
}


def test_every_transfer_syntax_decodes_to_the_same_slice() -> None:
    folder = real_data("cornerstone_ts")
    expected = decode(folder / "CTImage.dcm_LittleEndianExplicitTransferSyntax_1.2.840.10008.1.2.1.dcm")
    paths = sorted(folder.glob("CTImage.dcm*"))
    assert len(paths) == 16
    for path in paths:
        tolerance = next((most for word, most in TOLERANCE.items() if word in path.name), 0)
        found = decode(path).astype(np.int32)
        difference = np.abs(found - expected)
        assert (np.percentile(difference, 99.5) if tolerance else difference.max()) <= tolerance, path.name


@pytest.mark.parametrize("name", ["CT1_J2KR", "CT2_J2KR"])
def test_signed_jpeg_2000_equals_simpleitk(name: str) -> None:
    path = real_data("cornerstone_ts") / name
    image = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))[0]
    padding = image == -3024  # GE's scan declares the stored value −2000 as such; the other one has none
    assert padding.any() == (name == "CT1_J2KR")
    assert (decode(path) == np.where(padding, -1024, image)).all()


def test_an_enhanced_file_equals_simpleitk() -> None:
    path = real_data("dcmqi") / "23x38x3/multiframe/mf.dcm"
    few = Limits(least_slices=3, is_overruled=True)  # its values are 0 and 1
    (slices,) = find_series(list_files(path, path.parent, few), few).series.values()
    volume = read_series(divide_series(slices, few).volumes[0], few)
    image = SimpleITK.ReadImage(str(path))
    assert (volume.voxels_zyx == SimpleITK.GetArrayFromImage(image)).all()
    assert volume.geometry.spacing_mm_zyx == pytest.approx(image.GetSpacing()[::-1], abs=1e-4)


def refusals(folder: Path) -> Iterator[str]:
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        finds = find_series(list_files(path, folder, LIMITS), LIMITS)
        if not finds.series:
            yield "not_dicom" if finds.not_dicom else "unreadable"
        for slices in finds.series.values():
            with pytest.raises(Refusal) as refusal:
                convert(path)
            assert {item.path for item in slices} == {path}
            yield refusal.value.code


@pytest.mark.parametrize("folder", ["odd", "cornerstone_ts", "dcmqi"])
def test_odd_files_are_refused_in_words(folder: str) -> None:
    assert set(refusals(real_data(folder))) <= {
        "wrong_modality",
        "not_deidentified",
        "secondary_capture",
        "derived",
        "too_few_slices",
        "not_dicom",
        "unreadable",
        "no_pixel_data",
        "no_spacing",
        "multi_frame",
        "patient_id_is_name",
    }


def test_x_rays_of_cr_are_named_or_come_in() -> None:
    codes = []
    for name in ("RG1_UNCR.dcm", "RG3_J2KR.dcm"):
        path = real_data("odd/pydicom-data") / name
        if path.exists():
            with pytest.raises(Invalid) as refusal:
                convert(path)
            codes.append(refusal.value.code)
    assert set(codes) == {"not_deidentified"}
