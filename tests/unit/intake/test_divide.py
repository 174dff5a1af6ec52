"""What one series UID holds: volumes, each for itself, and files that belong to none."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MediaStorageDirectoryStorage, generate_uid

from annotation.intake.dicom.divide import Division
from annotation.intake.dicom.volume import divide_series, find_series
from annotation.intake.sources import list_files
from tests.unit.intake.series import GEOMETRY, LIMITS, change, convert, hu, make_series
from voxloop.kernel.errors import Invalid

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
CAPTURE_WORDS = "a secondary capture (a picture of a screen, as of the dose)"


def divided(folder: Path) -> Division:
    (slices,) = find_series(list_files(folder, folder, LIMITS), LIMITS).series.values()
    return divide_series(slices, LIMITS)


def add(folder: Path, name: str, like: Path, edit: Callable[[Dataset], None]) -> None:
    """One more file, made from another one."""
    dataset = dcmread(like)
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    edit(dataset)
    dataset.save_as(folder / name)


def second(folder: Path, paths: list[Path], edit: Callable[[Dataset], None]) -> None:
    """Every slice once more, with another content."""

    def other(dataset: Dataset) -> None:
        dataset.PixelData = dataset.PixelData[::-1]
        edit(dataset)

    for path in paths:
        add(folder, f"again-{path.name}", path, other)


def half_a_step(dataset: Dataset) -> None:
    x, y, z = dataset.ImagePositionPatient
    dataset.ImagePositionPatient = [x, y, float(z) + 2.0]


def set_all(**values: object) -> Callable[[Dataset], None]:
    def edit(dataset: Dataset) -> None:
        for keyword, value in values.items():
            setattr(dataset, keyword, value)

    return edit


def test_two_acquisitions_over_the_same_range_are_two_volumes(tmp_path: Path) -> None:
    """Half a step apart they would make one volume of half the spacing, without a word."""
    paths = make_series(tmp_path)
    change(paths, lambda n, dataset: setattr(dataset, "AcquisitionNumber", 1))

    def other(dataset: Dataset) -> None:
        half_a_step(dataset)
        dataset.AcquisitionNumber = 2

    second(tmp_path, paths, other)
    one, two = convert(tmp_path)
    assert one.geometry.shape_zyx == two.geometry.shape_zyx == GEOMETRY.shape_zyx
    assert one.geometry.spacing_mm_zyx == two.geometry.spacing_mm_zyx == GEOMETRY.spacing_mm_zyx
    assert {one.voxels_zyx.tobytes() == hu().tobytes(), two.voxels_zyx.tobytes() == hu().tobytes()} == {True, False}
    assert one.origin.series_uid != two.origin.series_uid
    assert one.origin.study_uid == two.origin.study_uid
    assert [volume.origin.series_uid for volume in convert(tmp_path)] == [one.origin.series_uid, two.origin.series_uid]


def test_acquisitions_one_after_the_other_are_one_volume(tmp_path: Path) -> None:
    """Steps of the table, or a scanner that counts every slice."""
    paths = make_series(tmp_path)
    change(paths, lambda n, dataset: setattr(dataset, "AcquisitionNumber", 1 + n // 3))
    assert (convert(tmp_path)[0].voxels_zyx == hu()).all()
    change(paths, lambda n, dataset: setattr(dataset, "AcquisitionNumber", n))
    assert (convert(tmp_path)[0].voxels_zyx == hu()).all()


@pytest.mark.parametrize(
    "edit",
    [
        set_all(ConvolutionKernel="BONE"),
        set_all(TemporalPositionIdentifier=2),
        set_all(FrameOfReferenceUID="1.2.3.4"),
        set_all(ImageType=["ORIGINAL", "PRIMARY", "OTHER"]),
        set_all(NominalPercentageOfCardiacPhase=70),
    ],
)
def test_what_is_the_same_in_a_volume_tells_two_apart(tmp_path: Path, edit: Callable[[Dataset], None]) -> None:
    paths = make_series(tmp_path)
    change(paths, lambda n, d: set_all(TemporalPositionIdentifier=1, NominalPercentageOfCardiacPhase=30)(d))
    second(tmp_path, paths, edit)
    assert [volume.geometry.shape_zyx for volume in convert(tmp_path)] == [GEOMETRY.shape_zyx] * 2


@pytest.mark.parametrize(
    ("name", "edit", "what"),
    [
        ("0.dcm", set_all(ImageOrientationPatient=[1, 0, 0, 0, 0, -1]), "in another orientation"),
        ("9.dcm", set_all(ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]), "a localiser (an overview)"),
        (
            "9.dcm",
            set_all(SOPClassUID=SECONDARY_CAPTURE),
            CAPTURE_WORDS,
        ),
        ("9.dcm", set_all(Modality="SR"), "of another modality, SR"),
        ("0.dcm", set_all(PixelSpacing=[1, 1]), "with other pixels (spacing)"),
        ("9.dcm", set_all(Rows=12, PixelData=bytes(12 * 32 * 2)), "of another size"),
    ],
)
def test_a_stray_file_is_set_aside_and_named(
    tmp_path: Path, name: str, edit: Callable[[Dataset], None], what: str
) -> None:
    """Wherever it lies among the others; the rest comes in whole."""
    paths = make_series(tmp_path)
    add(tmp_path, name, paths[3], edit)
    division = divided(tmp_path)
    assert [(aside.what, [item.path.name for item in aside.slices]) for aside in division.aside] == [(what, [name])]
    assert (convert(tmp_path)[0].voxels_zyx == hu()).all()


def test_a_report_without_pixels_is_set_aside(tmp_path: Path) -> None:
    paths = make_series(tmp_path)

    def report(dataset: Dataset) -> None:
        dataset.Modality = "SR"
        for keyword in ("PixelData", "Rows", "Columns"):
            delattr(dataset, keyword)

    add(tmp_path, "dose.dcm", paths[0], report)
    assert [aside.what for aside in divided(tmp_path).aside] == ["no image (a report or the like)"]
    assert len(convert(tmp_path)) == 1


@pytest.mark.parametrize(
    ("keyword", "code", "words"),
    [("PatientID", "mixed_patient", "2 patients"), ("StudyInstanceUID", "mixed_study", "2 studies")],
)
def test_two_patients_are_never_one_volume(tmp_path: Path, keyword: str, code: str, words: str) -> None:
    paths = make_series(tmp_path)
    change(paths[:4], lambda n, dataset: setattr(dataset, keyword, "1.2.840.99"))
    with pytest.raises(Invalid, match=words) as refusal:
        divided(tmp_path)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("edit", "code", "words"),
    [
        (set_all(Rows=12, PixelData=bytes(12 * 32 * 2)), "mixed_size", "4 of 24×32, 4 of 12×32"),
        (set_all(ImageOrientationPatient=[1, 0, 0, 0, 0, -1]), "mixed_orientation", "4 of 8 slices"),
        (set_all(PixelSpacing=[1, 1]), "mixed_spacing", "1.000×1.000 mm in another"),
    ],
)
def test_too_few_of_each_are_refused_together(
    tmp_path: Path, edit: Callable[[Dataset], None], code: str, words: str
) -> None:
    change(make_series(tmp_path)[4:], lambda n, dataset: edit(dataset))
    with pytest.raises(Invalid, match=words) as refusal:
        convert(tmp_path)
    assert refusal.value.code == code


def test_x_rays_of_one_series_are_scans_of_their_own(tmp_path: Path) -> None:
    def x_ray(number: int, dataset: Dataset) -> None:
        dataset.Modality, dataset.SOPClassUID = "DX", "1.2.840.10008.5.1.4.1.1.1.1"

    paths = make_series(tmp_path)
    for path in paths[2:]:
        path.unlink()
    change(paths[:2], x_ray)
    assert [len(volume) for volume in divided(tmp_path).volumes] == [1, 1]


def test_a_series_uid_for_every_slice_is_one_series(tmp_path: Path) -> None:
    paths = make_series(tmp_path)
    change(paths, lambda n, dataset: setattr(dataset, "SeriesInstanceUID", f"1.2.3.{n + 1}"))
    (volume,) = convert(tmp_path)
    assert (volume.voxels_zyx == hu()).all()


def test_a_directory_of_files_is_no_series(tmp_path: Path) -> None:
    make_series(tmp_path)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = MediaStorageDirectoryStorage, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    record = Dataset()
    record.DirectoryRecordType, record.PatientID = "PATIENT", "P-0001"
    directory = Dataset()
    directory.file_meta, directory.DirectoryRecordSequence = meta, [record]
    directory.save_as(tmp_path / "DICOMDIR", enforce_file_format=True)
    finds = find_series(list_files(tmp_path, tmp_path, LIMITS), LIMITS)
    assert ([len(slices) for slices in finds.series.values()], finds.directories, finds.unreadable) == ([8], 1, 0)


@pytest.mark.parametrize("decimals", [1, 2])
def test_positions_that_were_rounded_are_even(tmp_path: Path, decimals: int) -> None:
    """60 slices of 1.25 mm, written with one decimal, lie 1.2 and 1.3 mm apart."""
    write_rounded(tmp_path, decimals, range(60))
    (volume,) = convert(tmp_path)
    assert volume.geometry.shape_zyx[0] == 60
    assert volume.geometry.spacing_mm_zyx[0] == pytest.approx(1.25, abs=0.002)


def test_rounding_hides_no_missing_slice(tmp_path: Path) -> None:
    write_rounded(tmp_path, 1, [k for k in range(60) if k != 30])
    with pytest.raises(Invalid, match="slices are missing") as refusal:
        convert(tmp_path)
    assert refusal.value.code == "uneven_spacing"


def write_rounded(folder: Path, decimals: int, which: range | list[int]) -> None:
    first = dcmread(make_series(folder / "one")[0])
    shutil.rmtree(folder / "one")
    for k in which:
        first.SOPInstanceUID = first.file_meta.MediaStorageSOPInstanceUID = UID(f"1.2.3.{k + 1}")
        first.ImagePositionPatient = ["-40.125", "-35.375", f"{-100 + 1.25 * k:.{decimals}f}"]
        first.PixelData = np.full((24, 32), k, np.int16).tobytes()
        first.save_as(folder / f"{k:03d}.dcm")


def test_the_second_value_of_the_type_makes_no_picture_of_a_screen(tmp_path: Path) -> None:
    """ORIGINAL, SECONDARY, AXIAL is how some scanners write thin sections."""
    paths = make_series(tmp_path)
    change(paths, lambda n, dataset: setattr(dataset, "ImageType", ["ORIGINAL", "SECONDARY", "AXIAL"]))
    assert len(convert(tmp_path)) == 1
