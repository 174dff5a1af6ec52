"""Agreement of two readers, or of a reader and a model, on a mask or on a class."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from voxloop.volume.amounts import voxel_ml

Mask = npt.NDArray[np.bool_]
Spacing = tuple[float, float, float]
# Outlines this close count as equal: about one in-plane voxel of a thick-sliced scan.
TOLERANCE_MM = 2.0


@dataclass(frozen=True)
class Agreement:
    """Agreement of two masks: Dice and surface Dice 0 … 1, volumes in mL (`difference_ml` = first − second)."""

    dice: float
    surface_dice: float
    first_ml: float
    second_ml: float

    @property
    def difference_ml(self) -> float:
        """First minus second, in mL."""
        return self.first_ml - self.second_ml


def agree(first_zyx: Mask, second_zyx: Mask, spacing_mm_zyx: Spacing, tolerance_mm: float = TOLERANCE_MM) -> Agreement:
    """All measures of two masks on one grid."""
    one_ml = voxel_ml(spacing_mm_zyx)
    return Agreement(
        dice(first_zyx, second_zyx),
        surface_dice(first_zyx, second_zyx, spacing_mm_zyx, tolerance_mm),
        int(np.count_nonzero(first_zyx)) * one_ml,
        int(np.count_nonzero(second_zyx)) * one_ml,
    )


def dice(first_zyx: Mask, second_zyx: Mask) -> float:
    """2 |A ∩ B| / (|A| + |B|). Two empty masks agree (1); an empty and a filled one do not (0)."""
    _check(first_zyx, second_zyx)
    total = int(np.count_nonzero(first_zyx)) + int(np.count_nonzero(second_zyx))
    return 2 * int(np.count_nonzero(first_zyx & second_zyx)) / total if total else 1.0


def surface_dice(
    first_zyx: Mask, second_zyx: Mask, spacing_mm_zyx: Spacing, tolerance_mm: float = TOLERANCE_MM
) -> float:
    """Share of both surfaces that lies within `tolerance_mm` of the other (Nikolov 2018, counted in surface voxels).

    Surface voxels have one of six neighbours outside the mask; beyond the volume's edge is outside. Empty masks as
    in `dice`.
    """
    _check(first_zyx, second_zyx)
    either = first_zyx | second_zyx
    if not either.any():
        return 1.0
    if not first_zyx.any() or not second_zyx.any():
        return 0.0
    box = ndi.find_objects(either.astype(np.uint8))[0]
    surfaces = [mask & ~ndi.binary_erosion(mask) for mask in (first_zyx[box], second_zyx[box])]
    near = 0
    for own, other in (surfaces, surfaces[::-1]):
        near += int((ndi.distance_transform_edt(~other, sampling=spacing_mm_zyx)[own] <= tolerance_mm).sum())
    return near / sum(int(s.sum()) for s in surfaces)


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """Cohen's kappa of two readers' classes for the same scans (`blain2020`): 1 = agree, 0 = as by chance.

    Two readers who gave only one and the same class agree (1). Raises `ValueError` without scans."""
    if len(first) != len(second) or not first:
        raise ValueError("kappa needs two equally long lists of at least one class")
    count = len(first)
    observed = sum(a == b for a, b in zip(first, second, strict=True)) / count
    chance = sum(list(first).count(c) * list(second).count(c) for c in set(first) | set(second)) / count**2
    return 1.0 if chance == 1 else (observed - chance) / (1 - chance)


def _check(first_zyx: Mask, second_zyx: Mask) -> None:
    if first_zyx.shape != second_zyx.shape or first_zyx.dtype != np.bool_ or second_zyx.dtype != np.bool_:
        raise ValueError("agreement needs two boolean masks of one shape")
