"""The amount of marked voxels: mL, or cm² for a single-plane image, which has no volume."""

import math
from collections.abc import Sequence


def voxel_ml(spacing_mm_zyx: Sequence[float]) -> float:
    """Volume of one voxel in mL."""
    return float(math.prod(spacing_mm_zyx)) / 1000.0


def unit_of(shape_zyx: Sequence[int]) -> str:
    """The unit of amounts."""
    return "cm²" if shape_zyx[0] == 1 else "mL"


def amount_of(voxels: float, shape_zyx: Sequence[int], spacing_mm_zyx: Sequence[float]) -> float:
    """The amount of so many voxels in the image's unit."""
    if unit_of(shape_zyx) == "mL":
        return float(voxels * voxel_ml(spacing_mm_zyx))
    _, y, x = spacing_mm_zyx
    return float(voxels * (y * x / 100.0))
