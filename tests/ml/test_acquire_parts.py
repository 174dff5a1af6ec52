"""Parts of the choice of the next scans: turns of sites and extents, cluster centres, embeddings."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlservice.choosing import Turns, choose, extent_class
from mlservice.clusters import k_means, near_middles
from mlservice.contract import AcquireRequest, AcquireScan
from mlservice.embedding import embed


@pytest.mark.parametrize(
    ("sizes", "places", "expected"),
    [
        ({"A": 10, "B": 10}, 10, {"A": 5, "B": 5}),
        ({"A": 90, "B": 10}, 10, {"A": 7, "B": 3}),
        ({"A": 99, "B": 1}, 10, {"A": 9, "B": 1}),
        ({"A": 2, "B": 1}, 10, {"A": 2, "B": 1}),
        ({"A": 5}, 0, {}),
    ],
)
def test_a_batch_is_shared_half_evenly_half_by_size(
    sizes: dict[str, int], places: int, expected: dict[str, int]
) -> None:
    turns = Turns(sizes)
    found = Counter(name for _ in range(places) if (name := turns.next()) is not None)
    assert found == expected


@given(
    st.dictionaries(st.sampled_from("ABCD"), st.integers(0, 20), min_size=1),
    st.dictionaries(st.sampled_from("ABCD"), st.integers(0, 20)),
)
def test_everybody_comes_once_whoever_came_before(sizes: dict[str, int], given_before: dict[str, int]) -> None:
    turns = Turns(sizes, given_before)
    found = Counter(iter(turns.next, None))
    assert found == {name: size for name, size in sizes.items() if size}


@pytest.mark.parametrize(
    ("extent_ml", "expected"), [(None, "none"), (0.99, "none"), (1.0, "small"), (49.0, "small"), (50.0, "large")]
)
def test_extents_fall_into_three_classes(extent_ml: float | None, expected: str) -> None:
    assert extent_class(extent_ml) == expected


def test_k_means_finds_the_middles() -> None:
    points = np.array([[0.0], [0.2], [10.0], [10.2], [20.0], [20.2], [20.1]])
    middles = k_means(points, 3, np.random.default_rng(0))
    assert sorted(middles.ravel()) == pytest.approx([0.1, 10.1, 20.1])
    assert near_middles(points, 3, np.random.default_rng(0))[0] == 6  # of the largest cluster, the one in its middle


def test_as_many_middles_as_points_that_are_all_the_same() -> None:
    same = np.ones((4, 2))
    assert np.array_equal(k_means(same, 3, np.random.default_rng(0)), np.ones((3, 2)))
    assert k_means(same, 0, np.random.default_rng(0)).shape == (0, 2)
    assert len(set(near_middles(same, 4, np.random.default_rng(0)))) == 4


def test_a_scan_that_no_model_saw_counts_as_rather_unsure() -> None:
    scans = (
        AcquireScan("sure", "A", (0.0,), uncertainty=0.001),
        AcquireScan("unsure", "A", (0.0,), uncertainty=0.9),
        AcquireScan("new", "A", (0.0,)),
    )
    for strategy in ("hybrid", "entropy"):
        order = choose(AcquireRequest(scans, 1, seed=1, round=50, random_share=0.0))[strategy]
        assert [place.id for place in order] == ["unsure", "new", "sure"]
        assert [place.surer is None for place in order] == [False, True, False]


def test_an_embedding_tells_air_from_tissue_and_does_not_mind_the_size() -> None:
    air, tissue = np.full((4, 40, 40), -1000, np.int16), np.full((4, 40, 40), 40, np.int16)
    assert np.abs(embed(air) - embed(tissue)).max() > 0.5
    assert embed(np.full((130, 200, 70), -1000, np.int16)) == pytest.approx(embed(air))
    assert embed(np.full((1, 3, 2), -1000, np.int16)).shape == (160,)
