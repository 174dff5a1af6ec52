"""The DICOM segmentations: read back by another library, validated, reproducible."""

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pydicom
import pytest

from annotation.datasets.exporters.dicom_seg import write_segmentation
from annotation.datasets.exporters.dicom_source import source_of
from tests.unit.datasets.release_case import ANATOMY, FINDINGS, oblique, scan_voxels
from voxloop.kernel.uids import exported_uid
from voxloop.volume.labelmap import strip_erased

SHAPE = (12, 44, 40)
UIDS = {"study": "1.2.3", "series": "1.2.3.4", "frame_of_reference": "1.2.3.5"}
INSTANCES = [f"1.2.3.4.{k}" for k in range(SHAPE[0])]


def written(
    path: Path, labels_zyx: np.ndarray, layer: dict[str, Any] = FINDINGS, uids: Any = UIDS, instances: Any = INSTANCES
) -> Any:
    write_segmentation(
        path,
        labels_zyx,
        oblique(SHAPE),
        source=source_of("VX-A-0001", "S1", SHAPE[0], uids, instances),
        layer=layer,
        identity="content",
        created_at=datetime(2026, 1, 2, tzinfo=UTC),
        software="0.1.0",
        creator="annotator1",
    )
    return path


def read_back(path: Path, layer: dict[str, Any] = FINDINGS) -> Any:
    """The labelmap by highdicom's own volume reader, which orders frames by their position in the patient."""
    ids = np.array([0, *sorted(segment["id"] for segment in layer["segments"])], np.uint8)
    volume = highdicom.seg.segread(path).get_volume(combine_segments=True)
    labels_zyx = np.zeros(SHAPE, np.uint8)
    for n, frame in enumerate(volume.array):
        i, j, k = np.linalg.solve(oblique(SHAPE).affine(), volume.affine @ [n, 0, 0, 1])[:3]
        assert np.allclose([i, j, k], [0, 0, round(k)], atol=1e-3)
        labels_zyx[round(k)] = ids[frame]
    return labels_zyx


@pytest.fixture
def labels_zyx() -> Any:
    return strip_erased(scan_voxels(1, SHAPE).labels_zyx["findings"])


def test_highdicom_reads_the_same_voxels_at_the_same_place(tmp_path: Path, labels_zyx: np.ndarray) -> None:
    np.testing.assert_array_equal(read_back(written(tmp_path / "seg.dcm", labels_zyx)), labels_zyx)


def test_a_confirmed_empty_mask_is_a_segmentation_without_a_voxel(tmp_path: Path) -> None:
    path = written(tmp_path / "seg.dcm", np.zeros(SHAPE, np.uint8))
    assert len(pydicom.dcmread(path).SegmentSequence) == 3
    assert not read_back(path).any()


@pytest.mark.parametrize("slices", [[], [4], [2, 5], [1, 4, 6], [0, 1, 2, 4]])
def test_the_spacing_between_slices_is_that_of_the_scan(tmp_path: Path, slices: list[int]) -> None:
    labels_zyx = np.zeros(SHAPE, np.uint8)
    labels_zyx[slices, 5:8, 5:9] = 1
    document = pydicom.dcmread(written(tmp_path / "seg.dcm", labels_zyx))
    measures = document.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    spacing = [measures.SpacingBetweenSlices, *measures.PixelSpacing]
    np.testing.assert_allclose(np.array(spacing, float), oblique(SHAPE).spacing_mm_zyx, rtol=1e-6)
    np.testing.assert_array_equal(read_back(tmp_path / "seg.dcm"), labels_zyx)


def test_a_layer_of_one_segment_is_read_back(tmp_path: Path) -> None:
    labels = scan_voxels(1, SHAPE).labels_zyx["anatomy"]
    np.testing.assert_array_equal(read_back(written(tmp_path / "seg.dcm", labels, ANATOMY), ANATOMY), labels)


def test_segments_carry_the_coded_terms_of_the_schema(tmp_path: Path, labels_zyx: np.ndarray) -> None:
    first, second, _ = pydicom.dcmread(written(tmp_path / "seg.dcm", labels_zyx)).SegmentSequence
    term = first.SegmentedPropertyTypeCodeSequence[0]
    assert (term.CodeValue, term.CodingSchemeDesignator, term.CodeMeaning) == ("233604007", "SCT", "Pneumonia")
    assert second.SegmentedPropertyTypeCodeSequence[0].CodingSchemeDesignator == "99VOXLOOP"
    assert (first.SegmentLabel, first.SegmentAlgorithmType) == ("Opacity", "MANUAL")


def test_stored_slice_uids_are_referred_to(tmp_path: Path, labels_zyx: np.ndarray) -> None:
    document = pydicom.dcmread(written(tmp_path / "seg.dcm", labels_zyx))
    series = document.ReferencedSeriesSequence[0]
    drawn = [f"1.2.3.4.{k}" for k in np.flatnonzero(labels_zyx.any(axis=(1, 2)))]
    assert series.SeriesInstanceUID == "1.2.3.4"
    assert sorted(item.ReferencedSOPInstanceUID for item in series.ReferencedInstanceSequence) == sorted(drawn)
    assert (document.StudyInstanceUID, document.FrameOfReferenceUID) == ("1.2.3", "1.2.3.5")


@pytest.mark.parametrize(
    ("uids", "instances"),
    [({}, None), ({}, INSTANCES), (UIDS, None), (UIDS, INSTANCES[:1]), (UIDS, ["1.2.3.4.0"] * 12)],
)
def test_without_a_uid_for_every_slice_nothing_is_referred_to(
    tmp_path: Path, labels_zyx: np.ndarray, uids: Any, instances: Any
) -> None:
    path = written(tmp_path / "seg.dcm", labels_zyx, uids=uids, instances=instances)
    document = pydicom.dcmread(path)
    assert "ReferencedSeriesSequence" not in document
    assert not any("DerivationImageSequence" in groups for groups in document.PerFrameFunctionalGroupsSequence)
    np.testing.assert_array_equal(read_back(path), labels_zyx)


def test_equal_voxels_give_equal_bytes(tmp_path: Path, labels_zyx: np.ndarray) -> None:
    one, two = (written(tmp_path / name, labels_zyx).read_bytes() for name in ("one.dcm", "two.dcm"))
    assert one == two


def test_derived_uids_are_valid_and_apart() -> None:
    uids = {exported_uid("slice", "1.2.3", str(k)) for k in range(50)}
    assert len(uids) == 50
    assert all(pydicom.uid.UID(uid).is_valid for uid in uids)


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="needs dciodvfy (Debian: dicom3tools)")
@pytest.mark.parametrize("instances", [INSTANCES, None])
@pytest.mark.parametrize("empty", [False, True])
def test_dciodvfy_finds_no_error(tmp_path: Path, labels_zyx: np.ndarray, instances: Any, empty: Any) -> None:
    path = written(tmp_path / "seg.dcm", labels_zyx * (not empty), instances=instances)
    told = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False).stderr
    assert "Segmentation" in told
    assert "Error" not in told
