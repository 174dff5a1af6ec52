"""The lungs of a chest CT without any label: the mask, its right and left side, and thirds of each.

Thirds of the height are zones, not lobes: they are exactly what they say, and say nothing of fissures."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from voxloop.volume.geometry import Geometry
from voxloop.volume.growing.lung_limit import AIR_HU, close_ball

Mask = npt.NDArray[np.bool_]
HU = npt.NDArray[np.int16]
Regions = npt.NDArray[np.uint8]

RIGHT, LEFT = 1, 2
LUNG_HU = -450  # half-way between lung and soft tissue, where a partly filled voxel at the pleura is half lung
VESSEL_MM = 5.0  # of the ball that closes vessels and bronchi, which are part of the lung
# The trachea: on an axial slice an air column of this area, apart from the lungs and near the midline.
AIRWAY_MM2 = (60.0, 900.0)
MIDLINE_MM = 40.0
COARSE_MM = 4.0
# Two components are two lungs when each holds at least this share of both.
LEAST_SHARE = 0.1
MOST_ERODED_MM = 20.0
# zone 1-3: right upper, middle and lower third; 4-6: left
ZONES = (
    *("right_upper_third", "right_middle_third", "right_lower_third"),
    *("left_upper_third", "left_middle_third", "left_lower_third"),
)


def find_lungs(hu_zyx: HU, limit_zyx: Mask, marked_zyx: Mask, geometry: Geometry) -> Mask:
    """The lungs: what lies below `LUNG_HU` within the lung limit (`growing.lung_limit`), with the vessels between and
    without the trachea, and every marked voxel, as findings are marked in lungs only.

    On phantoms (`tests/unit/volume/test_lungs.py`) within 1 % of the true volume; the main bronchi count as lung."""
    spacing = geometry.spacing_mm_zyx
    lungs: Mask = limit_zyx & (hu_zyx < LUNG_HU)
    lungs |= marked_zyx
    # In plane every second voxel is enough to close vessels, and four times as fast.
    thin = close_ball(np.ascontiguousarray(lungs[:, ::2, ::2]), (spacing[0], 2 * spacing[1], 2 * spacing[2]), VESSEL_MM)
    closed = thin.repeat(2, 1).repeat(2, 2)[:, : lungs.shape[1], : lungs.shape[2]]
    lungs |= closed & limit_zyx
    for k, airway_yx in _airway(hu_zyx, limit_zyx, geometry):
        lungs[k] &= ~airway_yx | marked_zyx[k]
    return lungs


def split_sides(lungs_zyx: Mask, geometry: Geometry) -> Regions:
    """`RIGHT` and `LEFT` of a mask of both lungs, 0 elsewhere. Lungs that touch are parted where they are thinnest.

    With one lung only, its side is that of its middle from the middle of the volume."""
    steps = tuple(max(1, int(COARSE_MM / mm)) for mm in geometry.spacing_mm_zyx)
    coarse = lungs_zyx[:: steps[0], :: steps[1], :: steps[2]]
    sampling = [n * mm for n, mm in zip(steps, geometry.spacing_mm_zyx, strict=True)]
    sides = np.zeros(coarse.shape, np.uint8)
    if coarse.any():
        markers = _markers(coarse, sampling, steps, geometry)
        nearest = ndi.distance_transform_edt(
            markers == 0, sampling=sampling, return_distances=False, return_indices=True
        )
        sides = markers[tuple(nearest)]
    for axis, step in enumerate(steps):
        sides = sides.repeat(step, axis)
    z, y, x = lungs_zyx.shape
    result: Regions = np.where(lungs_zyx, sides[:z, :y, :x], np.uint8(0))
    return result


def split_zones(sides_zyx: Regions, geometry: Geometry) -> Regions:
    """1-6 as `ZONES`: each lung in thirds of its height, from its lowest to its highest slice."""
    result = np.zeros(sides_zyx.shape, np.uint8)
    goes_up = geometry.affine()[2, 2] >= 0
    for side in (RIGHT, LEFT):
        of_side = sides_zyx == side
        there = np.flatnonzero(of_side.any(axis=(1, 2)))
        if not there.size:
            continue
        first, count = int(there[0]), int(there[-1] - there[0]) + 1
        third = np.clip((np.arange(len(sides_zyx)) - first) * 3 // count, 0, 2)
        zone = (2 - third if goes_up else third) + 1 + (0 if side == RIGHT else 3)
        result += of_side * zone.astype(np.uint8)[:, None, None]
    return result


def _markers(coarse: Mask, sampling: list[float], steps: tuple[int, ...], geometry: Geometry) -> Regions:
    """One core for each lung, on the coarse grid."""
    depth = ndi.distance_transform_edt(np.pad(coarse, 1), sampling=sampling)[1:-1, 1:-1, 1:-1]
    middle = geometry.lps_of([(n - 1) / 2 for n in reversed(geometry.shape_zyx)])[0]
    markers = np.zeros(coarse.shape, np.uint8)
    for eroded in np.arange(0, MOST_ERODED_MM, 2.0):
        parts, count = ndi.label(depth > eroded)
        sizes = np.bincount(parts.reshape(-1), minlength=count + 1)[1:]
        large = [int(n) + 1 for n in np.flatnonzero(sizes >= LEAST_SHARE * sizes.sum())] if count else []
        if len(large) >= 2:
            across = {part: _middle_of(parts == part, steps, geometry) for part in large}
            low, high = min(across.values()), max(across.values())
            for part, x in across.items():
                markers[parts == part] = RIGHT if x - low < high - x else LEFT
            return markers
    markers[coarse] = RIGHT if _middle_of(coarse, steps, geometry) < middle else LEFT
    return markers


def _middle_of(part: Mask, steps: tuple[int, ...], geometry: Geometry) -> float:
    """LPS x of the middle of a part: the patient's right is lower."""
    z, y, x = (float(at.mean()) * step for at, step in zip(np.nonzero(part), steps, strict=True))
    return geometry.lps_of((x, y, z))[0]


def _airway(hu_zyx: HU, limit_zyx: Mask, geometry: Geometry) -> Iterator[tuple[int, Mask]]:
    """The trachea slice by slice, from above: a column of air near the midline, until it joins the lungs."""
    _, mm_y, mm_x = geometry.spacing_mm_zyx
    there = np.flatnonzero(limit_zyx.any(axis=(1, 2)))
    if not there.size:
        return
    goes_up = geometry.affine()[2, 2] >= 0
    columns = np.flatnonzero(limit_zyx.any(axis=(0, 1)))
    middle = (columns[0] + columns[-1]) / 2
    before: Mask | None = None
    for k in there[::-1] if goes_up else there:
        air = limit_zyx[k] & (hu_zyx[k] < AIR_HU)
        parts, count = ndi.label(air)
        found = None
        for number, box in enumerate(ndi.find_objects(parts, count), start=1):
            inside = parts[box] == number
            area = np.count_nonzero(inside) * mm_y * mm_x
            x = box[1].start + float(np.nonzero(inside)[1].mean())
            if AIRWAY_MM2[0] <= area <= AIRWAY_MM2[1] and abs(x - middle) * mm_x <= MIDLINE_MM:
                candidate = parts == number
                if before is None or (candidate & before).any():
                    found = candidate if found is None else found | candidate
        if found is None and before is not None:
            return
        if found is not None:
            # The wall, half of which is air to the eye of the threshold.
            yield int(k), ndi.binary_dilation(found, iterations=2)
            before = found
