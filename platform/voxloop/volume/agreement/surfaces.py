"""Distances between two surfaces, each element weighted by its area: the definition of Nikolov and others (2018), as
DeepMind's `surface-distance` computes it. A count of surface voxels gives other figures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi
from scipy.spatial import cKDTree

Mask = npt.NDArray[np.bool_]
Spacing = tuple[float, float, float]
Floats = npt.NDArray[np.float64]
# Surfaces this close count as equal: about one in-plane voxel of a thick-sliced scan.
TOLERANCE_MM = 2.0
PERCENTILE = 95.0
# Bit of each of the eight voxels around a corner, as in the table of normals.
_BITS_ZYX = ((0, 0, 0, 128), (0, 0, 1, 64), (0, 1, 0, 32), (0, 1, 1, 16))
_CORNERS = _BITS_ZYX + tuple((1, y, x, bit >> 4) for _, y, x, bit in _BITS_ZYX)
_INSIDE = 255


@dataclass(frozen=True)
class SurfaceDistances:
    """Of every surface element of one mask, sorted: mm to the nearest element of the other, and its area in mm²."""

    distances_mm: tuple[Floats, Floats]
    areas_mm2: tuple[Floats, Floats]

    def dice(self, tolerance_mm: float = TOLERANCE_MM) -> float:
        """Share of the area of both surfaces that lies within `tolerance_mm` of the other. Two masks without a surface
        agree (1), one without and one with a surface do not (0)."""
        total = sum(float(areas.sum()) for areas in self.areas_mm2)
        if not total:
            return 1.0
        pairs = zip(self.distances_mm, self.areas_mm2, strict=True)
        return sum(float(areas[mm <= tolerance_mm].sum()) for mm, areas in pairs) / total

    @property
    def hd95_mm(self) -> float | None:
        """The larger of both 95th percentiles by area; 0 for two empty masks, None where only one is empty."""
        if self._is_one_empty:
            return None
        ends = [0.0]
        for mm, areas in zip(self.distances_mm, self.areas_mm2, strict=True):
            if mm.size:
                at = int(np.searchsorted(np.cumsum(areas) / areas.sum(), PERCENTILE / 100))
                ends.append(float(mm[min(at, mm.size - 1)]))
        return max(ends)

    @property
    def assd_mm(self) -> float | None:
        """Average symmetric surface distance: the mean over the area of both surfaces together. Empty masks as in
        `hd95_mm`."""
        if self._is_one_empty:
            return None
        total = sum(float(areas.sum()) for areas in self.areas_mm2)
        pairs = zip(self.distances_mm, self.areas_mm2, strict=True)
        return sum(float((mm * areas).sum()) for mm, areas in pairs) / total if total else 0.0

    @property
    def _is_one_empty(self) -> bool:
        first, second = self.areas_mm2
        return (first.size == 0) != (second.size == 0)


def measure_surfaces(first_zyx: Mask, second_zyx: Mask, spacing_mm_zyx: Spacing) -> SurfaceDistances:
    """Surfaces of two masks of one grid; beyond the edge of the grid is outside. Where one mask is empty all distances
    to it are infinite."""
    either = first_zyx | second_zyx
    if not either.any():
        nothing = np.zeros(0)
        return SurfaceDistances((nothing, nothing), (nothing, nothing))
    box = ndi.find_objects(either.astype(np.uint8))[0]
    codes = [_codes(mask[box]) for mask in (first_zyx, second_zyx)]
    borders = [(code != 0) & (code != _INSIDE) for code in codes]
    table = _areas_mm2(spacing_mm_zyx)
    found = []
    for code, border, other in zip(codes, borders, reversed(borders), strict=True):
        mm, areas = _to_nearest(border, other, spacing_mm_zyx), table[code[border]]
        order = np.lexsort((areas, mm))
        found.append((mm[order], areas[order]))
    (first_mm, first_areas), (second_mm, second_areas) = found
    return SurfaceDistances((first_mm, second_mm), (first_areas, second_areas))


def _codes(mask_zyx: Mask) -> npt.NDArray[np.uint8]:
    """Of every corner of a voxel which of the eight voxels around it are marked."""
    padded = np.pad(mask_zyx, 1).astype(np.uint8)
    depth, height, width = (length - 1 for length in padded.shape)
    codes = np.zeros((depth, height, width), np.uint8)
    for z, y, x, bit in _CORNERS:
        codes |= padded[z : z + depth, y : y + height, x : x + width] * np.uint8(bit)
    return codes


def _to_nearest(own: Mask, other: Mask, spacing_mm_zyx: Spacing) -> Floats:
    """Of every element of a border the mm to the nearest of the other one.

    A search among the elements alone: distances of every voxel of the box need gigabytes. Computed from whole steps, as
    the reference does: at the tolerance an ulp counts."""
    steps, others = np.argwhere(own), np.argwhere(other)
    if not len(others):
        return np.full(len(steps), np.inf)
    spacing = np.array(spacing_mm_zyx)
    _, nearest = cKDTree(others * spacing).query(steps * spacing)
    apart_mm = (steps - others[nearest]) * spacing
    return np.asarray(np.sqrt((apart_mm**2).sum(1)))


@lru_cache(maxsize=64)
def _areas_mm2(spacing_mm_zyx: Spacing) -> Floats:
    """Area of the surface in the cube around a corner, by the code of the corner."""
    z, y, x = spacing_mm_zyx
    faces = np.array([y * x, z * x, z * y])
    normals = json.loads((Path(__file__).parent / "surface_elements.json").read_text())["normals"]
    return np.array([sum(float(np.linalg.norm(np.array(one) / 8 * faces)) for one in code) for code in normals])
