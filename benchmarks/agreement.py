"""Surface Dice by area of two readings of a whole scan, beside MONAI's on the same masks: seconds, and the figures."""

import time
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from monai.metrics.surface_dice import compute_surface_dice

from benchmarks._rows import plain_row, ratio_row
from voxloop.volume.agreement import agree, measure_surfaces

SHAPE, SPACING = (150, 512, 512), (2.5, 0.7, 0.7)
TOLERANCE_MM = 2.0
LESIONS = 40
SAME = 1e-6
MOST_SHARE_OF_TIME = 0.5


def run() -> Iterator[dict[str, Any]]:
    """Two readers of one scan with lesions of 6 to 12 mm; the second is two voxels off and has two more."""
    first = _lesions(1, LESIONS)
    second = np.roll(first, 2, axis=2) | _lesions(2, 2)
    size = "×".join(map(str, SHAPE[::-1]))
    start = time.perf_counter()
    ours = measure_surfaces(first, second, SPACING).dice(TOLERANCE_MM)
    measured = time.perf_counter()
    hot = [torch.from_numpy(np.stack([~mask, mask])[None]) for mask in (first, second)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of a call within MONAI
        begun = time.perf_counter()
        peer = float(compute_surface_dice(hot[0], hot[1], [TOLERANCE_MM], spacing=SPACING, use_subvoxels=True))
        ended = time.perf_counter()
    case = f"{size}: surface Dice by area, beside MONAI"
    yield ratio_row("agreement", case, measured - start, ended - begun, "s", MOST_SHARE_OF_TIME)
    yield plain_row("agreement", f"{size}: difference of both figures", abs(ours - peer), "", SAME)
    start = time.perf_counter()
    agree(first, second, SPACING)
    yield plain_row("agreement", f"{size}: every figure of two masks", time.perf_counter() - start, "s")


def _lesions(seed: int, count: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Balls anywhere in the grid."""
    rng, mask = np.random.default_rng(seed), np.zeros(SHAPE, np.bool_)
    for _ in range(count):
        centre, radius_mm = [int(rng.integers(20, side - 20)) for side in SHAPE], float(rng.uniform(6, 12))
        steps = [int(radius_mm / step) + 1 for step in SPACING]
        box = tuple(slice(max(0, at - n), at + n + 1) for at, n in zip(centre, steps, strict=True))
        grid = np.ogrid[box]
        mask[box] |= (
            sum(((g - at) * step) ** 2 for g, at, step in zip(grid, centre, SPACING, strict=True)) < radius_mm**2
        )
    return mask
