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
    assert max(choice.threshold, choice.sure) >= 0.8
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


def test_an_island_counts_by_what_is_very_sure_of_it() -> None:
    share: npt.NDArray[np.float32] = np.zeros((1, 400, 40), np.float32)
    truth = np.zeros((1, 400, 40), bool)
    share[0, :40, :25], truth[0, :40, :25] = 0.6, True  # 20 mL that are found, of which 5 mL are sure
    share[0, :10, :25] = 0.997
    share[0, 100:130, :25] = 0.97  # 15 mL that are invented, and nowhere as sure
    choice = calibrate([Example(share, truth, VOXEL_ML)])
    assert choice is not None
    assert (choice.threshold, choice.invented_ml, choice.dice) == (0.5, 0.0, 1.0)
    assert choice.sure > 0.97
    assert choice.min_island_ml <= 5


def test_of_equal_choices_the_one_that_asks_most_of_an_island_is_taken() -> None:
    choice = calibrate([example((15, 0.993, True)), example((1, 0.6, False))])
    assert choice is not None
    assert (choice.sure, choice.min_island_ml, choice.dice, choice.invented_ml) == (0.99, 4.0, 1.0, 0.0)


def test_small_findings_tell_nothing_of_dice_where_there_are_large_ones() -> None:
    large, small = example((15, 0.99, True)), example((3, 0.55, True), (8, 0.55, False))
    choice = calibrate([large, small])
    assert choice is not None
    assert (choice.dice, choice.invented_ml) == (1.0, 0.0)
    alone = calibrate([small])
    assert alone is not None
    assert alone.dice == pytest.approx(2 * 3 / (3 + 8 + 3))


def test_no_island_larger_than_4_ml_is_dropped() -> None:
    choice = calibrate([example((15, 0.99, True)), example((5, 0.99, False))])
    assert choice is not None
    assert choice.invented_ml == pytest.approx(5 / 2)


def test_a_small_loss_of_dice_is_worth_fewer_inventions() -> None:
    edge: npt.NDArray[np.float32] = np.zeros((1, 100, 100), np.float32)
    edge[0, :50, :] = 0.99
    edge[0, 49, :50] = 0.55  # a hundredth of the finding, at its edge
    empty: npt.NDArray[np.float32] = np.zeros((1, 100, 100), np.float32)
    empty[0, 70:80, :50] = 0.55  # 10 mL that are invented, and half of them as sure as can be
    empty[0, 70:75, :50] = 0.999
    choice = calibrate([Example(edge, edge > 0, VOXEL_ML), Example(empty, empty > 1, VOXEL_ML)])
    assert choice is not None
    assert choice.invented_ml == pytest.approx(5 / 2)
    assert 1 - DICE_GIVEN_UP < choice.dice < 1


def test_without_a_finding_nothing_is_learned() -> None:
    assert calibrate([example((5, 0.9, False))]) is None
    assert calibrate([]) is None
