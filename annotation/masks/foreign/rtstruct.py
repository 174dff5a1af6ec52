"""RT structure sets (PS3.3 A.19): closed planar contours as the voxels whose centres they enclose.

A point is inside where it is in an odd number of contours of its slice (a hole is a contour within another), as the
exporter writes them (annotation/datasets/exporters/rtstruct.py). Contours lie in the planes of the scan's slices."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.uid import RTStructureSetStorage

from annotation.masks.foreign.found import ForeignLabel, ForeignMask, add_label, counted, known_software, numbered
from annotation.masks.foreign.placing import TOLERANCE
from voxloop.kernel.errors import Invalid, Refusal
from voxloop.volume.geometry import Geometry
from voxloop.volume.labelmap.chunks import Labels

CLOSED = {"CLOSED_PLANAR", "CLOSEDPLANAR_XOR"}


def is_structure_set(path: Path) -> bool:
    """By its SOP class; False for what is no DICOM."""
    try:
        header = pydicom.dcmread(path, specific_tags=["SOPClassUID"], stop_before_pixels=True)
    except Exception:  # pydicom raises many types; whoever reads the file says what is wrong
        return False
    return bool(header.get("SOPClassUID") == RTStructureSetStorage)


def read_rtstruct(path: Path, grid: Geometry) -> ForeignMask:
    """The structures of a set on the scan's grid. Raises Invalid (`bad_file`, `other_grid`, `open_contour`)."""
    try:
        document = pydicom.dcmread(path)
        names = {int(one.ROINumber): str(one.ROIName) for one in document.StructureSetROISequence}
        numbered(list(names))
        contours = {
            int(one.ReferencedROINumber): one.get("ContourSequence") or [] for one in document.ROIContourSequence
        }
        layers: list[Labels] = []
        for number, roi in enumerate(names, start=1):
            inside = np.zeros(grid.shape_zyx, np.bool_)
            for k, polygon in _polygons(contours.get(roi, []), grid):
                inside[k] ^= fill(polygon, grid.shape_zyx[1:])
            add_label(layers, inside, number)
        words = [document.get(name) for name in ("ManufacturerModelName", "Manufacturer", "SoftwareVersions")]
        labels = counted([ForeignLabel(roi, name) for roi, name in names.items()], layers)
        return ForeignMask("rtstruct", known_software(*words), labels, layers)
    except (Refusal, MemoryError):
        raise
    except Exception as error:  # pydicom raises many types for a broken file
        raise Invalid("The file is damaged or not a readable structure set.", code="bad_file") from error


def _polygons(contours: Any, grid: Geometry) -> Iterator[tuple[int, npt.NDArray[np.float64]]]:
    """Slice and corners (i, j; voxel indices) of each contour."""
    ijk_from_lps = np.linalg.inv(grid.affine())
    for contour in contours:
        if contour.ContourGeometricType not in CLOSED:
            raise Invalid(
                "The structure set holds open contours or points; only closed ones enclose.", code="open_contour"
            )
        points = np.array(contour.ContourData, np.float64).reshape(-1, 3)
        ijk = points @ ijk_from_lps[:3, :3].T + ijk_from_lps[:3, 3]
        k = int(np.rint(ijk[0, 2]))
        apart = np.abs(ijk[:, 2] - k).max()
        if not 0 <= k < grid.shape_zyx[0] or (apart > TOLERANCE and apart * grid.spacing_mm_zyx[0] > TOLERANCE):
            first, slices = ", ".join(f"{mm:.4f}" for mm in points[0]), grid.shape_zyx[0]
            ends = [", ".join(f"{mm:.4f}" for mm in grid.lps_of((0, 0, n))) for n in (0, slices - 1)]
            raise Invalid(
                f"A contour with the point ({first}) mm in LPS lies in none of the scan's {slices} slices, which begin "
                f"from ({ends[0]}) to ({ends[1]}), {grid.spacing_mm_zyx[0]:g} mm apart.",
                code="other_grid",
            )
        yield k, ijk[:, :2]


def fill(polygon_xy: npt.NDArray[np.float64], shape_yx: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """The voxels (yx) whose centres lie in a closed polygon of voxel indices, by crossings of each row (even-odd)."""
    inside = np.zeros(shape_yx, np.bool_)
    begin, end = polygon_xy, np.roll(polygon_xy, -1, axis=0)
    top = int(np.clip(np.ceil(polygon_xy[:, 1].min()), 0, shape_yx[0]))
    bottom = int(np.clip(np.floor(polygon_xy[:, 1].max()) + 1, 0, shape_yx[0]))
    columns = np.arange(shape_yx[1])
    for j in range(top, bottom):
        crosses = (begin[:, 1] <= j) != (end[:, 1] <= j)
        a, b = begin[crosses], end[crosses]
        at = a[:, 0] + (j - a[:, 1]) / (b[:, 1] - a[:, 1]) * (b[:, 0] - a[:, 0])
        inside[j] = np.searchsorted(np.sort(at), columns, side="right") % 2 == 1
    return inside
