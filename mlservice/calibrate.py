"""Learn from scans with known findings from which probability on a finding is marked, and which islands are dropped.

What costs a reader most is an island where nothing is: it is counted on every scan, in mL. An island counts by those of
its voxels that the network is very sure of: what is invented is as large as what is found, but seldom as sure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from mlservice.scans import Mask

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)
SURE = (0.0, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998)  # 0: every voxel of an island counts
# A larger least size would hide what a reader must find: 4 mL is a ball of 2 cm.
ISLANDS_ML = (0.5, 1.0, 2.0, 3.0, 4.0)
DICE_GIVEN_UP = 0.01  # for fewer invented islands
INVENTED_APART_ML = 0.1  # a difference that says nothing
# A voxel at its edge changes the Dice of a small finding: only scans with this much tell of Dice, if there are any.
SCORED_ML = 10.0


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
    sure: float
    min_island_ml: float
    dice: float  # the mean over scans with 10 mL of findings; over those with findings where none has so much
    invented_ml: float  # of islands that touch no finding, the mean over all scans


@dataclass(frozen=True)
class _Islands:
    """The islands of one scan at one threshold."""

    sizes_ml: npt.NDArray[np.float64]
    sure_ml: tuple[npt.NDArray[np.float64], ...]  # of each island, for each of `SURE`
    hits_ml: npt.NDArray[np.float64]  # the part of each that is a finding
    truth_ml: float


def calibrate(examples: Iterable[Example]) -> Calibration | None:
    """Among the choices whose mean Dice is within 0.01 of the best, those with the fewest mL of invented islands (to
    0.1 mL); of them the one that asks most of an island: a network is surer on the scans it learned from.

    None without a scan that has findings."""
    tables = [[_islands(example, threshold) for threshold in THRESHOLDS] for example in examples]
    most_ml = max((table[0].truth_ml for table in tables), default=0.0)
    if not most_ml:
        return None
    least_truth_ml = SCORED_ML if most_ml >= SCORED_ML else 0.0
    found = [
        _judge(number, sure, least_ml, [table[number] for table in tables], least_truth_ml)
        for number in range(len(THRESHOLDS))
        for sure in range(len(SURE))
        for least_ml in ISLANDS_ML
    ]
    enough = max(choice.dice for choice in found) - DICE_GIVEN_UP
    good = [choice for choice in found if choice.dice >= enough]
    fewest = min(choice.invented_ml for choice in good) + INVENTED_APART_ML
    return max(
        (choice for choice in good if choice.invented_ml <= fewest), key=lambda c: (c.sure, c.min_island_ml, c.dice)
    )


def _islands(example: Example, threshold: float) -> _Islands:
    marked = example.share >= threshold
    islands, count = ndimage.label(marked)
    sizes = np.bincount(islands.reshape(-1), minlength=count + 1)[1:]
    hits = np.bincount(islands[example.truth], minlength=count + 1)[1:]
    inside, among = example.share[marked], islands[marked]
    sure = [np.bincount(among[inside >= least], minlength=count + 1)[1:] for least in SURE]
    ml = np.float64(example.voxel_ml)
    return _Islands(
        np.asarray(sizes * ml, np.float64),
        tuple(np.asarray(voxels * ml, np.float64) for voxels in sure),
        np.asarray(hits * ml, np.float64),
        float(example.truth.sum() * ml),
    )


def _judge(number: int, sure: int, least_ml: float, scans: list[_Islands], least_truth_ml: float) -> Calibration:
    dice, invented = [], []
    for scan in scans:
        kept = scan.sure_ml[sure] >= least_ml
        invented.append(float(scan.sizes_ml[kept & (scan.hits_ml == 0)].sum()))
        if scan.truth_ml and scan.truth_ml >= least_truth_ml:
            both = float(scan.hits_ml[kept].sum())
            dice.append(2 * both / (float(scan.sizes_ml[kept].sum()) + scan.truth_ml))
    return Calibration(THRESHOLDS[number], SURE[sure], least_ml, float(np.mean(dice)), float(np.mean(invented)))
