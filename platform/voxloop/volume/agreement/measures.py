"""Agreement on a measured quantity, such as the volume of all opacities."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, fdtri, ndtri, stdtrit


@dataclass(frozen=True)
class Interval:
    """A value with the ends of its confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class BlandAltman:
    """Differences first − second: their mean, and the limits that hold 95 % of them, each with its 95 % interval."""

    scans: int
    bias: Interval
    lower: Interval
    upper: Interval


@dataclass(frozen=True)
class _Variance:
    """Mean squares of a two-way table: between scans, between readers, and what is left."""

    scans: int
    readers: int
    ms_scans: float
    ms_readers: float
    ms_left: float


def share_of(hits: int, trials: int, confidence: float = 0.95) -> Interval:
    """A share with its exact interval (Clopper and Pearson 1934). Raises ValueError for no trial, or more hits."""
    if not 0 <= hits <= trials or not trials:
        raise ValueError("a share needs trials, and no more hits than those")
    tail = (1 - confidence) / 2
    low = float(betaincinv(hits, trials - hits + 1, tail)) if hits else 0.0
    high = float(betaincinv(hits + 1, trials - hits, 1 - tail)) if hits < trials else 1.0
    return Interval(hits / trials, low, high)


def icc_a1(values: npt.ArrayLike, confidence: float = 0.95) -> Interval:
    """ICC(2,1) of Shrout and Fleiss, ICC(A,1) of McGraw and Wong: one reading, absolute agreement, readers at random.

    `values[scan, reader]`, complete. Readers who agree in all of different scans have 1. Raises ValueError for fewer
    than two scans or readers, for missing values and where all values are equal."""
    of = _analyse(values)
    n, k = of.scans, of.readers
    value = (of.ms_scans - of.ms_left) / (of.ms_scans + (k - 1) * of.ms_left + k * (of.ms_readers - of.ms_left) / n)
    if of.ms_left == 0:
        if of.ms_readers == 0:
            return Interval(1.0, 1.0, 1.0)
        raise ValueError("the readers differ by one and the same amount; absolute agreement has no interval then")
    ratio = of.ms_readers / of.ms_left
    top = (k - 1) * (n - 1) * (k * value * ratio + n * (1 + (k - 1) * value) - k * value) ** 2
    bottom = (n - 1) * k**2 * value**2 * ratio**2 + (n * (1 + (k - 1) * value) - k * value) ** 2
    freedom = top / bottom
    tail = 1 - (1 - confidence) / 2
    up, down = fdtri(n - 1, freedom, tail), fdtri(freedom, n - 1, tail)
    spread = k * of.ms_readers + (k * n - k - n) * of.ms_left
    low = n * (of.ms_scans - up * of.ms_left) / (up * spread + n * of.ms_scans)
    high = n * (down * of.ms_scans - of.ms_left) / (spread + n * down * of.ms_scans)
    return Interval(float(value), float(low), float(high))


def icc_c1(values: npt.ArrayLike, confidence: float = 0.95) -> Interval:
    """ICC(3,1) of Shrout and Fleiss, ICC(C,1) of McGraw and Wong: one reading, consistency, these readers. A reader who
    always measures the same amount more does not lower it. Otherwise as `icc_a1`."""
    of = _analyse(values)
    n, k = of.scans, of.readers
    if of.ms_left == 0:
        return Interval(1.0, 1.0, 1.0)
    ratio = of.ms_scans / of.ms_left
    tail = 1 - (1 - confidence) / 2
    low = ratio / fdtri(n - 1, (n - 1) * (k - 1), tail)
    high = ratio * fdtri((n - 1) * (k - 1), n - 1, tail)
    value, low, high = ((f - 1) / (f + k - 1) for f in (ratio, float(low), float(high)))
    return Interval(float(value), low, high)


def bland_altman(first: npt.ArrayLike, second: npt.ArrayLike, *, by_root: bool = False) -> BlandAltman:
    """Bland-Altman's bias and limits of agreement (mean ± 1.96 SD) of two readers; intervals by Student's t, that of a
    limit with the standard error of Bland and Altman 1999, SD √(1/n + 1.96² / (2 (n − 1))).

    `by_root`: of the square roots, as volumes of lesions differ the more the larger they are (`yoo2020`). Raises
    ValueError for fewer than three pairs, for values that are not finite, and for roots of negative ones."""
    one, two = (np.asarray(values, np.float64) for values in (first, second))
    if one.shape != two.shape or one.ndim != 1 or one.size < 3:
        raise ValueError("Bland-Altman needs two equally long lists of at least three values")
    if not (np.isfinite(one).all() and np.isfinite(two).all()):
        raise ValueError("Bland-Altman needs finite values")
    if by_root:
        if one.min() < 0 or two.min() < 0:
            raise ValueError("a negative value has no square root")
        one, two = np.sqrt(one), np.sqrt(two)
    n, z = one.size, float(ndtri(0.975))
    apart = one - two
    bias, sd = float(apart.mean()), float(apart.std(ddof=1))
    t = float(stdtrit(n - 1, 0.975))
    of_bias, of_limit = t * sd / math.sqrt(n), t * sd * math.sqrt(1 / n + z**2 / (2 * (n - 1)))
    lower, upper = bias - z * sd, bias + z * sd
    return BlandAltman(
        n,
        Interval(bias, bias - of_bias, bias + of_bias),
        Interval(lower, lower - of_limit, lower + of_limit),
        Interval(upper, upper - of_limit, upper + of_limit),
    )


def _analyse(values: npt.ArrayLike) -> _Variance:
    """Two-way analysis of variance without repetition."""
    table = np.asarray(values, np.float64)
    if table.ndim != 2 or min(table.shape) < 2:
        raise ValueError("an intraclass correlation needs two scans and two readers at least")
    if not np.isfinite(table).all():
        raise ValueError("an intraclass correlation needs a value of every reader for every scan")
    if (table == table.flat[0]).all():
        raise ValueError("all values are equal: there is nothing to tell scans apart by")
    n, k = table.shape
    table = table - table.mean()
    by_scan, by_reader = table.mean(1), table.mean(0)
    left = table - by_scan[:, None] - by_reader[None, :]
    squares = float((left**2).sum())
    # What rounding leaves of nothing is nothing.
    squares = 0.0 if squares <= 1e-24 * float((table**2).sum()) else squares
    between = float((by_reader**2).sum()) * n / (k - 1)
    return _Variance(n, k, float((by_scan**2).sum()) * k / (n - 1), between, squares / ((n - 1) * (k - 1)))
