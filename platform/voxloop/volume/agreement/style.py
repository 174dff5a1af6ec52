"""How a reader marks, beside a reference: how far the border lies outside or inside it, and which HU are marked."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from voxloop.volume.agreement.surfaces import Mask, Spacing, measure_surfaces

HU_PERCENTILES = (5.0, 50.0, 95.0)
_EVERY_NEIGHBOUR = np.ones((3, 3, 3), np.bool_)


def border_offset_mm(drawn_zyx: Mask, reference_zyx: Mask, spacing_mm_zyx: Spacing) -> float | None:
    """How far, on average over its area, the border of lesions that both masks mark lies outside (above 0) or inside
    the reference, in mm: the volume between both borders, outside minus inside, over the mean area of both.

    A mean of signed distances between voxels' corners would be too small: where both borders share a corner it is 0.
    The area is that of the surface Dice, of a ball about a tenth too large, and so the offset is a tenth too small.
    Lesions (26-neighbour parts) that only one of both marks are left out: they are missed or invented, not drawn too
    large or small. None where no lesion is in both. Raises ValueError for other shapes or what is no boolean mask."""
    if drawn_zyx.shape != reference_zyx.shape or drawn_zyx.dtype != np.bool_ or reference_zyx.dtype != np.bool_:
        raise ValueError("a border is compared with one of a boolean mask of the same shape")
    drawn, reference = _met(drawn_zyx, reference_zyx), _met(reference_zyx, drawn_zyx)
    if not drawn.any():
        return None
    surfaces = measure_surfaces(drawn, reference, spacing_mm_zyx)
    area_mm2 = sum(float(areas.sum()) for areas in surfaces.areas_mm2) / 2
    voxels = int(np.count_nonzero(drawn)) - int(np.count_nonzero(reference))
    return voxels * math.prod(spacing_mm_zyx) / area_mm2


def hu_range(mask_zyx: Mask, hu_zyx: npt.NDArray[Any]) -> tuple[float, float, float] | None:
    """The 5th, 50th and 95th percentile of the HU of the marked voxels, linear between two; None of nothing."""
    values = hu_zyx[mask_zyx]
    if not values.size:
        return None
    low, middle, high = np.percentile(values, HU_PERCENTILES)
    return float(low), float(middle), float(high)


def _met(own_zyx: Mask, other_zyx: Mask) -> Mask:
    """The lesions of a mask that share a voxel with the other one."""
    parts, _ = ndi.label(own_zyx, _EVERY_NEIGHBOUR)
    met = np.unique(parts[own_zyx & other_zyx])
    return np.asarray(np.isin(parts, met[met > 0]))
