"""A picture of the lungs and of what was found in them, seen from outside: surfaces by parallel rays.

Each mask is smoothed and resampled to an even grid, turned about the long axis of the body, and met by rays at its
half-way value; light comes from the viewer. The lungs are glass: the more a surface turns away, the less one sees
through it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from voxloop.volume.geometry import Geometry

Mask = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Field = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

STEP_MM = 2.0  # of the even grid and of the picture's pixels
MARGIN_MM = 6.0
BEFORE_MM = 3.0  # a finding so far before the lungs is not behind their glass
HALF = 0.5
GLASS: Colour = (92, 118, 150)
LIGHT = np.array([0.35, -0.82, 0.45], np.float32)  # towards the light, as x (to the right), y (away), z (up)


def draw_surfaces(
    lungs_zyx: Mask,
    labels_zyx: Labels,
    colours: Mapping[int, Colour],
    geometry: Geometry,
    turned_degrees: float = 0.0,
) -> Picture:
    """RGBA (uint8, height × width × 4, transparent outside) of the lungs in glass with the labels in their colours.

    Seen from the front with the patient's right on the left; `turned_degrees` turns the patient to their left. Labels
    without a colour are not drawn."""
    paints = np.zeros((256, 3), np.float32)
    for value, paint in colours.items():
        paints[value] = paint
    drawn = np.isin(labels_zyx, list(colours))
    box = _box_of(lungs_zyx | drawn)
    side = _side_px(box, geometry)
    shape = (int((box[0].stop - box[0].start) * geometry.spacing_mm_zyx[0] / STEP_MM) + 2 * _margin(), side)
    glass = _surface(lungs_zyx[box], shape, geometry, turned_degrees)
    found = _surface(drawn[box], shape, geometry, turned_degrees)
    label = _labels_at(found, np.where(drawn[box], labels_zyx[box], np.uint8(0)), geometry, turned_degrees)
    colour = (0.38 + 0.62 * found.lit)[..., None] * paints[label]
    alpha = np.isfinite(found.depth).astype(np.float32)
    seen = np.isfinite(glass.depth)
    # Clear where the surface faces the viewer, as glass is.
    cover = np.where(seen, 0.26 + 0.6 * (1 - glass.towards) ** 2, 0)[..., None]
    cover[seen & (found.depth < glass.depth - BEFORE_MM / STEP_MM)] = 0  # what lies before the lungs
    tint = (0.5 + 0.5 * glass.lit)[..., None] * np.array(GLASS, np.float32)
    whole = cover + alpha[..., None] * (1 - cover)
    mixed = (tint * cover + colour * alpha[..., None] * (1 - cover)) / np.maximum(whole, 1e-6)
    picture = np.dstack([np.clip(mixed, 0, 255), 255 * whole]).astype(np.uint8)
    return picture[::-1]  # the head on top


@dataclass(frozen=True)
class Surface:
    """The first surface that each ray meets: its depth in pixels (inf where there is none), and how much it faces the
    light and the viewer, 0 … 1."""

    depth: Field
    lit: Field
    towards: Field


def _margin() -> int:
    return math.ceil(MARGIN_MM / STEP_MM)


def _box_of(mask: Mask) -> tuple[slice, slice, slice]:
    sides = []
    for axis in ((1, 2), (0, 2), (0, 1)):
        at = np.flatnonzero(mask.any(axis=axis))
        sides.append(slice(int(at[0]), int(at[-1]) + 1) if at.size else slice(0, 1))
    return sides[0], sides[1], sides[2]


def _side_px(box: tuple[slice, slice, slice], geometry: Geometry) -> int:
    """Wide enough for the box turned by any angle."""
    _, y, x = ((side.stop - side.start) * mm for side, mm in zip(box, geometry.spacing_mm_zyx, strict=True))
    return int(math.hypot(x, y) / STEP_MM) + 2 * _margin()


def _surface(mask: Mask, shape: tuple[int, int], geometry: Geometry, degrees: float) -> Surface:
    field = _turned(mask, shape, geometry, degrees)
    inside = field >= HALF
    hit = inside.any(axis=1)
    first = inside.argmax(axis=1)
    z, x = np.nonzero(hit)
    y = first[z, x]
    value, before = field[z, y, x], field[z, np.maximum(y - 1, 0), x]
    share = (HALF - before) / np.maximum(value - before, 1e-6)
    depth = np.full(shape, np.inf, np.float32)
    depth[z, x] = y - 1 + np.clip(share, 0, 1)
    slopes = [_slope(field, axis, (z, y, x)) for axis in (2, 1, 0)]
    normal = -np.stack(slopes, axis=1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    facing, towards = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    facing[z, x] = np.clip(normal @ (LIGHT / np.linalg.norm(LIGHT)), 0, 1)
    towards[z, x] = np.clip(-normal[:, 1], 0, 1)
    return Surface(depth, facing, towards)


def _slope(field: Field, axis: int, at: tuple[npt.NDArray[np.intp], ...]) -> Field:
    """The slope along an axis at these voxels, over two voxels on either side."""
    ends = []
    for step in (2, -2):
        moved = list(at)
        moved[axis] = np.clip(moved[axis] + step, 0, field.shape[axis] - 1)
        ends.append(field[tuple(moved)])
    result: Field = ends[0] - ends[1]
    return result


def _turned(mask: Mask, shape: tuple[int, int], geometry: Geometry, degrees: float) -> Field:
    """The mask on the even grid of the picture: z up, y away from the viewer, x to the right (the patient's left)."""
    thin, spacing = _thinned(mask, geometry)
    soft = ndi.gaussian_filter(np.pad(thin, 2), np.clip(STEP_MM / spacing, 0.4, 3.0), truncate=2.5)
    out = (shape[0], shape[1], shape[1])
    matrix, offset = _index_from_picture(soft.shape, out, spacing, geometry, degrees)
    field: Field = ndi.affine_transform(soft, matrix, offset=offset, output_shape=out, order=1, output=np.float32)
    return field


def _index_from_picture(
    shape: Sequence[int], out: Sequence[int], spacing: Floats, geometry: Geometry, degrees: float
) -> tuple[Floats, Floats]:
    """Matrix and offset from the even grid to indices of a box of this shape with the same middle."""
    # LPS: x grows to the left, y to the back, z to the head, whatever way the scan's rows and columns run.
    signs = np.where(np.diag(geometry.affine())[:3][::-1] < 0, -1.0, 1.0)
    turn = math.radians(degrees)
    rotation = np.array([[1, 0, 0], [0, math.cos(turn), math.sin(turn)], [0, -math.sin(turn), math.cos(turn)]])
    matrix = (signs * STEP_MM / spacing)[:, None] * rotation
    return matrix, (np.array(shape) - 1) / 2 - matrix @ ((np.array(out) - 1) / 2)


def _labels_at(surface: Surface, labels: Labels, geometry: Geometry, degrees: float) -> Labels:
    """The label on the surface of each ray: the nearest voxel that has one."""
    result = np.zeros(surface.depth.shape, np.uint8)
    z, x = np.nonzero(np.isfinite(surface.depth))
    if not z.size:
        return result
    out = (*surface.depth.shape, surface.depth.shape[1])
    matrix, offset = _index_from_picture(labels.shape, out, np.array(geometry.spacing_mm_zyx), geometry, degrees)
    at = matrix @ np.stack([z, surface.depth[z, x] + 0.5, x]) + offset[:, None]
    index = tuple(np.clip(np.rint(row), 0, n - 1).astype(np.intp) for row, n in zip(at, labels.shape, strict=True))
    nearest = ndi.distance_transform_edt(labels == 0, return_distances=False, return_indices=True)
    result[z, x] = labels[tuple(axis[index] for axis in nearest)]
    return result


def _thinned(mask: Mask, geometry: Geometry) -> tuple[Field, npt.NDArray[np.float64]]:
    """The mean of blocks about as large as the picture's pixels, and their size in mm."""
    steps = [max(1, int(STEP_MM / mm)) for mm in geometry.spacing_mm_zyx]
    field: Field = mask.astype(np.float32)
    for axis, step in enumerate(steps):
        if step > 1:
            rest = -field.shape[axis] % step
            padded = np.pad(field, [(0, rest if at == axis else 0) for at in range(3)])
            cuts = [tuple(slice(n, None, step) if at == axis else slice(None) for at in range(3)) for n in range(step)]
            field = np.mean([padded[cut] for cut in cuts], axis=0, dtype=np.float32)
    return field, np.array(geometry.spacing_mm_zyx) * steps
