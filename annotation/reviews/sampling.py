"""What a random sample of a batch proves, by the hypergeometric distribution. Exact: fractions of whole numbers.

Of `scans` scans of which `bad` are bad, `sample` are drawn without putting back; `found` of them turn out to be bad."""

from fractions import Fraction
from math import comb


def chance_of(scans: int, bad: int, sample: int, found: int) -> Fraction:
    """The chance to find at most `found` bad ones."""
    ways = sum(comb(bad, k) * comb(scans - bad, sample - k) for k in range(min(found, bad, sample) + 1))
    return Fraction(ways, comb(scans, sample))


def confidence_of(scans: int, sample: int, excluded: int, found: int = 0) -> float:
    """With which confidence (0 … 1) fewer than `excluded` are bad after `found` were found: the chance to have found
    more, had it been `excluded`."""
    return float(1 - chance_of(scans, excluded, sample, found)) if excluded <= scans else 1.0


def sample_for(scans: int, excluded: int, confidence: float) -> int:
    """The least sample that, without a bad one, proves with this confidence that fewer than `excluded` are bad."""
    return next(n for n in range(scans + 1) if confidence_of(scans, n, excluded) >= confidence or n == scans)


def most_bad(scans: int, sample: int, found: int, confidence: float) -> int:
    """The most bad ones that the sample does not exclude with this confidence: the upper end of an interval."""
    return max(
        bad
        for bad in range(found, scans - sample + found + 1)
        if confidence_of(scans, sample, bad, found) < confidence or bad == found
    )
