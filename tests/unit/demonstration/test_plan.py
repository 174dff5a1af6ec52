"""The plan of the demonstration: who sends what, and how its reader differs from the truth."""

import numpy as np
import pytest

from annotation.demonstration.phantoms import phantom_of
from annotation.demonstration.plan import (
    BATCH_SIZE,
    FEWEST_SCANS,
    LABELLED_OF_EACH_SITE,
    SCANS,
    SEED_BEFORE_FIRST,
    SITES,
    labelled_of_each_site,
    list_deliveries,
    pseudonym_of,
    seed_of,
)
from annotation.demonstration.reading import EDGE_ERROR_MM, read_like_a_person
from mlservice.contract import GatePolicy
from mlservice.evaluate import LEAST_REFERENCE_VOXELS
from voxloop.embedded import asked

SPACING = (4.0, 1.8, 1.8)
SCORED = {pseudonym_of(SITES[2], number) for number in (1, 2, 5, 6, 7, 9)} | {
    pseudonym_of(SITES[3], number) for number in (2, 3, 5, 7, 8, 10)
}
EMPTY = {pseudonym_of(SITES[2], number) for number in (3, 8)} | {
    pseudonym_of(SITES[3], number) for number in (1, 4, 6, 9)
}


@pytest.mark.parametrize("scans", [FEWEST_SCANS, 9, 16, SCANS, 100])
def test_every_scan_is_sent_once(scans: int) -> None:
    subjects = [subject for delivery in list_deliveries(scans) for subject in delivery.pseudonyms]
    assert len(subjects) == len(set(subjects)) == scans
    assert len({seed_of(subject) for subject in subjects}) == scans


def test_the_scans_to_label_are_sent_first() -> None:
    first = list(list_deliveries(SCANS))[: len(SITES)]
    assert {delivery.site.code: len(delivery.numbers) for delivery in first} == LABELLED_OF_EACH_SITE
    assert SCANS - sum(LABELLED_OF_EACH_SITE.values()) >= BATCH_SIZE


@pytest.mark.parametrize("scans", range(FEWEST_SCANS, SCANS))
def test_a_small_demonstration_leaves_scans_to_be_read(scans: int) -> None:
    labelled = labelled_of_each_site(scans)
    assert min(labelled.values()) >= 1
    assert scans - sum(labelled.values()) >= scans // 4


def test_the_command_tells_the_sizes_of_the_plan() -> None:
    assert (asked.SCANS, asked.FEWEST_SCANS) == (SCANS, FEWEST_SCANS)


def test_two_sites_are_held_out() -> None:
    assert [site.split for site in SITES] == ["train", "train", "validation", "validation"]


def test_a_whole_demonstration_labels_what_the_gate_asks_for() -> None:
    assert labelled_of_each_site(SCANS) == LABELLED_OF_EACH_SITE
    policy = GatePolicy()
    held_out = sum(LABELLED_OF_EACH_SITE[site.code] for site in SITES if site.split == "validation")
    # How many of them are scored and empty follows from their seeds: `SCORED` and `EMPTY` were counted once.
    assert len(SCORED) >= policy.least_scored
    assert len(EMPTY) >= policy.false_scans
    assert len(SCORED) + len(EMPTY) <= held_out


@pytest.mark.parametrize("pseudonym", ["PHANTOM-C-002", "PHANTOM-D-008", "PHANTOM-C-003", "PHANTOM-D-009"])
def test_held_out_phantoms_are_scored_or_empty(pseudonym: str) -> None:
    """The faintest of the scored ones, and an empty one, of each site."""
    phantom = phantom_of(pseudonym)
    read = read_like_a_person(phantom.findings_zyx, phantom.geometry.spacing_mm_zyx, seed_of(pseudonym))
    marked = np.count_nonzero(read)
    assert marked >= LEAST_REFERENCE_VOXELS if pseudonym in SCORED else marked == 0


def test_seeds_follow_from_the_pseudonym() -> None:
    assert seed_of(pseudonym_of(SITES[1], 12)) == SEED_BEFORE_FIRST["B"] + 12


def ball(radius: float = 12.0) -> np.ndarray:
    grid = np.ogrid[tuple(slice(0, n) for n in (24, 48, 48))]
    centre = (12, 24, 24)
    squares = (((axis - c) * step) ** 2 for axis, c, step in zip(grid, centre, SPACING, strict=True))
    return np.asarray(sum(squares) < radius**2).astype(np.uint8) * 4


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
