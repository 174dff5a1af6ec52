"""Intervals, and the rule that says when more masks do not help."""

import numpy as np
import pytest
from scipy import stats

from annotation.learning.estimates import difference_of, line_through, mean_of
from annotation.learning.gains import Advice, judge_curve


def test_intervals_are_those_of_student_and_welch() -> None:
    random = np.random.default_rng(1)
    first, second = list(random.normal(8, 3, 12)), list(random.normal(5, 1, 40))
    mean = mean_of(first)
    assert mean is not None
    low, high = stats.t.interval(0.95, 11, np.mean(first), stats.sem(first))
    assert (mean.low, mean.high) == pytest.approx((low, high))
    found = difference_of(first, second)
    assert found is not None
    wanted = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high))
    assert found.is_shown
    assert found.times(2).high == pytest.approx(2 * wanted.high)


def test_too_little_has_no_interval() -> None:
    assert mean_of([]) is None
    assert difference_of([1.0], []) is None
    assert mean_of([3.0]) is not None
    one = difference_of([3.0], [1.0, 2.0])
    assert one is not None
    assert (one.value, one.low, one.is_shown) == (1.5, None, False)
    same = difference_of([2.0, 2.0], [1.0, 1.0])
    assert same is not None
    assert (same.low, same.high) == (1.0, 1.0)
    assert line_through([(8, 0.5), (16, 0.6), (32, 0.7)]) is None
    assert line_through([(8, 0.5), (8, 0.6), (8, 0.55), (16, 0.6)]) is None


def test_the_line_is_least_squares() -> None:
    points = [(8.0, 0.41), (16.0, 0.52), (32.0, 0.58), (64.0, 0.7), (96.0, 0.71)]
    line = line_through(points)
    assert line is not None
    wanted = stats.linregress(np.log2([masks for masks, _ in points]), [dice for _, dice in points])
    assert (line.slope, line.start, line.slope_error) == pytest.approx((wanted.slope, wanted.intercept, wanted.stderr))
    gain = line.gain(96, 96)
    assert gain.value == pytest.approx(wanted.slope)
    assert gain.high == pytest.approx(wanted.slope + stats.t.ppf(0.95, 3) * wanted.stderr)


def test_what_the_rule_says() -> None:
    def judged(values: list[tuple[int, float]], more: int = 150) -> Advice:
        return judge_curve([(masks, dice, f"m{n}") for n, (masks, dice) in enumerate(values)], more).advice

    assert judged([(10, 0.4), (20, 0.5)]) == Advice.TOO_FEW
    assert judged([(50, 0.50), (100, 0.601), (200, 0.699), (400, 0.80)]) == Advice.GO_ON
    assert judged([(400, 0.800), (500, 0.8005), (600, 0.8001), (700, 0.8008)]) == Advice.STOP
    assert judged([(50, 0.5), (100, 0.7), (200, 0.55), (400, 0.68)]) == Advice.UNCLEAR


def stops_at(gain: float, *, trials: int = 400) -> float:
    """How often the rule says stop where three more batches would bring so much, with noise of .02 on each Dice."""
    random = np.random.default_rng(7)
    masks = [50, 100, 150, 200, 250, 300]
    slope = gain / np.log2((300 + 150) / 300)
    stops = 0
    for _ in range(trials):
        points = [(n, 0.5 + slope * np.log2(n / 50) + random.normal(0, 0.02), "m") for n in masks]
        stops += judge_curve(points, 150).advice == Advice.STOP
    return stops / trials


def test_it_seldom_stops_too_early() -> None:
    assert stops_at(0.02) <= 0.01
    assert stops_at(0.01) <= 0.09  # 5 % and the chance of 400 trials
    assert stops_at(0.0) >= 0.35
