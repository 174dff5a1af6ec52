"""Means, differences and slopes with 95 % intervals by Student's t, of few and unequal samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

SHOWN = 0.95  # of two-sided intervals
LEAST_POINTS = 4  # of a line that is extended
LOG2 = math.log(2)


@dataclass(frozen=True)
class Estimate:
    """A figure and its interval; `low` and `high` are None where too little was measured."""

    count: int
    value: float
    low: float | None = None
    high: float | None = None

    @property
    def is_shown(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)

    def times(self, factor: float) -> Estimate:
        """The same for a multiple, which is not negative."""
        low, high = ((None if end is None else end * factor) for end in (self.low, self.high))
        return Estimate(self.count, self.value * factor, low, high)


def mean_of(values: Sequence[float]) -> Estimate | None:
    """The mean; None for nothing."""
    if not values:
        return None
    mean = float(np.mean(values))
    if len(values) < 2:
        return Estimate(len(values), mean)
    reach = float(stdtrit(len(values) - 1, (1 + SHOWN) / 2) * np.std(values, ddof=1) / math.sqrt(len(values)))
    return Estimate(len(values), mean, mean - reach, mean + reach)


def difference_of(first: Sequence[float], second: Sequence[float]) -> Estimate | None:
    """Mean of the first minus mean of the second (Welch: variances may differ). None where one is empty; `count` is
    that of the smaller."""
    if not first or not second:
        return None
    mean, count = float(np.mean(first) - np.mean(second)), min(len(first), len(second))
    if count < 2:
        return Estimate(count, mean)
    parts = [float(np.var(values, ddof=1)) / len(values) for values in (first, second)]
    error = math.sqrt(sum(parts))
    if error == 0:
        return Estimate(count, mean, mean, mean)
    freedom = sum(parts) ** 2 / sum(
        part**2 / (len(values) - 1) for part, values in zip(parts, (first, second), strict=True)
    )
    reach = float(stdtrit(freedom, (1 + SHOWN) / 2)) * error
    return Estimate(count, mean, mean - reach, mean + reach)


@dataclass(frozen=True)
class Line:
    """Dice against the logarithm of the number of masks: `value` at `n` masks is `start + slope * log2(n)`."""

    points: int
    start: float
    slope: float
    slope_error: float

    def at(self, masks: float) -> float:
        return self.start + self.slope * math.log(masks) / LOG2

    def gain(self, masks: float, more: float) -> Estimate:
        """What `more` masks would add; the interval is one-sided 95 % at either end."""
        doublings = math.log((masks + more) / masks) / LOG2
        reach = float(stdtrit(self.points - 2, SHOWN)) * self.slope_error
        return Estimate(
            self.points, self.slope * doublings, (self.slope - reach) * doublings, (self.slope + reach) * doublings
        )


def line_through(points: Sequence[tuple[float, float]]) -> Line | None:
    """Least squares through (masks, Dice); None for fewer than four points or three different numbers of masks."""
    if len(points) < LEAST_POINTS or len({masks for masks, _ in points}) < LEAST_POINTS - 1:
        return None
    x = np.log2([masks for masks, _ in points])
    y = np.array([value for _, value in points])
    spread = float(np.square(x - x.mean()).sum())
    slope = float(((x - x.mean()) * (y - y.mean())).sum()) / spread
    start = float(y.mean() - slope * x.mean())
    rest = float(np.square(y - start - slope * x).sum()) / (len(points) - 2)
    return Line(len(points), start, slope, math.sqrt(rest / spread))
