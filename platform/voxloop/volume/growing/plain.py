"""The plain brushes: sphere, circle (a sphere cut to one slice) and eraser."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voxloop.volume.growing.sphere import EPSILON, Box, Index, Spacing, box_around, squared_distance
from voxloop.volume.labelmap import ERASED

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Painted:
    """The voxels of `box` (bool) whose label a plain brush changed."""

    box: Box
    changed: Mask


def paint(
    labels_zyx: npt.NDArray[np.uint8],
    spacing_mm_zyx: Spacing,
    segment: int,
    centre_zyx: Index,
    radius_mm: float,
    *,
    planar: bool = False,
    overwrite: bool = False,
) -> Painted:
    """Paint a sphere (a circle with `planar`) in place: background and erased voxels become `segment`.

    Voxels of other segments only with `overwrite`. The one tool that clears 255.
    """
    box, brush = _brush(labels_zyx, spacing_mm_zyx, centre_zyx, radius_mm, planar)
    part = labels_zyx[box]
    free = part != segment if overwrite else (part == 0) | (part == ERASED)
    return _write(labels_zyx, box, brush & free, segment)


def erase(
    labels_zyx: npt.NDArray[np.uint8],
    spacing_mm_zyx: Spacing,
    centre_zyx: Index,
    radius_mm: float,
    *,
    planar: bool = False,
    segment: int | None = None,
) -> Painted:
    """Erase in place: every voxel of the brush becomes 255, background too, so that growing never paints it.

    With `segment` other segments are unchanged."""
    box, brush = _brush(labels_zyx, spacing_mm_zyx, centre_zyx, radius_mm, planar)
    part = labels_zyx[box]
    free = part != ERASED if segment is None else (part == 0) | (part == segment)
    return _write(labels_zyx, box, brush & free, ERASED)


def _brush(
    labels_zyx: npt.NDArray[np.uint8], spacing_mm_zyx: Spacing, centre_zyx: Index, radius_mm: float, planar: bool
) -> tuple[Box, Mask]:
    box = box_around(labels_zyx.shape, spacing_mm_zyx, centre_zyx, radius_mm)
    if planar:
        box = (slice(centre_zyx[0], centre_zyx[0] + 1), box[1], box[2])
    return box, squared_distance(box, spacing_mm_zyx, centre_zyx) <= radius_mm * radius_mm + EPSILON


def _write(labels_zyx: npt.NDArray[np.uint8], box: Box, changed: Mask, value: int) -> Painted:
    labels_zyx[box][changed] = value
    return Painted(box, changed)
