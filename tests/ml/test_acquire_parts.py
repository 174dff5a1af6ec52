"""Parts of the choice of the next scans: shares of sites and extents, cluster centres, the ranking, embeddings."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlservice.acquire import _extent_class, _pick_diverse, _quotas, _ranking, choose, k_means
from mlservice.contract import AcquireRequest, AcquireScan
from mlservice.embedding import embed


@pytest.mark.parametrize(
    ("sizes", "size", "expected"),
    [
        ({"A": 10, "B": 10}, 10, {"A": 5, "B": 5}),
        ({"A": 90, "B": 10}, 10, {"A": 7, "B": 3}),
        ({"A": 99, "B": 1}, 10, {"A": 9, "B": 1}),
        ({"A": 2, "B": 1}, 10, {"A": 2, "B": 1}),
        ({"A": 5}, 0, {}),
    ],
)
def test_a_batch_is_shared_half_evenly_half_by_size(sizes: Any, size: int, expected: Any) -> None:
    names = [name for name, count in sizes.items() for _ in range(count)]
    found = _quotas(range(len(names)), lambda n: names[n], size)
    assert {names[members[0]]: quota for members, quota in found} == expected


@given(st.lists(st.sampled_from("ABCD"), min_size=1, max_size=60), st.integers(0, 60))
def test_quotas_fill_a_batch_and_take_no_more_than_there_is(names: list[str], size: int) -> None:
    found = _quotas(range(len(names)), lambda n: names[n], size)
    assert sum(quota for _, quota in found) == min(size, len(names))
    assert all(0 < quota <= len(members) for members, quota in found)


@pytest.mark.parametrize(("extent_ml", "expected"), [(None, "0"), (0.99, "0"), (1.0, "1"), (49.0, "1"), (50.0, "2")])
def test_extents_fall_into_three_classes(extent_ml: Any, expected: str) -> None:
    assert _extent_class(AcquireScan("s", "A", "f", extent_ml=extent_ml)) == expected


def test_as_many_middles_as_points_that_are_all_the_same() -> None:
    same = np.ones((4, 2))
    assert np.array_equal(k_means(same, 3, np.random.default_rng(0)), np.ones((3, 2)))
    assert k_means(same, 0, np.random.default_rng(0)).shape == (0, 2)


def test_scans_that_look_the_same_are_chosen_once_each() -> None:
    scans = [AcquireScan(f"s{n}", "A", "f") for n in range(6)]
    picked = _pick_diverse(scans, np.zeros((6, 3)), 4, np.random.default_rng(0))
    assert len(set(picked)) == 4


def test_the_ranking_puts_the_batch_first_and_the_others_by_value() -> None:
    scans = [AcquireScan(f"s{n}", "A", "f") for n in range(5)]
    found = _ranking(scans, np.array([0.1, 0.9, 0.5, 0.3, 0.7]), [2, 0], np.random.default_rng(0))
    assert sorted(found, key=lambda name: -found[name]) == ["s2", "s0", "s1", "s4", "s3"]
    assert all(1 < found[name] <= 2 for name in ("s2", "s0"))
    assert all(0 < found[name] < 1 for name in ("s1", "s3", "s4"))


def test_a_scan_that_no_model_saw_counts_as_rather_unsure() -> None:
    scans = (
        AcquireScan("sure", "A", "f", uncertainty=0.001),
        AcquireScan("unsure", "A", "f", uncertainty=0.9),
        AcquireScan("new", "A", "f"),
    )
    result = choose(AcquireRequest(scans, 1, seed=1, round=50, random_share=0.0), np.zeros((3, 1)))
    assert [choice.id for choice in result.choices] == ["unsure"]
    assert result.scores["unsure"] > result.scores["new"] > result.scores["sure"]


def test_an_embedding_tells_air_from_tissue_and_does_not_mind_the_size() -> None:
    air, tissue = np.full((4, 40, 40), -1000, np.int16), np.full((4, 40, 40), 40, np.int16)
    assert np.abs(embed(air) - embed(tissue)).max() > 0.5
    assert embed(np.full((130, 200, 70), -1000, np.int16)) == pytest.approx(embed(air))
    assert embed(np.full((1, 3, 2), -1000, np.int16)).shape == (160,)
