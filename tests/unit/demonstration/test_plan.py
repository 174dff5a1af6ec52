"""The plan of the demonstration: who sends what, and how its reader differs from the truth."""

import numpy as np
import pytest

from annotation.demonstration.plan import (
    BATCH_SIZE,
    FEWEST_SCANS,
    LABELLED_OF_EACH_SITE,
    SCANS,
    SEED_BEFORE_FIRST,
    SITES,
    list_deliveries,
    pseudonym_of,
    seed_of,
)
from annotation.demonstration.reading import EDGE_ERROR_MM, read_like_a_person

SPACING = (4.0, 1.8, 1.8)


@pytest.mark.parametrize("scans", [FEWEST_SCANS, 9, 16, SCANS, 100])
def test_every_scan_is_sent_once(scans: int) -> None:
    subjects = [subject for delivery in list_deliveries(scans) for subject in delivery.pseudonyms]
    assert len(subjects) == len(set(subjects)) == scans
    assert len({seed_of(subject) for subject in subjects}) == scans


def test_the_scans_to_label_are_sent_first() -> None:
    first = list(list_deliveries(SCANS))[: len(SITES)]
    assert {delivery.site.code: len(delivery.numbers) for delivery in first} == LABELLED_OF_EACH_SITE
    assert SCANS - sum(LABELLED_OF_EACH_SITE.values()) >= BATCH_SIZE


def test_sites_hold_one_out() -> None:
    assert [site.split for site in SITES] == ["train", "train", "validation"]


def test_seeds_follow_from_the_pseudonym() -> None:
    assert seed_of(pseudonym_of(SITES[1], 12)) == SEED_BEFORE_FIRST["B"] + 12


def ball(radius: float = 12.0) -> np.ndarray:
    grid = np.ogrid[tuple(slice(0, n) for n in (24, 48, 48))]
    centre = (12, 24, 24)
    squares = (((axis - c) * step) ** 2 for axis, c, step in zip(grid, centre, SPACING, strict=True))
    return (sum(squares) < radius**2).astype(np.uint8) * 4


def test_a_reader_is_right_but_for_the_edge() -> None:
    truth = ball()
    read = read_like_a_person(truth, SPACING, seed=5)
    assert set(np.unique(read)) == {0, 4}
    dice = 2 * np.count_nonzero((read > 0) & (truth > 0)) / (np.count_nonzero(read) + np.count_nonzero(truth))
    assert 0.75 < dice < 1.0
    # Nothing is changed further from the edge than a few standard deviations.
    inner, outer = ball(12 - 5 * EDGE_ERROR_MM), ball(12 + 5 * EDGE_ERROR_MM)
    assert (read[inner > 0] == 4).all()
    assert not read[outer == 0].any()


def test_a_reader_is_the_same_every_time_and_marks_nothing_in_an_empty_scan() -> None:
    assert np.array_equal(read_like_a_person(ball(), SPACING, 5), read_like_a_person(ball(), SPACING, 5))
    assert not np.array_equal(read_like_a_person(ball(), SPACING, 5), read_like_a_person(ball(), SPACING, 6))
    empty = np.zeros((8, 8, 8), np.uint8)
    assert not read_like_a_person(empty, SPACING, 5).any()
