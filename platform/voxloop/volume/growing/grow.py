"""The region-growing brush: one stroke from a seed, identical to the voxel in Python and TypeScript. Smoothing is a
1-2-1 binomial in integers (64 × HU), so comparisons with bounds are exact; distances are doubles with a fixed margin.
`tests/vectors/growing.json` tests both implementations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from voxloop.volume.growing.sphere import EPSILON, Box, Index, Spacing, ball, box_around, squared_distance
from voxloop.volume.labelmap import ERASED

Mask = npt.NDArray[np.bool_]
# In mm: the smallest ball around the seed, and how far a noisy seed may move to an accepted voxel.
LEAST_SEED_MM = 1.5
SNAP_MM2 = 4.0
# Room around the box so that opening and closing never meet the edge of the array.
MARGIN = 4
FACES = ndi.generate_binary_structure(3, 1)


@dataclass(frozen=True)
class GrowParams:
    """The reader's parameters of a stroke."""

    tolerance: int = 30  # lower bound = background + tolerance % of (seed − background): smaller paints more
    seed_mm: float = 2.5  # the seed's value is the lower median in min(seed_mm, max(1.5, radius / 4)) mm
    min_contrast: int = 40  # HU; a seed not this much above the background paints nothing
    upper_hu: int | None = None  # `None` keeps vessels inside; 200 excludes them (seed + 200 HU)
    smooth_z_max: float = 1.5  # mm; thicker slices are not smoothed, opened or closed across slices
    open_mm: float = 1.0  # against leaks; 0 = off, 2 = strong
    close_mm: float = 1.0  # bridges gaps of noise; 0 = off
    fill: bool = True  # fill enclosed holes, per slice where slices are thick
    use_limit: bool = True  # the lung limit, applied only when the seed lies inside it
    planar: bool = False  # the current slice only
    ceiling: int | None = None  # a stroke larger than this paints nothing

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> GrowParams:
        """From the `params` of a stroke; unknown names are ignored."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in document.items() if name in known})

    def to_json(self) -> dict[str, Any]:
        """As the `params` of a stroke."""
        return asdict(self)


@dataclass(frozen=True)
class Grown:
    """Result of a stroke: `added` (bool) within `box`; `refusal` is a code when nothing is painted."""

    box: Box
    added: Mask
    seed_hu: float
    lower_hu: float | None = None
    refusal: str | None = None  # normal_lung | nothing_within_bounds | over_ceiling

    def apply(self, labels_zyx: npt.NDArray[np.uint8], segment: int) -> None:
        """Write the stroke into a labelmap in place."""
        labels_zyx[self.box][self.added] = segment


def grow(
    hu_zyx: npt.NDArray[np.int16],
    spacing_mm_zyx: Spacing,
    labels_zyx: npt.NDArray[np.uint8],
    segment: int,
    seed_zyx: Index,
    radius_mm: float,
    *,
    limit_zyx: Mask | None = None,
    background_hu: int,
    params: GrowParams | None = None,
    overwrite: bool = False,
) -> Grown:
    """One stroke of `segment` from the seed, within a sphere of `radius_mm`. Does not modify the labelmap: see
    `Grown.apply`.

    Erased voxels (255) are excluded. Growing passes through other segments, but paints them only with `overwrite`.
    `limit_zyx` and `background_hu` come from `lung_limit`."""
    params = params or GrowParams()
    box = box_around(hu_zyx.shape, spacing_mm_zyx, seed_zyx, radius_mm)
    distance2 = squared_distance(box, spacing_mm_zyx, seed_zyx)
    smooth64 = _smooth64(hu_zyx, box, spacing_mm_zyx[0] <= params.smooth_z_max)
    seed64 = _seed64(smooth64, distance2, spacing_mm_zyx, radius_mm, params)
    nothing = np.zeros(distance2.shape, np.bool_)
    if seed64 < 64 * (background_hu + params.min_contrast):
        return Grown(box, nothing, seed64 / 64, refusal="normal_lung")

    labels = labels_zyx[box]
    domain = (distance2 <= radius_mm**2 + EPSILON) & (labels != ERASED)
    seed: Index = (seed_zyx[0] - box[0].start, seed_zyx[1] - box[1].start, seed_zyx[2] - box[2].start)
    if params.planar:
        domain[: seed[0]] = domain[seed[0] + 1 :] = False
    if params.use_limit and limit_zyx is not None and limit_zyx[seed_zyx]:
        domain &= limit_zyx[box]
    lower64 = 64 * background_hu + (params.tolerance * (seed64 - 64 * background_hu)) // 100
    accepted = domain & (smooth64 >= lower64)
    if params.upper_hu is not None:
        accepted &= smooth64 <= seed64 + 64 * params.upper_hu
    if accepted.any() and not accepted[seed]:  # a noisy voxel under the cursor
        seed = _nearest(accepted, distance2)
    if not accepted[seed] or distance2[seed] > SNAP_MM2 + EPSILON:
        return Grown(box, nothing, seed64 / 64, lower64 / 64, refusal="nothing_within_bounds")

    taken = _smoothed(_flood(accepted, seed), domain, seed, distance2, spacing_mm_zyx, params)
    if params.fill:
        by_slice = params.planar or spacing_mm_zyx[0] > params.smooth_z_max or taken.shape[0] == 1
        taken = taken | (_fill(taken | (labels == segment), by_slice) & domain)
    free = labels != segment if overwrite else labels == 0
    painted = taken & free
    if params.ceiling is not None and np.count_nonzero(painted) > params.ceiling:
        return Grown(box, nothing, seed64 / 64, lower64 / 64, refusal="over_ceiling")
    return Grown(box, painted, seed64 / 64, lower64 / 64)


def _smoothed(
    taken: Mask,
    domain: Mask,
    seed: Index,
    distance2: npt.NDArray[np.float64],
    spacing_mm_zyx: Spacing,
    params: GrowParams,
) -> Mask:
    """The flooded region, opened (removes leaks through thin bridges) and closed (fills gaps within the domain)."""
    thickest_mm = 0.0 if params.planar else params.smooth_z_max
    if params.open_mm:
        element = ball(max(params.open_mm, spacing_mm_zyx[1]), spacing_mm_zyx, thickest_mm)
        opened = _inner(ndi.binary_opening(np.pad(taken, MARGIN), element))
        if opened.any():
            taken = _flood(opened, seed if opened[seed] else _nearest(opened, distance2))
    if params.close_mm:
        element = ball(max(params.close_mm, spacing_mm_zyx[1]), spacing_mm_zyx, thickest_mm)
        taken = taken | (_inner(ndi.binary_closing(np.pad(taken, MARGIN), element)) & domain)
    return taken


def _smooth64(hu_zyx: npt.NDArray[np.int16], box: Box, across_slices: bool) -> npt.NDArray[np.int32]:
    """64 × HU smoothed 1-2-1 along x, y and (thin slices) z, within the box; the volume's edge is repeated."""
    wide = tuple(slice(max(0, b.start - 1), min(n, b.stop + 1)) for b, n in zip(box, hu_zyx.shape, strict=True))
    values = hu_zyx[wide].astype(np.int32)
    for axis in (2, 1, 0):
        if axis == 0 and (not across_slices or hu_zyx.shape[0] == 1):
            values *= 4
            continue
        lines = np.moveaxis(values, axis, 0)
        before = np.concatenate([lines[:1], lines[:-1]])
        after = np.concatenate([lines[1:], lines[-1:]])
        values = np.moveaxis(before + 2 * lines + after, 0, axis)
    inner = tuple(slice(b.start - w.start, b.stop - w.start) for b, w in zip(box, wide, strict=True))
    return values[inner]


