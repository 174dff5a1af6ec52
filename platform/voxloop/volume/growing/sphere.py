"""Boxes and distances of a sphere in mm on an anisotropic grid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

# A margin, so that a voxel exactly on the sphere counts as inside despite rounding.
EPSILON = 1e-6

Box = tuple[slice, slice, slice]
Index = tuple[int, int, int]
Spacing = tuple[float, float, float]


def box_around(shape_zyx: tuple[int, ...], spacing_mm_zyx: Spacing, centre_zyx: Index, radius_mm: float) -> Box:
    """The box around the sphere, one voxel wider on each side, clipped to the volume."""
    reach = [int(radius_mm / s + EPSILON) + 1 for s in spacing_mm_zyx]
    z, y, x = (slice(max(0, c - r), min(n, c + r + 1)) for c, r, n in zip(centre_zyx, reach, shape_zyx, strict=True))
    return z, y, x


def squared_distance(box: Box, spacing_mm_zyx: Spacing, centre_zyx: Index) -> npt.NDArray[np.float64]:
    """mm² from the centre, for every voxel of the box."""
    z, y, x = (
        ((np.arange(part.start, part.stop) - c) * s) ** 2
        for part, c, s in zip(box, centre_zyx, spacing_mm_zyx, strict=True)
    )
    result: npt.NDArray[np.float64] = z[:, None, None] + y[:, None] + x
    return result


def ball(radius_mm: float, spacing_mm_zyx: Spacing, thickest_mm: float) -> npt.NDArray[np.bool_]:
    """Structuring element of a ball; flat (one slice) where slices are thicker than `thickest_mm`."""
    reach = [int(radius_mm / s + EPSILON) for s in spacing_mm_zyx]
    if spacing_mm_zyx[0] > thickest_mm:
        reach[0] = 0
    box = (slice(-reach[0], reach[0] + 1), slice(-reach[1], reach[1] + 1), slice(-reach[2], reach[2] + 1))
    result: npt.NDArray[np.bool_] = squared_distance(box, spacing_mm_zyx, (0, 0, 0)) <= radius_mm * radius_mm + EPSILON
    return result
