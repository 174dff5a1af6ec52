"""The gate as a table of cases, and the figures under it."""

import numpy as np
import pytest

from mlservice.contract import ScanRef, ScanScore
from mlservice.evaluate import compare, score_scan, summarise
from mlservice.gate import judge


def scan(site, dice, *, empty_ml=None, name=None):
    """A score; `empty_ml` makes it an empty scan with that much predicted."""
    reference = 0 if empty_ml is not None else 5000
    return ScanScore(
        id=name or f"{site}-{dice}-{empty_ml}",
        site=site,
        dice=dice,
        reference_voxels=reference,
        reference_ml=reference / 100,
        predicted_ml=empty_ml if empty_ml is not None else 40.0,
        false_positive_ml=empty_ml or 3.0,
    )


def model(*scores):
    return summarise(tuple(scores))


CASES = {
    "better everywhere": (
        model(scan("A", 0.8), scan("B", 0.7), scan("B", None, empty_ml=1.0)),
        model(scan("A", 0.7), scan("B", 0.6), scan("B", None, empty_ml=2.0)),
        set(),
    ),
    "the same": (model(scan("A", 0.7)), model(scan("A", 0.7)), set()),
    "mean lower by a hair": (model(scan("A", 0.699)), model(scan("A", 0.7)), {"mean_dice"}),
    "one site loses 0.019": (
        model(scan("A", 0.9), scan("B", 0.681)),
        model(scan("A", 0.7), scan("B", 0.7)),
        set(),
    ),
    "one site loses 0.02": (model(scan("A", 0.9), scan("B", 0.68)), model(scan("A", 0.7), scan("B", 0.7)), set()),
    "one site loses 0.03": (
        model(scan("A", 0.9), scan("B", 0.67)),
        model(scan("A", 0.7), scan("B", 0.7)),
        {"sites"},
    ),
    "more false positives": (
        model(scan("A", 0.8), scan("A", None, empty_ml=2.1)),
        model(scan("A", 0.7), scan("A", None, empty_ml=2.0)),
        {"false_positives"},
    ),
    "all three": (
        model(scan("A", 0.5), scan("A", None, empty_ml=9.0)),
        model(scan("A", 0.7), scan("A", None, empty_ml=2.0)),
        {"mean_dice", "sites", "false_positives"},
    ),
    "no champion": (model(scan("A", 0.4)), None, set()),
    "nothing measured": (model(scan("A", None, empty_ml=0.0)), None, {"measured"}),
    "no hold-out": (model(), None, {"measured"}),
}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_gate(case):
    challenger, champion, broken = CASES[case]
    gate = judge(challenger, champion)
    assert {rule.key for rule in gate.rules if not rule.holds} == broken
    assert gate.holds == (not broken)
    assert [rule.key for rule in gate.rules] == ["measured", "mean_dice", "sites", "false_positives"]
    assert all(rule.sentence.endswith(".") for rule in gate.rules)


def test_a_rule_carries_the_numbers_it_compared():
    rules = {rule.key: rule for rule in judge(*CASES["one site loses 0.03"][:2]).rules}
    assert (rules["sites"].challenger, rules["sites"].champion) == (0.67, 0.7)
    assert "Site B loses 0.030" in rules["sites"].sentence


def test_dice_is_left_out_below_a_thousand_reference_voxels():
    place = ScanRef("s", "A", "f", (1.0, 1.0, 1.0))
    reference = np.zeros((10, 20, 20), np.uint8)
    reference.reshape(-1)[:1020] = 1
    predicted = reference.copy()
    predicted[9] = 4
    small = reference.copy()
    small.reshape(-1)[999:] = 0
    big = score_scan(place, reference, predicted, (1, 4))
    size = 1020
    assert big.dice == pytest.approx(2 * size / (2 * size + 400))
    assert big.false_positive_ml == pytest.approx(0.4)
    assert big.reference_ml == pytest.approx(size / 1000)
    assert score_scan(place, small, predicted, (1, 4)).dice is None


def test_a_segment_that_is_no_finding_does_not_count():
    place = ScanRef("s", "A", "f", (1.0, 1.0, 1.0))
    labels = np.full((10, 20, 20), 7, np.uint8)
    assert score_scan(place, labels, labels, (1,)).reference_voxels == 0


def test_the_bootstrap_is_paired_and_repeatable():
    before = model(*(scan("A", 0.3 + 0.05 * n, name=str(n)) for n in range(8)))
    after = model(*(scan("A", 0.35 + 0.05 * n, name=str(n)) for n in range(8)))
    interval = compare(after, before, 500, seed=1)
    # Scans differ widely, the gain on each does not: only pairing makes the interval narrow.
    assert interval.mean == pytest.approx(0.05)
    assert interval.high - interval.low < 1e-6
    assert compare(after, before, 500, seed=1) == interval
    assert compare(model(), model(), 10, seed=1) is None