def _seed64(
    smooth64: npt.NDArray[np.int32],
    distance2: npt.NDArray[np.float64],
    spacing_mm_zyx: Spacing,
    radius_mm: float,
    params: GrowParams,
) -> int:
    """64 × HU of the seed: the lower median in a small ball that includes at least the four in-plane neighbours."""
    reach = max(min(params.seed_mm, max(LEAST_SEED_MM, radius_mm / 4)), 1.01 * spacing_mm_zyx[1])
    values = np.sort(smooth64[distance2 <= reach * reach + EPSILON])
    return int(values[(values.size - 1) // 2])


def _flood(accepted: Mask, seed: Index) -> Mask:
    """The 6-connected component of the seed."""
    labelled, _ = ndi.label(accepted, FACES)
    result: Mask = labelled == labelled[seed]
    return result


def _nearest(mask: Mask, distance2: npt.NDArray[np.float64]) -> Index:
    """The voxel of the mask nearest to the seed; ties go to the first in z, y, x order."""
    z, y, x = np.unravel_index(int(np.where(mask, distance2, np.inf).argmin()), mask.shape)
    return int(z), int(y), int(x)


def _fill(mask: Mask, by_slice: bool) -> Mask:
    result: Mask = np.stack([ndi.binary_fill_holes(s) for s in mask]) if by_slice else ndi.binary_fill_holes(mask)
    return result


def _inner(padded: Mask) -> Mask:
    return padded[MARGIN:-MARGIN, MARGIN:-MARGIN, MARGIN:-MARGIN]
