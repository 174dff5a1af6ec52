"""Agreement: against known figures, and where masks are empty."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voxloop.volume.agreement import agree, cohen_kappa, dice, surface_dice

SPACING = (2.0, 1.0, 1.0)


def block(low: Any, high: Any, shape: tuple[int, int, int] = (20, 30, 30)) -> Any:
    mask = np.zeros(shape, np.bool_)
    mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return mask


def test_half_overlap() -> None:
    first, second = block((5, 5, 5), (10, 15, 15)), block((5, 5, 10), (10, 15, 20))
    assert dice(first, second) == pytest.approx(0.5)
    result = agree(first, second, SPACING)
    assert (result.first_ml, result.second_ml, result.difference_ml) == pytest.approx((1.0, 1.0, 0.0))


def test_a_shift_within_the_tolerance_is_no_difference_of_surfaces() -> None:
    first, second = block((5, 5, 5), (10, 15, 15)), block((5, 6, 5), (10, 16, 15))
    assert surface_dice(first, second, SPACING, 1.0) == 1
    assert surface_dice(first, second, SPACING, 0.5) < 0.9
    assert surface_dice(first, block((15, 20, 20), (18, 25, 25)), SPACING, 1.0) == 0


def test_empty_masks() -> None:
    empty, filled = np.zeros((4, 4, 4), np.bool_), np.ones((4, 4, 4), np.bool_)
    for measure in (dice, lambda a, b: surface_dice(a, b, SPACING)):
        assert measure(empty, empty) == 1
        assert measure(empty, filled) == 0
        assert measure(filled, empty) == 0
        assert measure(filled, filled) == 1


def test_other_shapes_and_labelmaps_are_refused() -> None:
    with pytest.raises(ValueError, match="boolean masks"):
        dice(np.zeros((2, 2, 2), np.bool_), np.zeros((2, 2, 3), np.bool_))
    with pytest.raises(ValueError, match="boolean masks"):
        dice(np.zeros((2, 2, 2), np.uint8), np.zeros((2, 2, 2), np.uint8))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.1, 5))
def test_both_ways_round_it_is_the_same(seed: tuple[int, int, int], tolerance: Any) -> None:
    first, second = np.random.default_rng(seed).random((2, 6, 9, 9)) > 0.7
    assert dice(first, second) == dice(second, first)
    assert surface_dice(first, second, SPACING, tolerance) == surface_dice(second, first, SPACING, tolerance)
    assert 0 <= surface_dice(first, second, SPACING, tolerance) <= 1


def test_kappa() -> None:
    assert cohen_kappa("yyynn", "yynnn") == pytest.approx((0.8 - 0.48) / 0.52)
    assert cohen_kappa([1, 1], [1, 1]) == 1
    assert cohen_kappa([1, 2, 1, 2], [1, 1, 2, 2]) == pytest.approx(0)
    with pytest.raises(ValueError, match="kappa"):
        cohen_kappa([], [])
