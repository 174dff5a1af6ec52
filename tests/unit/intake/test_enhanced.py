"""Enhanced CT, written by highdicom from the slices of a classic series."""

from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from highdicom.legacy import LegacyConvertedEnhancedCTImage
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, JPEGLSLossless, RLELossless, generate_uid

from annotation.intake.dicom.volume import find_series
from annotation.intake.sources import list_files
from tests.unit.intake.series import GEOMETRY, LIMITS, convert, hu, make_series
from voxloop.kernel.errors import Invalid


def write_enhanced(folder: Path, syntax: str = ExplicitVRLittleEndian) -> Path:
    """One file of eight frames, in the order of highdicom."""
    (folder / "classic").mkdir()
    slices = [dcmread(path) for path in make_series(folder / "classic")]
    for number, dataset in enumerate(slices):
        dataset.InstanceNumber, dataset.AccessionNumber, dataset.StudyID = number + 1, "", ""
        for keyword in ("StudyDate", "StudyTime", "PatientName", "PatientBirthDate", "PatientSex"):
            setattr(dataset, keyword, "")
    enhanced = LegacyConvertedEnhancedCTImage(slices, generate_uid(), 2, generate_uid(), 1, transfer_syntax_uid=syntax)
    path = folder / "enhanced"
    path.mkdir()
    enhanced.save_as(path / "all.dcm")
    return path


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, JPEGLSLossless, RLELossless])
def test_frames_are_slices(tmp_path: Path, syntax: str) -> None:
    (volume,) = convert(write_enhanced(tmp_path, syntax))
    assert (volume.voxels_zyx == hu()).all()
    assert volume.geometry.is_same_grid(GEOMETRY, 1e-4)
    assert volume.origin.modality == "CT"
    assert volume.origin.facts["slice_thickness_mm"] == 4.0
    assert volume.origin.facts["slices"] == 8


def test_every_frame_has_its_own_scale(tmp_path: Path) -> None:
    folder = write_enhanced(tmp_path)
    dataset = dcmread(folder / "all.dcm")
    expected = hu().astype(np.int32)
    shared = dataset.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence  # stays: a frame's own counts
    for groups in dataset.PerFrameFunctionalGroupsSequence:
        groups.PixelValueTransformationSequence = deepcopy(shared)
        scale = groups.PixelValueTransformationSequence[0]
        place = groups.PlanePositionSequence[0]
        k = round((float(place.ImagePositionPatient[2]) - GEOMETRY.lps_from_ijk[2][3]) / 4)
        scale.RescaleIntercept = float(scale.RescaleIntercept) + 10 * k
        expected[k] += 10 * k
    dataset.save_as(folder / "all.dcm")
    assert (convert(folder)[0].voxels_zyx == expected).all()


def test_a_frame_that_is_not_described(tmp_path: Path) -> None:
    folder = write_enhanced(tmp_path)
    dataset = dcmread(folder / "all.dcm")
    del dataset.PerFrameFunctionalGroupsSequence[3]
    dataset.save_as(folder / "all.dcm")
    with pytest.raises(Invalid, match="8 frames, and does not say where each lies") as refusal:
        convert(folder)
    assert refusal.value.code in ("multi_frame", "too_few_slices")


def test_two_files_of_one_series_are_one_volume(tmp_path: Path) -> None:
    """A concatenation: some scanners write long scans in several files."""
    folder = write_enhanced(tmp_path)
    whole = dcmread(folder / "all.dcm")
    frames, pixels = list(whole.PerFrameFunctionalGroupsSequence), whole.PixelData
    size = len(pixels) // 8
    for part, (first, last) in enumerate(((0, 5), (5, 8))):
        whole.PerFrameFunctionalGroupsSequence = frames[first:last]
        whole.NumberOfFrames, whole.PixelData = last - first, pixels[first * size : last * size]
        whole.SOPInstanceUID = whole.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        whole.save_as(folder / f"part{part}.dcm")
    (folder / "all.dcm").unlink()
    assert sum(map(len, find_series(list_files(folder, folder, LIMITS), LIMITS).series.values())) == 8
    assert (convert(folder)[0].voxels_zyx == hu()).all()
