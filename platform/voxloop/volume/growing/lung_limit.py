"""The lung limit of the region-growing brush, computed once per scan at intake."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from voxloop.volume.amounts import voxel_ml
from voxloop.volume.growing.sphere import Spacing

Mask = npt.NDArray[np.bool_]
Packed = npt.NDArray[np.uint8]

AIR_HU = -500
# RIM_HU is half-way between ground glass and the chest wall: the pleura beside an opacity. Voxels below it count up to
# RIM_MM from aerated lung along a path through nothing denser, so no chest wall lies between. The distance only guards
# against paths out of the chest, such as through a thin diaphragm to gas in the stomach.
RIM_HU = -300
RIM_MM = 10.0
CLOSE_MM = 15.0
LEAST_LUNG_ML = 300.0
# The background where no lung was found: median of aerated lung over the scans of `viewer.md`.
NORMAL_LUNG_HU = -860


def lung_limit(
    hu_zyx: npt.NDArray[np.int16],
    spacing_mm_zyx: Spacing,
    *,
    close_mm: float = CLOSE_MM,
    air_hu: int = AIR_HU,
    least_ml: float = LEAST_LUNG_ML,
) -> tuple[Mask | None, int]:
    """The limit (bool, whole volume) and the background in HU (median of aerated lung, rounded down).

    Aerated lung is what lies below `air_hu`, does not touch a side face of the volume and is larger than `least_ml`.
    Together with connected voxels below `RIM_HU` it is closed by a ball of `close_mm`, to include attached lesions and
    vessels (docs/adr/0011, 0013). `(None, -860)` where no lung is found."""
    lung = _aerated_lung(hu_zyx, spacing_mm_zyx, air_hu, least_ml)
    if lung is None:
        return None, NORMAL_LUNG_HU
    background_hu = int(np.floor(np.median(hu_zyx[lung])))
    with_rim = _with_rim(lung, hu_zyx, spacing_mm_zyx)
    limit = np.zeros(lung.shape, np.bool_)
    box = ndi.find_objects(with_rim.astype(np.uint8))[0]
    # Closing never extends beyond the bounding box.
    limit[box] = close_ball(with_rim[box], spacing_mm_zyx, close_mm)
    return limit, background_hu


def _aerated_lung(hu_zyx: npt.NDArray[np.int16], spacing_mm_zyx: Spacing, air_hu: int, least_ml: float) -> Mask | None:
    labelled, _ = ndi.label(hu_zyx < air_hu)
    sizes = np.bincount(labelled.reshape(-1))
    sizes[0] = 0
    for face in (labelled[:, 0], labelled[:, -1], labelled[:, :, 0], labelled[:, :, -1]):
        sizes[np.unique(face)] = 0
    kept = sizes * voxel_ml(spacing_mm_zyx) >= least_ml
    return kept[labelled] if kept.any() else None


def _with_rim(lung: Mask, hu_zyx: npt.NDArray[np.int16], spacing_mm_zyx: Spacing) -> Mask:
    """The lung and 6-connected voxels below `RIM_HU`, up to `RIM_MM` (counted in in-plane steps) away."""
    steps = max(1, round(RIM_MM / spacing_mm_zyx[1]))
    box = tuple(
        slice(max(0, side.start - steps), side.stop + steps) for side in ndi.find_objects(lung.astype(np.uint8))[0]
    )
    result = lung.copy()
    result[box] = ndi.binary_dilation(lung[box], iterations=steps, mask=hu_zyx[box] < RIM_HU)
    return result


def close_ball(mask: Mask, spacing_mm_zyx: Spacing, radius_mm: float) -> Mask:
    """Morphological closing by a ball, as on an infinite grid. Rows are packed to bits."""
    reach_z, reach_y, reach_x = (int(radius_mm / s) + 1 for s in spacing_mm_zyx)
    shape = mask.shape
    padded = np.pad(mask, ((reach_z, reach_z), (reach_y, reach_y), (reach_x, reach_x)))
    grown = _dilate(np.packbits(padded, axis=2, bitorder="little"), spacing_mm_zyx, radius_mm)
    # Erosion is dilation of the complement; the padding is wider than the ball, so its edge is never reached.
    shrunk = ~_dilate(~grown, spacing_mm_zyx, radius_mm)
    bits = np.unpackbits(shrunk, axis=2, bitorder="little")
    inner = bits[reach_z : reach_z + shape[0], reach_y : reach_y + shape[1], reach_x : reach_x + shape[2]]
    result: Mask = inner.astype(np.bool_) | mask
    return result


def _dilate(rows: Packed, spacing_mm_zyx: Spacing, radius_mm: float) -> Packed:
    """Dilate bit-packed rows (zy × x/8) by a ball: a ball is a run along x for every step in z and y."""
    half = _half_runs(spacing_mm_zyx, radius_mm)
    widened = [rows]
    for _ in range(max(half.values())):
        widened.append(_widen(widened[-1]))
    result = np.zeros_like(rows)
    depth, height, _ = rows.shape
    for z in range(depth):  # slice by slice, to stay in the cache
        target = result[z]
        for (dz, dy), run in half.items():
            if 0 <= z + dz < depth and abs(dy) < height:
                source = widened[run][z + dz]
                if dy >= 0:
                    target[: height - dy] |= source[dy:]
                else:
                    target[-dy:] |= source[:dy]
    return result


def _half_runs(spacing_mm_zyx: Spacing, radius_mm: float) -> dict[tuple[int, int], int]:
    """For every (dz, dy) of the ball, how many voxels it reaches along x; distances as an EDT computes them."""
    sz, sy, sx = spacing_mm_zyx
    runs: dict[tuple[int, int], int] = {}
    reach_z, reach_y, reach_x = (int(radius_mm / s) + 1 for s in spacing_mm_zyx)
    along_x = (np.arange(reach_x + 1) * sx) ** 2
    for dz in range(-reach_z, reach_z + 1):
        for dy in range(-reach_y, reach_y + 1):
            inside = np.sqrt((dz * sz) ** 2 + (dy * sy) ** 2 + along_x) <= radius_mm
            if inside[0]:
                runs[dz, dy] = int(np.flatnonzero(inside)[-1])
    return runs


def _widen(rows: Packed) -> Packed:
    """Every run of ones one voxel longer at both ends."""
    wide: Packed = rows | (rows << np.uint8(1)) | (rows >> np.uint8(1))
    wide[..., 1:] |= rows[..., :-1] >> np.uint8(7)
    wide[..., :-1] |= rows[..., 1:] << np.uint8(7)
    return wide
