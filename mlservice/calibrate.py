"""Learn from scans with known findings from which probability on a finding is marked, and which islands are dropped.

What costs a reader most is an island where nothing is: it is counted on every scan, in mL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from mlservice.scans import Mask

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)
# A larger least size would hide what a reader must find: 4 mL is a ball of 2 cm.
ISLANDS_ML = (0.5, 1.0, 2.0, 3.0, 4.0)
DICE_GIVEN_UP = 0.01  # for fewer invented islands


@dataclass(frozen=True)
class Example:
    """A scan on the model's grid (zyx): the probability of any finding, where findings are, mL of a voxel."""

    share: npt.NDArray[np.float32]
    truth: Mask
    voxel_ml: float


@dataclass(frozen=True)
class Calibration:
    """What was chosen, and its figures on the scans it was chosen on."""

    threshold: float
    min_island_ml: float
    dice: float  # the mean over scans with findings
    invented_ml: float  # of islands that touch no finding, the mean over all scans


@dataclass(frozen=True)
class _Islands:
    """The islands of one scan at one threshold."""

    sizes_ml: npt.NDArray[np.float64]
    hits_ml: npt.NDArray[np.float64]  # the part of each that is a finding
    truth_ml: float


def calibrate(examples: Iterable[Example]) -> Calibration | None:
    """The choice with the fewest mL of invented islands among those whose mean Dice is within 0.01 of the best.

    None without a scan that has findings."""
    tables = [[_islands(example, threshold) for threshold in THRESHOLDS] for example in examples]
    if not any(table[0].truth_ml for table in tables):
        return None
    found = [
        _judge(threshold, least_ml, [table[number] for table in tables])
        for number, threshold in enumerate(THRESHOLDS)
        for least_ml in ISLANDS_ML
    ]
    enough = max(choice.dice for choice in found) - DICE_GIVEN_UP
    return min((choice for choice in found if choice.dice >= enough), key=lambda c: (c.invented_ml, -c.dice))


def _islands(example: Example, threshold: float) -> _Islands:
    marked = example.share >= threshold
    islands, count = ndimage.label(marked)
    sizes = np.bincount(islands.reshape(-1), minlength=count + 1)[1:]
    hits = np.bincount(islands[example.truth], minlength=count + 1)[1:]
    ml = np.float64(example.voxel_ml)
    return _Islands(
        np.asarray(sizes * ml, np.float64), np.asarray(hits * ml, np.float64), float(example.truth.sum() * ml)
    )


def _judge(threshold: float, least_ml: float, scans: list[_Islands]) -> Calibration:
    dice, invented = [], []
    for scan in scans:
        kept = scan.sizes_ml >= least_ml
        invented.append(float(scan.sizes_ml[kept & (scan.hits_ml == 0)].sum()))
        if scan.truth_ml:
            both = float(scan.hits_ml[kept].sum())
            dice.append(2 * both / (float(scan.sizes_ml[kept].sum()) + scan.truth_ml))
    return Calibration(threshold, least_ml, float(np.mean(dice)), float(np.mean(invented)))
