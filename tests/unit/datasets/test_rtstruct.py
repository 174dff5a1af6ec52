"""RT structure sets: rasterised at the centres of the voxels (even-odd), the contours give the mask again."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from skimage.measure import grid_points_in_poly

from annotation.datasets.exporters.listing import Listing, ScanVoxels
from annotation.datasets.exporters.rtstruct import Writer, trace
from tests.unit.datasets.release_case import FINDINGS, frozen_release, oblique, scan_voxels
from voxloop.volume.geometry import Geometry
from voxloop.volume.labelmap import strip_erased

SHAPE = (12, 44, 40)
UIDS = {"study": "1.2.3", "series": "1.2.3.4", "frame_of_reference": "1.2.3.5"}
INSTANCES = [f"1.2.3.4.{k}" for k in range(SHAPE[0])]
VALUES = {"opacity": 1, "cavity": 2, "nodule": 7}


def drawn() -> np.ndarray:
    return strip_erased(scan_voxels(1, SHAPE).labels_zyx["findings"])


def holes() -> np.ndarray:
    """A ring with an island in its hole, and two voxels that touch by a corner."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[4, 5:25, 5:25] = 1
    labels[4, 9:21, 9:21] = 0
    labels[4, 13:17, 13:17] = 7
    labels[4, 14, 14] = 0
    labels[4, 30, 30] = labels[4, 31, 31] = 2
    return labels


def edges() -> np.ndarray:
    labels = np.zeros(SHAPE, np.uint8)
    labels[::11, ::43, ::39] = 7
    labels[6] = 1
    return labels


def noise() -> np.ndarray:
    return np.random.default_rng(3).choice(np.array([0, 1, 2, 7], np.uint8), SHAPE)


def written(folder: Path, labels_zyx: np.ndarray, geometry: Geometry, *, is_dicom: bool = True) -> Any:
    instances = INSTANCES if is_dicom and labels_zyx.shape == SHAPE else None
    voxels = ScanVoxels(np.zeros(labels_zyx.shape, np.int16), {"findings": labels_zyx}, instances)
    frozen = frozen_release({"VX-A-0001": voxels}, ["findings"])
    frozen["scans"][0].update(geometry.to_json(), uids=UIDS if is_dicom else {})
    Writer(frozen, Listing(folder)).add(frozen["scans"][0], voxels, {"findings": labels_zyx})
    return pydicom.dcmread(folder / "rtstruct/VX-A-0001.dcm")


def rasterise(document: Any, geometry: Geometry) -> np.ndarray:
    """The mask again, from the file alone and the grid: voxels whose centre is in an odd number of contours."""
    ijk_from_lps = np.linalg.inv(geometry.affine())
    names = {roi.ROINumber: roi.ROIName for roi in document.StructureSetROISequence}
    labels = np.zeros(geometry.shape_zyx, np.uint8)
    for outline in document.ROIContourSequence:
        inside = np.zeros(geometry.shape_zyx, bool)
        for contour in outline.get("ContourSequence", []):
            lps = np.array(contour.ContourData, float).reshape(-1, 3)
            assert len(lps) == contour.NumberOfContourPoints
            ijk = (ijk_from_lps @ np.c_[lps, np.ones(len(lps))].T)[:3].T
            k = round(ijk[0, 2])
            np.testing.assert_allclose(ijk[:, 2], k, atol=1e-4)
            # Corners are half a voxel from a centre.
            np.testing.assert_allclose(2 * ijk[:, :2] % 2, 1, atol=1e-3)
            inside[k] ^= grid_points_in_poly(  # type: ignore[no-untyped-call]
                geometry.shape_zyx[1:], ijk[:, 1::-1]
            )
        labels[inside] = VALUES[names[outline.ReferencedROINumber]]
    return labels


@pytest.mark.parametrize("geometry", [oblique(SHAPE), Geometry.axial(SHAPE, (5.0, 0.7, 0.6), (-10.5, 3.25, -700.0))])
@pytest.mark.parametrize("make", [drawn, holes, edges, noise])
def test_the_contours_are_the_mask(tmp_path: Path, make: Any, geometry: Geometry) -> None:
    labels = make()
    np.testing.assert_array_equal(rasterise(written(tmp_path, labels, geometry), geometry), labels)


def test_an_outline_of_more_than_64_kb_is_read_back(tmp_path: Path) -> None:
    """A sponge whose outline is longer than any explicit transfer syntax could hold."""
    labels = (np.random.default_rng(7).random((1, 200, 300)) < 0.65).astype(np.uint8)
    geometry = Geometry.axial(labels.shape, (1.0, 0.7, 0.7), (-123.4567, -234.5678, -345.6789))
    document = written(tmp_path, labels, geometry)
    contours = document.ROIContourSequence[0].ContourSequence
    assert max(3 * contour.NumberOfContourPoints * len("-12.345\\") for contour in contours) > 65536
    np.testing.assert_array_equal(rasterise(document, geometry), labels)


def test_a_box_has_four_corners() -> None:
    mask = np.zeros((6, 8), bool)
    mask[1:4, 2:7] = True
    [polygon] = trace(mask)
    assert sorted(polygon) == [(2, 1), (2, 4), (7, 1), (7, 4)]
    assert trace(np.zeros((6, 8), bool)) == []


def test_every_segment_is_a_structure_and_contours_name_their_slice(tmp_path: Path) -> None:
    document = written(tmp_path, holes(), oblique(SHAPE))
    assert [roi.ROIName for roi in document.StructureSetROISequence] == [one["key"] for one in FINDINGS["segments"]]
    [series] = document.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0].RTReferencedSeriesSequence
    assert [image.ReferencedSOPInstanceUID for image in series.ContourImageSequence] == INSTANCES
    for outline in document.ROIContourSequence:
        for contour in outline.ContourSequence:
            assert contour.ContourImageSequence[0].ReferencedSOPInstanceUID == "1.2.3.4.4"


def test_a_confirmed_empty_mask_is_structures_without_contours(tmp_path: Path) -> None:
    document = written(tmp_path, np.zeros(SHAPE, np.uint8), oblique(SHAPE), is_dicom=False)
    assert len(document.StructureSetROISequence) == 3
    assert not any("ContourSequence" in outline for outline in document.ROIContourSequence)
    assert "RTReferencedStudySequence" not in document.ReferencedFrameOfReferenceSequence[0]


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="needs dciodvfy (Debian: dicom3tools)")
@pytest.mark.parametrize("is_dicom", [True, False])
@pytest.mark.parametrize("empty", [False, True])
def test_dciodvfy_finds_no_error(tmp_path: Path, is_dicom: Any, empty: Any) -> None:
    written(tmp_path, drawn() * (not empty), oblique(SHAPE), is_dicom=is_dicom)
    path = tmp_path / "rtstruct/VX-A-0001.dcm"
    told = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False).stderr
    assert "RTStructureSet" in told
    assert "Error" not in told
