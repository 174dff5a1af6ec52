"""Agreement of two masks of one grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from voxloop.volume.agreement.surfaces import TOLERANCE_MM, Spacing, measure_surfaces
from voxloop.volume.amounts import voxel_ml

Mask = npt.NDArray[np.bool_]
_EVERY_NEIGHBOUR = np.ones((3, 3, 3), np.bool_)


@dataclass(frozen=True)
class LesionMatch:
    """Lesions (26-neighbour parts) of two masks, and how many of each share a voxel with the other mask."""

    first: int
    second: int
    first_met: int
    second_met: int

    @property
    def f1(self) -> float:
        """Harmonic mean of both shares of lesions that are met, 0 … 1; 1 where neither mask has a lesion."""
        if not self.first and not self.second:
            return 1.0
        if not self.first_met or not self.second_met:
            return 0.0
        first, second = self.first_met / self.first, self.second_met / self.second
        return 2 * first * second / (first + second)


@dataclass(frozen=True)
class Agreement:
    """Agreement of two masks: Dice and surface Dice 0 … 1, distances in mm (None: only one mask is empty), volumes in
    mL (`difference_ml` = first − second)."""

    dice: float
    surface_dice: float
    hd95_mm: float | None
    assd_mm: float | None
    first_ml: float
    second_ml: float
    lesions: LesionMatch

    @property
    def difference_ml(self) -> float:
        """First minus second, in mL."""
        return self.first_ml - self.second_ml


def agree(first_zyx: Mask, second_zyx: Mask, spacing_mm_zyx: Spacing, tolerance_mm: float = TOLERANCE_MM) -> Agreement:
    """All measures of two masks on one grid. Raises ValueError for other shapes or what is no boolean mask."""
    _check(first_zyx, second_zyx)
    if found := ndi.find_objects((first_zyx | second_zyx).astype(np.uint8)):
        first_zyx, second_zyx = first_zyx[found[0]], second_zyx[found[0]]  # outside their box nothing is marked
    one_ml = voxel_ml(spacing_mm_zyx)
    surfaces = measure_surfaces(first_zyx, second_zyx, spacing_mm_zyx)
    return Agreement(
        dice(first_zyx, second_zyx),
        surfaces.dice(tolerance_mm),
        surfaces.hd95_mm,
        surfaces.assd_mm,
        int(np.count_nonzero(first_zyx)) * one_ml,
        int(np.count_nonzero(second_zyx)) * one_ml,
        match_lesions(first_zyx, second_zyx),
    )


def dice(first_zyx: Mask, second_zyx: Mask) -> float:
    """2 |A ∩ B| / (|A| + |B|). Two empty masks agree (1); an empty and a filled one do not (0)."""
    _check(first_zyx, second_zyx)
    total = int(np.count_nonzero(first_zyx)) + int(np.count_nonzero(second_zyx))
    return 2 * int(np.count_nonzero(first_zyx & second_zyx)) / total if total else 1.0


def match_lesions(first_zyx: Mask, second_zyx: Mask) -> LesionMatch:
    """Which lesions of each mask the other reader has seen, too: one common voxel is enough."""
    _check(first_zyx, second_zyx)
    counts = []
    for own, other in ((first_zyx, second_zyx), (second_zyx, first_zyx)):
        parts, number = ndi.label(own, _EVERY_NEIGHBOUR)
        counts.append((int(number), int(np.unique(parts[own & other]).size)))
    (first, first_met), (second, second_met) = counts
    return LesionMatch(first, second, first_met, second_met)


def _check(first_zyx: Mask, second_zyx: Mask) -> None:
    if first_zyx.shape != second_zyx.shape or first_zyx.dtype != np.bool_ or second_zyx.dtype != np.bool_:
        raise ValueError("agreement needs two boolean masks of one shape")
