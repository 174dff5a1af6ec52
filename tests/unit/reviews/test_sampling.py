"""What a sample proves: against SciPy's hypergeometric distribution, the known figures, and by simulation."""

from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from annotation.reviews.certificates import order_of
from annotation.reviews.sampling import chance_of, confidence_of, most_bad, sample_for


@given(st.integers(1, 120), st.data())
def test_the_chance_is_that_of_scipy(scans: int, data: st.DataObject) -> None:
    bad = data.draw(st.integers(0, scans))
    sample = data.draw(st.integers(0, scans))
    found = data.draw(st.integers(0, sample))
    ours = float(chance_of(scans, bad, sample, found))
    assert ours == pytest.approx(float(stats.hypergeom.cdf(found, scans, bad, sample)), rel=1e-6, abs=1e-12)


def test_the_sizes_that_exclude_five_of_fifty() -> None:
    assert [sample_for(50, 5, confidence) for confidence in (0.8, 0.9, 0.95)] == [14, 18, 22]
    for size, confidence in ((14, 0.8), (18, 0.9), (22, 0.95)):
        assert confidence_of(50, size, 5) >= confidence > confidence_of(50, size - 1, 5)
        assert confidence_of(50, size, 5) == pytest.approx(1 - float(stats.hypergeom.pmf(0, 50, 5, size)), rel=1e-9)


def test_the_ends() -> None:
    assert sample_for(1, 1, 0.95) == 1
    assert sample_for(20, 1, 0.95) == 19  # 18 leave a chance of one in ten
    assert confidence_of(20, 20, 1) == 1.0
    assert confidence_of(10, 3, 11) == 1.0
    assert most_bad(50, 50, 3, 0.95) == 3


@given(st.integers(2, 80), st.data())
def test_more_bad_ones_are_excluded_and_fewer_are_not(scans: int, data: st.DataObject) -> None:
    sample = data.draw(st.integers(1, scans))
    found = data.draw(st.integers(0, sample))
    most = most_bad(scans, sample, found, 0.9)
    if most < scans - sample + found:
        assert stats.hypergeom.cdf(found, scans, most + 1, sample) <= 0.1 + 1e-12
    if most > found:
        assert stats.hypergeom.cdf(found, scans, most, sample) > 0.1 - 1e-12


def test_a_simulated_campaign_keeps_the_confidence() -> None:
    """Of 20,000 batches with five bad scans as many have a clean sample of 18 as the distribution says."""
    rng = np.random.default_rng(4)
    clean = np.mean([not (rng.permutation(50)[:18] < 5).any() for _ in range(20_000)])
    exact = 1 - confidence_of(50, 18, 5)
    assert exact == pytest.approx(float(clean), abs=4 * (exact * (1 - exact) / 20_000) ** 0.5)
    # The bound from what was found covers the truth at least as often as it says.
    covered = [most_bad(50, 18, int((rng.permutation(50)[:18] < 5).sum()), 0.9) >= 5 for _ in range(4_000)]
    assert np.mean(covered) >= 0.9


def test_the_draw_gives_every_scan_the_same_chance() -> None:
    rounds = [UUID(int=number) for number in range(50)]
    counts = dict.fromkeys(rounds, 0)
    for seed in range(3_000):
        for one in order_of(f"{seed:032x}", rounds)[:14]:
            counts[one] += 1
    assert stats.chisquare(list(counts.values())).pvalue > 0.001
    assert order_of("ab", rounds) == order_of("ab", reversed(rounds))
