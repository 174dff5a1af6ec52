"""Label maps as DICOM segmentation, read by highdicom and by dcmqi: every voxel, at its place."""

from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pydicom
import pytest
from highdicom.seg import SegmentationTypeValues

from annotation.datasets.exporters.dicom_seg import write_layer
from annotation.datasets.exporters.listing import ScanVoxels
from annotation.datasets.verify import verify
from tests.unit.datasets.readers import dcmqi_segments, place_on
from tests.unit.datasets.release_case import FINDINGS, chosen_release, frozen_release, oblique

SHAPE = (12, 44, 40)
NUMBERS = {1: 1, 2: 2, 7: 3}  # segment ids of the case, as segment numbers


def corners() -> np.ndarray:
    labels = np.zeros(SHAPE, np.uint8)
    labels[::11, ::43, ::39] = 7
    return labels


def one_voxel() -> np.ndarray:
    labels = np.zeros(SHAPE, np.uint8)
    labels[4, 20, 11] = 2
    return labels


def every_other_slice() -> np.ndarray:
    labels = np.zeros(SHAPE, np.uint8)
    labels[1:10:3, 10:20, 5:15] = 1
    labels[1:10:3, 12:14, 7:9] = 2
    return labels


def written(path: Path, labels_zyx: np.ndarray, layer: dict[str, Any] = FINDINGS) -> None:
    voxels = ScanVoxels(np.zeros(SHAPE, np.int16), {"findings": labels_zyx})
    frozen = frozen_release({"VX-A-0001": voxels}, ["findings"])
    frozen["schema"]["definition"]["layers"] = [layer]
    write_layer(path, labels_zyx, frozen, frozen["scans"][0], "findings", voxels, kind=SegmentationTypeValues.LABELMAP)


def read_by_highdicom(path: Path) -> np.ndarray:
    """Segment numbers on the grid of the scan."""
    volume = highdicom.seg.segread(path).get_volume(combine_segments=True)
    ijk_from_lps = np.linalg.inv(oblique(SHAPE).affine())
    labels = np.zeros(SHAPE, np.uint8)
    for index in np.argwhere(volume.array):
        lps = (volume.affine @ [*index, 1])[:3]
        ijk = np.rint((ijk_from_lps @ [*lps, 1])[:3]).astype(int)
        assert np.abs(oblique(SHAPE).lps_of(ijk) - lps).max() < 1e-4
        labels[tuple(ijk[::-1])] = volume.array[tuple(index)]
    return labels


@pytest.mark.parametrize("make", [corners, one_voxel, every_other_slice])
def test_two_readers_find_every_voxel_at_its_place(tmp_path: Path, make: Any) -> None:
    labels = make()
    written(tmp_path / "seg.dcm", labels)
    expected = np.zeros(SHAPE, np.uint8)
    for value, number in NUMBERS.items():
        expected[labels == value] = number
    np.testing.assert_array_equal(read_by_highdicom(tmp_path / "seg.dcm"), expected)
    [image] = dcmqi_segments(tmp_path / "seg.dcm", tmp_path / "read").values()
    np.testing.assert_array_equal(place_on(oblique(SHAPE), image), expected)
    assert image.GetSpacing()[::-1] == pytest.approx(oblique(SHAPE).spacing_mm_zyx, abs=1e-4)


def test_an_empty_mask_is_one_frame_without_a_voxel(tmp_path: Path) -> None:
    written(tmp_path / "seg.dcm", np.zeros(SHAPE, np.uint8))
    assert pydicom.dcmread(tmp_path / "seg.dcm").NumberOfFrames == 1
    assert not read_by_highdicom(tmp_path / "seg.dcm").any()


def test_254_segments_are_read_back(tmp_path: Path) -> None:
    segments = [{"id": n, "key": f"s{n}", "name": f"Segment {n}", "colour": "#e8ac00"} for n in range(1, 255)]
    labels = np.zeros(SHAPE, np.uint8)
    labels.flat[100 : 100 + 254] = np.arange(1, 255)
    written(tmp_path / "seg.dcm", labels, {**FINDINGS, "segments": segments})
    np.testing.assert_array_equal(read_by_highdicom(tmp_path / "seg.dcm"), labels)


def test_a_release_holds_both_kinds_under_different_uids(tmp_path: Path) -> None:
    chosen_release(tmp_path, ["dicom_seg_labelmap"])
    assert verify(tmp_path).faults == []
    for layer in ("", "-anatomy"):
        binary = pydicom.dcmread(tmp_path / f"dicom-seg{layer}/VX-A-0001.dcm")
        labelmap = pydicom.dcmread(tmp_path / f"dicom-seg-labelmap{layer}/VX-A-0001.dcm")
        assert (binary.SegmentationType, labelmap.SegmentationType) == ("BINARY", "LABELMAP")
        assert labelmap.file_meta.TransferSyntaxUID.name == "RLE Lossless"
        assert binary.SOPInstanceUID != labelmap.SOPInstanceUID
        assert binary.SeriesInstanceUID != labelmap.SeriesInstanceUID
        assert binary.StudyInstanceUID == labelmap.StudyInstanceUID


def test_equal_voxels_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        written(tmp_path / f"{name}.dcm", corners())
    assert (tmp_path / "one.dcm").read_bytes() == (tmp_path / "two.dcm").read_bytes()
