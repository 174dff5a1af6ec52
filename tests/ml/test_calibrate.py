"""The threshold and the least island are those that invent least, without giving up findings."""

import numpy as np
import numpy.typing as npt
import pytest

from mlservice.calibrate import DICE_GIVEN_UP, Example, calibrate

VOXEL_ML = 0.02  # 50 voxels are 1 mL


def example(*blobs: tuple[float, float, bool]) -> Example:
    """Separate blobs: mL, the probability that the model gives them, whether they are findings."""
    share, truth = np.zeros((1, 400, 40), np.float32), np.zeros((1, 400, 40), bool)
    for number, (ml, probability, is_true) in enumerate(blobs):
        rows = slice(40 * number, 40 * number + round(ml / VOXEL_ML / 25))
        share[0, rows, :25] = probability
        truth[0, rows, :25] = is_true
    return Example(share, truth, VOXEL_ML)


def test_what_is_invented_is_less_sure_or_smaller_than_what_is_found() -> None:
    found = example((15, 0.99, True), (10, 0.75, False), (1.5, 0.99, False))
    choice = calibrate([found, example((8, 0.75, False), (1.5, 0.99, False))])
    assert choice is not None
    assert choice.threshold >= 0.8
    assert choice.min_island_ml >= 2
    assert choice.dice == pytest.approx(1)
    assert choice.invented_ml == 0


def test_findings_are_not_given_up_for_fewer_inventions() -> None:
    unsure = example((15, 0.55, True), (10, 0.65, False))
    choice = calibrate([unsure])
    assert choice is not None
    assert choice.threshold == 0.5
    assert choice.dice == pytest.approx(2 * 15 / (15 + 10 + 15))
    assert choice.invented_ml == pytest.approx(10)


def test_no_island_larger_than_4_ml_is_dropped() -> None:
    choice = calibrate([example((15, 0.99, True)), example((5, 0.99, False))])
    assert choice is not None
    assert choice.invented_ml == pytest.approx(5 / 2)


def test_a_small_loss_of_dice_is_worth_fewer_inventions() -> None:
    edge: npt.NDArray[np.float32] = np.zeros((1, 100, 100), np.float32)
    edge[0, :50, :] = 0.99
    edge[0, 49:50, :] = 0.55  # a fiftieth of the finding, at its edge
    truth = edge > 0
    edge[0, 70:80, :50] = 0.55
    choice = calibrate([Example(edge, truth, VOXEL_ML)])
    assert choice is not None
    assert choice.invented_ml == 0
    assert 1 - DICE_GIVEN_UP - 0.01 < choice.dice < 1


def test_without_a_finding_nothing_is_learned() -> None:
    assert calibrate([example((5, 0.9, False))]) is None
    assert calibrate([]) is None
