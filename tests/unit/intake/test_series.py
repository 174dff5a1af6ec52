"""Accepted series, and refusals: a stable code and a sentence with figures."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
)

from annotation.demonstration.dicom import Scanner
from annotation.intake.dicom.volume import find_series
from annotation.intake.sources import list_files
from tests.unit.intake.series import GEOMETRY, LIMITS, SHAPE, change, convert, hu, make_series
from voxloop.kernel.errors import Invalid, Refusal

SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, HTJ2KLossless]


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_voxels_and_grid_come_back(tmp_path: Path, syntax: str) -> None:
    make_series(tmp_path, scanner=Scanner("Aster", "64", "LUNG", transfer_syntax=syntax))
    (volume,) = convert(tmp_path)
    assert (volume.voxels_zyx == hu()).all()
    assert volume.geometry.is_same_grid(GEOMETRY, 1e-4)
    assert volume.origin.subject == "P-0001"
    assert volume.origin.description == "CT, kernel LUNG, 4 mm"
    assert volume.origin.facts["contrast"] is False
    assert len(volume.origin.facts["sop_instance_uids"]) == SHAPE[0]


def test_deflated(tmp_path: Path) -> None:
    def deflate(number: int, dataset: Dataset) -> None:
        dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian

    change(make_series(tmp_path), deflate)
    assert (convert(tmp_path)[0].voxels_zyx == hu()).all()


def test_order_of_files_does_not_matter(tmp_path: Path) -> None:
    paths = make_series(tmp_path)
    for number, path in enumerate(paths):
        path.rename(tmp_path / f"{(number * 5) % 8}.bin")
    assert (convert(tmp_path)[0].voxels_zyx == hu()).all()


def test_padding_and_values_beyond_12_bits(tmp_path: Path) -> None:
    """Quirks of real data: unsigned padding with signed pixels, values beyond 12 bits."""

    def trap(number: int, dataset: Dataset) -> None:
        stored = np.frombuffer(dataset.PixelData, "<i2").copy()
        stored[:6] = [-2000, 30000, 4095, 0, -100, -3000]
        dataset.PixelData = stored.tobytes()
        dataset.PixelRepresentation, dataset.BitsStored, dataset.HighBit = 1, 16, 15
        dataset.add_new("PixelPaddingValue", "US", 63536)

    change(make_series(tmp_path), trap)
    row = convert(tmp_path)[0].voxels_zyx[3, 0, :6]
    assert row.tolist() == [-1024, 28976, 3071, -1024, -1124, -4024]


def test_empty_uids_get_stable_ones(tmp_path: Path) -> None:
    def empty(number: int, dataset: Dataset) -> None:
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "PatientID"):
            setattr(dataset, keyword, "")

    change(make_series(tmp_path / "one"), empty)
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    first, second = (convert(tmp_path / name)[0].origin for name in ("one", "two"))
    assert first == second
    assert first.series_uid.startswith("2.25.")
    assert (first.is_unnamed, first.subject) == (True, first.study_uid)


def test_the_same_file_twice_counts_once(tmp_path: Path) -> None:
    paths = make_series(tmp_path)
    shutil.copy(paths[2], tmp_path / "copy.dcm")
    assert convert(tmp_path)[0].geometry.shape_zyx == SHAPE


def test_same_scan_has_the_same_hash(tmp_path: Path) -> None:
    make_series(tmp_path / "one")
    make_series(tmp_path / "two", scanner=Scanner("Other", "X", "B70f", transfer_syntax=JPEGLSLossless))
    make_series(tmp_path / "three", seed=2)
    one, two, three = (convert(tmp_path / name)[0].origin.source_hash for name in ("one", "two", "three"))
    assert one == two != three


def put(keyword: str, value: object, only: int | None = None) -> Callable[[int, Dataset], None]:
    def edit(number: int, dataset: Dataset) -> None:
        if only in (None, number):
            setattr(dataset, keyword, value)

    return edit


def drop(keyword: str) -> Callable[[int, Dataset], None]:
    def edit(number: int, dataset: Dataset) -> None:
        delattr(dataset, keyword)

    return edit


def tilt(number: int, dataset: Dataset) -> None:
    x, y, z = dataset.ImagePositionPatient
    dataset.ImagePositionPatient = [x, y + number * 1.3, z]
    dataset.GantryDetectorTilt = 18


REFUSALS: dict[str, tuple[Callable[[int, Dataset], None], str]] = {
    "wrong_modality": (put("Modality", "MR"), "The series is MR"),
    "derived": (put("ImageType", ["DERIVED", "PRIMARY"]), "derived"),
    "secondary_capture": (put("SOPClassUID", "1.2.840.10008.5.1.4.1.1.7"), "secondary capture"),
    "localiser": (put("ImageType", ["ORIGINAL", "PRIMARY", "LOCALIZER"]), "localiser"),
    "burned_in_annotation": (put("BurnedInAnnotation", "YES"), "burnt"),
    "no_pixel_data": (drop("PixelData"), "8 of 8 files have no pixel data"),
    "no_position": (drop("ImagePositionPatient"), "8 of 8 slices have no image position"),
    "no_orientation": (drop("ImageOrientationPatient"), "no image orientation"),
    "no_spacing": (drop("PixelSpacing"), "no pixel spacing"),
    "no_rescale": (drop("RescaleSlope"), "HU"),
    "multi_frame": (put("NumberOfFrames", 4), "4 frames"),
    "not_grey": (put("PhotometricInterpretation", "RGB"), "colour"),
    "gantry_tilt": (tilt, "shifted by 1.30 mm from the previous one, as by a tilted gantry (its tilt was 18.0°)"),
    "uneven_spacing": (
        put("ImagePositionPatient", [-40, -35, 147.5], 7),
        "Slices 7 and 8 lie 11.0 mm apart, the others 4.0 mm",
    ),
    "same_place": (put("ImagePositionPatient", [-40, -35, 116.5], 2), "Slices 2 and 3 lie at the same position"),
    "bad_orientation": (put("ImageOrientationPatient", [1, 0, 0, 1, 0, 0]), "right angle"),
    "truncated_pixels": (put("PixelData", b"\0" * 100), "holds 100 bytes of pixels; 1536 are needed"),
    "bad_bits": (put("BitsAllocated", 32), "32 bits"),
    "volume_too_large": (put("Rows", 8000), "million voxels"),
    "empty_volume": (put("PixelData", b"\0" * 1536), "same value"),
    "bad_size": (put("Rows", 1), "impossible numbers"),
    "uneven_position": (
        put("ImagePositionPatient", [-40, -33, 124.5], 3),
        "Slice 4 is shifted sideways by 2.00 mm.",
    ),
}


@pytest.mark.parametrize("code", REFUSALS)
def test_refused_in_words(tmp_path: Path, code: str) -> None:
    edit, words = REFUSALS[code]
    paths = make_series(tmp_path)
    change(paths, edit)
    if code == "volume_too_large":
        change(paths, put("Columns", 8000))
    with pytest.raises(Refusal) as refusal:
        convert(tmp_path)
    assert refusal.value.code == code
    assert words in refusal.value.detail


@pytest.mark.parametrize(
    ("syntax", "words"),
    [
        ("1.2.840.10008.1.2.4.100", "in transfer syntax 1.2.840.10008.1.2.4.100,"),
        ("1.2.3.4", "in a private transfer syntax,"),
    ],
)
def test_pixels_in_a_way_that_is_not_read(tmp_path: Path, syntax: str, words: str) -> None:
    """A private UID may hold anything, a name too: it is not repeated."""
    paths = make_series(tmp_path)
    for path in paths:
        raw = path.read_bytes()
        old = b"1.2.840.10008.1.2.1"
        at = raw.index(old + b"\0") - 2
        new = (syntax + "\0" * (len(syntax) % 2)).encode()
        grown = raw[:at] + len(new).to_bytes(2, "little") + new + raw[at + 2 + len(old) + 1 :]
        length = int.from_bytes(grown[140:144], "little") + len(new) - len(old) - 1  # of the file's meta information
        path.write_bytes(grown[:140] + length.to_bytes(4, "little") + grown[144:])
    with pytest.raises(Refusal) as refusal:
        convert(tmp_path)
    assert refusal.value.code == "unknown_syntax"
    assert words in refusal.value.detail
    assert ("1.2.3.4" in refusal.value.detail) == (syntax != "1.2.3.4" and "1.2.3.4" in words)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("PatientName", "Doe^Jane"),
        ("PatientName", "Janedoe"),
        ("PatientName", "Doe^Jane2"),
        ("PatientName", "Doe^"),
        ("PatientBirthDate", "19500315"),
        ("PatientAddress", "1 High Street"),
        ("OtherPatientIDs", "4711"),
        ("PatientMotherBirthName", "Roe"),
    ],
)
def test_a_named_patient_is_refused_without_repeating_the_name(tmp_path: Path, keyword: str, value: str) -> None:
    change(make_series(tmp_path), put(keyword, value, 5))
    with pytest.raises(Invalid) as refusal:
        convert(tmp_path)
    assert refusal.value.code == "not_deidentified"
    assert value not in refusal.value.detail


def test_a_year_of_birth_names_nobody(tmp_path: Path) -> None:
    change(make_series(tmp_path), put("PatientBirthDate", "19500101"))
    assert len(convert(tmp_path)) == 1


@pytest.mark.parametrize(
    "name", ["", "P-0001", "ANONYMOUS", "Removed^^", "CQ500-CT-310", "Case^C0012", "LIDC^0034", "Lung^Phantom7"]
)
def test_a_pseudonym_is_no_name(tmp_path: Path, name: str) -> None:
    change(make_series(tmp_path), put("PatientName", name))
    assert len(convert(tmp_path)) == 1


def test_too_few_slices(tmp_path: Path) -> None:
    for path in make_series(tmp_path)[3:]:
        path.unlink()
    with pytest.raises(Invalid, match="has 3 slices; a volume needs at least 5"):
        convert(tmp_path)


def test_an_x_ray_is_one_slice(tmp_path: Path) -> None:
    def x_ray(number: int, dataset: Dataset) -> None:
        dataset.Modality, dataset.SOPClassUID = "DX", "1.2.840.10008.5.1.4.1.1.1.1"
        dataset.PhotometricInterpretation = "MONOCHROME1"
        for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "RescaleSlope", "RescaleIntercept"):
            delattr(dataset, keyword)

    paths = make_series(tmp_path)
    for path in paths[1:]:
        path.unlink()
    change(paths[:1], x_ray)
    (volume,) = convert(tmp_path)
    stored = hu()[0].astype(np.int32) + 1024
    assert volume.voxels_zyx.dtype == np.uint16
    assert (volume.voxels_zyx[0] == stored.max() - stored).all()
    assert volume.geometry.spacing_mm_zyx == (1.0, 1.8, 1.7)


def test_series_are_kept_apart_and_strange_files_counted(tmp_path: Path) -> None:
    make_series(tmp_path / "one")
    make_series(tmp_path / "two", subject="P-0002", seed=2)
    (tmp_path / "readme.txt").write_text("no scan")
    (tmp_path / "broken.dcm").write_bytes(bytes(128) + b"DICM" + b"\x02\x00\x10\x00UI\xff\xff" + b"\xfe" * 40)
    (tmp_path / "link.dcm").symlink_to("/etc/passwd")
    finds = find_series(list_files(tmp_path, tmp_path, LIMITS), LIMITS)
    assert sorted(len(slices) for slices in finds.series.values() if len(slices) > 1) == [8, 8]
    assert finds.not_dicom == 1
