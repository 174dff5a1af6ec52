"""What became of a model's lesions, from masks alone; and which of them the strokes of a save accept."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.masks.strokes import MOST_ACCEPTED, accepted_after
from voxloop.volume.labelmap import ERASED
from voxloop.volume.proposals import Fate, Fates, fates, judge_lesions

SHAPE = (12, 30, 40)
CASES = json.loads((Path(__file__).parents[1] / "vectors" / "accepted.json").read_text())["cases"]


def cubes(*cubes: tuple[int, int, int, int, int]) -> np.ndarray:
    """Cubes of (z, y, x, side, label)."""
    labels = np.zeros(SHAPE, np.uint8)
    for z, y, x, side, label in cubes:
        labels[z : z + side, y : y + side, x : x + side] = label
    return labels


FOUR = ((1, 1, 1, 4, 1), (1, 10, 1, 4, 1), (1, 1, 20, 4, 2), (6, 20, 30, 4, 1))


def test_each_lesion_has_one_fate_and_what_overlaps_none_is_new() -> None:
    labels = cubes(*FOUR)
    labels[1:5, 10:14, 1:5] = ERASED  # dropped
    labels[1, 1, 20] = 0  # changed
    labels[8:10, 1:3, 30:32] = 3  # new
    assert fates(cubes(*FOUR), labels, [(2, 2, 2)]) == Fates(accepted=1, changed=1, dropped=1, left=1, new=1)


def test_each_lesion_is_told_with_its_voxels_the_largest_first() -> None:
    proposed = cubes((1, 1, 1, 4, 1), (1, 10, 1, 5, 1), (1, 1, 20, 3, 2))
    labels = proposed.copy()
    labels[5, 1:5, 1:5] = 1  # the first grew by 16 voxels, and the reader had grown it anew
    labels[1:4, 1:4, 20:23] = ERASED
    labels[8:10, 1:3, 30:32] = 3
    judged = judge_lesions(proposed, labels, [], [(2, 2, 2)])
    assert [(each.fate, each.proposed, each.kept, each.drawn) for each in judged] == [
        (Fate.LEFT, 125, 125, 125),
        (Fate.REGROWN, 64, 64, 80),
        (Fate.DROPPED, 27, 0, 0),
        (Fate.NEW, 0, 0, 8),
    ]
    for each, inside in zip(judged, (proposed, proposed, proposed, labels), strict=True):
        i, j, k = each.ijk
        assert inside[k, j, i] > 0


def test_what_grows_beyond_the_proposal_or_joins_two_is_changed() -> None:
    labels = cubes(*FOUR)
    labels[2, 2, 5:8] = 1  # a tail of the first
    assert fates(cubes(*FOUR), labels, []) == Fates(accepted=0, changed=1, dropped=0, left=3, new=0)
    labels[2, 5:10, 2] = 1  # and a bridge to the second
    assert fates(cubes(*FOUR), labels, []) == Fates(accepted=0, changed=2, dropped=0, left=2, new=0)


def test_accepting_counts_only_where_something_is_left_of_the_lesion() -> None:
    labels = cubes(*FOUR)
    labels[1:5, 1:5, 1:5] = 0
    said = [(2.0, 2.0, 2.0), (39.0, 29.0, 11.0), (-5.0, 90.0, 3.0)]  # the dropped one, healthy lung, outside
    assert fates(cubes(*FOUR), labels, said) == Fates(accepted=0, changed=0, dropped=1, left=3, new=0)


def test_nothing_proposed_and_nothing_drawn_is_an_answer() -> None:
    empty = np.zeros(SHAPE, np.uint8)
    assert fates(empty, empty, [(1, 1, 1)]) == Fates(0, 0, 0, 0, 0)
    assert fates(empty, cubes(*FOUR), []).new == 4
    assert fates(cubes(*FOUR), empty, []).dropped == 4
    assert fates(np.full(SHAPE, ERASED, np.uint8), empty, []) == Fates(0, 0, 0, 0, 0)


@settings(max_examples=40, deadline=None)
@given(st.randoms(use_true_random=False))
def test_every_proposed_lesion_is_counted_once(random: Any) -> None:
    rng = np.random.default_rng(random.randrange(1 << 30))
    proposed, labels = (
        (rng.random((4, 9, 9)) < 0.2).astype(np.uint8) * rng.integers(1, 3, (4, 9, 9), np.uint8) for _ in "ab"
    )
    at = [tuple(map(float, rng.integers(0, 9, 3))) for _ in range(3)]
    found = fates(proposed, labels, at)  # type: ignore[arg-type]
    parts = fates(proposed, np.zeros_like(proposed), []).dropped
    assert found.accepted + found.changed + found.dropped + found.left == parts
    assert fates(proposed, proposed, []) == Fates(0, 0, 0, parts, 0)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_strokes_say_what_is_accepted(case: dict[str, Any]) -> None:
    assert accepted_after(case["before"], case["strokes"]) == case["after"]
    # The list of before is another revision's: it stays as it was.
    assert accepted_after(case["before"], []) == case["before"]


def test_a_line_of_work_keeps_no_endless_list() -> None:
    strokes = [{"id": str(n), "tool": "accept", "ijk": [n, 0, 0]} for n in range(MOST_ACCEPTED + 5)]
    assert next(row[0] for row in accepted_after([], strokes)) == "5"
    # A stroke of an old or foreign program without a position, or with odd parameters, accepts nothing.
    assert accepted_after([], [{"id": "a", "tool": "accept"}, {"id": "b", "tool": "undo", "params": {"of": [1]}}]) == []
