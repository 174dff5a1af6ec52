"""DICOM Segmentation objects (PS3.3 A.51 and A.94) by highdicom: BINARY, LABELMAP, and FRACTIONAL above a threshold.

Each frame is laid where its own position says: the spacing between slices that a file states is wrong where a writer
left out empty frames (findings/highdicom_seg_spacing.sh). UIDs are not compared: those of a scan were re-keyed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.uid import SegmentationStorage

from annotation.intake.limits import Limits
from annotation.masks.foreign.found import (
    ForeignLabel,
    ForeignMask,
    Format,
    add_label,
    counted,
    known_software,
    numbered,
    renumber,
)
from annotation.masks.foreign.placing import lay, put
from voxloop.kernel.errors import Invalid, Refusal, TooLarge
from voxloop.volume.geometry import Geometry
from voxloop.volume.labelmap.chunks import Labels

KINDS: dict[str, Format] = {
    "BINARY": "dicom_seg_binary",
    "FRACTIONAL": "dicom_seg_fractional",
    "LABELMAP": "dicom_seg_labelmap",
}
LABEL_MAP_STORAGE = "1.2.840.10008.5.1.4.1.1.66.7"  # Supplement 243; some versions of pydicom lack the name
MOST_FRAMES = 100_000


def read_dicom_seg(path: Path, grid: Geometry, limits: Limits, *, threshold: float | None) -> ForeignMask:
    """The segments of a segmentation on the scan's grid. `threshold` (0 to 1) makes a fractional one a mask. Raises
    Invalid (`bad_file`, `needs_threshold`, `other_grid`, `outside_scan`), TooLarge."""
    try:
        document = pydicom.dcmread(path)
        if document.SOPClassUID not in (SegmentationStorage, LABEL_MAP_STORAGE):
            raise Invalid("The DICOM file is no segmentation (SEG).", code="unknown_file")
        kind = str(document.SegmentationType)
        voxels = int(document.NumberOfFrames) * int(document.Rows) * int(document.Columns)
        if voxels > 8 * limits.most_voxels or int(document.NumberOfFrames) > MOST_FRAMES:
            raise TooLarge("The segmentation has more frames than can be read.", code="volume_too_large")
        if kind == "FRACTIONAL" and threshold is None:
            raise Invalid(
                "The segmentation is FRACTIONAL: say from which share on (0 to 1) a voxel belongs to a segment.",
                code="needs_threshold",
            )
        segments = [
            ForeignLabel(int(one.SegmentNumber), str(one.SegmentLabel))
            for one in document.SegmentSequence
            if int(one.SegmentNumber) > 0
        ]
        numbered([one.value for one in segments])
        layers = _read_layers(document, segments, grid, threshold)
        words = [document.get(name) for name in ("ManufacturerModelName", "Manufacturer", "SoftwareVersions")]
        return ForeignMask(KINDS[kind], known_software(*words), counted(segments, layers), layers)
    except (Refusal, MemoryError):
        raise
    except Exception as error:  # pydicom and highdicom raise many types for a broken file
        raise Invalid("The file is damaged or not a readable DICOM segmentation.", code="bad_file") from error


def _read_layers(
    document: pydicom.Dataset, segments: list[ForeignLabel], grid: Geometry, threshold: float | None
) -> list[Labels]:
    numbers = {one.value: n for n, one in enumerate(segments, start=1)}
    frames = list(_frames(document, grid))
    segmentation: Any = highdicom.seg.Segmentation.from_dataset(document, copy=False)
    layers: list[Labels] = []
    if document.SegmentationType == "LABELMAP":
        layer = np.zeros(grid.shape_zyx, np.uint8)
        for at, _, affine in frames:
            values = segmentation.get_stored_frame(at)
            _put_frame(renumber(values, numbers), affine, grid, layer)
        return [layer]
    least = 1.0
    if document.SegmentationType == "FRACTIONAL":
        least = max(1.0, float(threshold or 0) * int(document.MaximumFractionalValue))
    for value, number in numbers.items():
        inside = np.zeros(grid.shape_zyx, np.uint8)
        for at, segment, affine in frames:
            if segment == value:
                frame = (segmentation.get_stored_frame(at) >= least).astype(np.uint8)
                _put_frame(frame, affine, grid, inside)
        add_label(layers, inside > 0, number)
    return layers


def _put_frame(frame_yx: npt.NDArray[np.uint8], affine: npt.NDArray[np.float64], grid: Geometry, onto: Labels) -> None:
    part, first = lay(frame_yx.T[:, :, None], affine, grid, is_part=True)
    put(part, first, onto)


def _frames(document: pydicom.Dataset, grid: Geometry) -> Iterator[tuple[int, int, npt.NDArray[np.float64]]]:
    """Number (from 1), segment (0 in a label map) and affine of each frame. A frame is as thick as a slice of the scan
    along its normal."""
    shared: Any = document.SharedFunctionalGroupsSequence[0]
    for at, own in enumerate(document.PerFrameFunctionalGroupsSequence, start=1):

        def item(name: str, own: Any = own) -> Any:
            return (own if name in own else shared)[name].value[0]

        turn = np.array(item("PlaneOrientationSequence").ImageOrientationPatient, np.float64)
        rows_mm, columns_mm = (float(mm) for mm in item("PixelMeasuresSequence").PixelSpacing)
        affine = np.eye(4)
        affine[:3, 0], affine[:3, 1] = turn[:3] * columns_mm, turn[3:] * rows_mm
        normal = np.cross(turn[:3], turn[3:])
        along = np.abs(normal @ (grid.affine()[:3, :3] / np.linalg.norm(grid.affine()[:3, :3], axis=0))).argmax()
        affine[:3, 2] = normal * grid.spacing_mm_zyx[2 - int(along)]
        affine[:3, 3] = item("PlanePositionSequence").ImagePositionPatient
        known = "SegmentIdentificationSequence" in own or "SegmentIdentificationSequence" in shared
        yield at, int(item("SegmentIdentificationSequence").ReferencedSegmentNumber) if known else 0, affine
