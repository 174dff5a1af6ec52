"""The gate as a table of cases, its figures, and its limits."""

from typing import Any

import numpy as np
import pytest

from mlservice.cases import choose_worst, draw_case, outline
from mlservice.contract import GatePolicy, Outcome, ScanRef, ScanScore, Verdict
from mlservice.evaluate import score_scan, summarise
from mlservice.gate import judge
from mlservice.lesions import measure_lesions
from mlservice.student import at_least, two_sided
from voxloop.child import ContractError

POLICY = GatePolicy()
HOLDS, FAILS, UNCLEAR, NOTHING = Outcome.HOLDS, Outcome.FAILS, Outcome.UNCLEAR, Outcome.NOTHING
KEYS = ["measured", "mean_dice", "sites", "false_positives"]


def model(empty_ml: tuple[float, ...] = (), **sites: list[float]) -> Any:
    """Scores by site, and mL marked on empty scans of site a."""
    scored = [
        ScanScore(f"{site}-{number}", site, dice, 5000, 50.0, 40.0, 3.0)
        for site, dices in sites.items()
        for number, dice in enumerate(dices)
    ]
    empty = [ScanScore(f"empty-{number}", "a", None, 0, 0.0, ml, ml) for number, ml in enumerate(empty_ml)]
    return summarise((*scored, *empty))


def spread(mean: float, count: int = 12, step: float = 0.01) -> list[float]:
    """Values with that mean that differ, so that nothing is shown by accident."""
    return [mean + step * (number - (count - 1) / 2) for number in range(count)]


def wavy(mean: float, count: int = 12, wide: float = 0.05) -> list[float]:
    """As `spread`, above and below in turn: gains against `spread` have a spread of their own."""
    return [value + wide * (-1) ** number for number, value in enumerate(spread(mean, count))]


CASES: dict[str, tuple[Any, Any, tuple[Verdict, list[Outcome]]]] = {
    "better everywhere": (
        model((1.0,) * 5, a=spread(0.8), b=spread(0.7)),
        model((2.0,) * 5, a=spread(0.7), b=spread(0.6)),
        (Verdict.PROMOTE, [HOLDS, HOLDS, HOLDS, HOLDS]),
    ),
    "the same": (model(a=spread(0.7)), model(a=spread(0.7)), (Verdict.PROMOTE, [HOLDS, HOLDS, HOLDS, NOTHING])),
    "lower by less than the margin": (
        model(a=spread(0.69)),
        model(a=spread(0.70)),
        (Verdict.PROMOTE, [HOLDS, HOLDS, HOLDS, NOTHING]),
    ),
    "shown neither way": (
        model(a=wavy(0.7)),
        model(a=spread(0.7)),
        (Verdict.UNDECIDED, [HOLDS, UNCLEAR, HOLDS, NOTHING]),
    ),
    "shown to be worse": (
        model(a=spread(0.6)),
        model(a=spread(0.7)),
        (Verdict.HOLD_BACK, [HOLDS, FAILS, FAILS, NOTHING]),
    ),
    "one site lost, all gained": (
        model(a=spread(0.9), b=spread(0.67, 6)),
        model(a=spread(0.7), b=spread(0.70, 6)),
        (Verdict.HOLD_BACK, [HOLDS, HOLDS, FAILS, NOTHING]),
    ),
    "a site of five scans is not judged": (
        model(a=spread(0.9), b=spread(0.60, 5)),
        model(a=spread(0.7), b=spread(0.70, 5)),
        (Verdict.PROMOTE, [HOLDS, HOLDS, HOLDS, NOTHING]),
    ),
    "a site that lost, but not shown": (
        model(a=spread(0.9), b=wavy(0.67, 6, 0.2)),
        model(a=spread(0.7), b=spread(0.70, 6)),
        (Verdict.PROMOTE, [HOLDS, HOLDS, HOLDS, NOTHING]),
    ),
    "eleven scored scans": (
        model(a=spread(0.9, 11)),
        model(a=spread(0.7, 11)),
        (Verdict.UNDECIDED, [UNCLEAR, HOLDS, HOLDS, NOTHING]),
    ),
    "few scans, and worse: a person decides all the same": (
        model(a=spread(0.5, 8)),
        model(a=spread(0.7, 8)),
        (Verdict.UNDECIDED, [UNCLEAR, FAILS, FAILS, NOTHING]),
    ),
    "twice the false mL": (
        model((10.0, 20.0, 6.0, 9.0, 31.0), a=spread(0.8)),
        model((5.0, 11.0, 3.0, 4.0, 15.0), a=spread(0.7)),
        (Verdict.HOLD_BACK, [HOLDS, HOLDS, HOLDS, FAILS]),
    ),
    "ten times the false mL, below what matters": (
        model((1.9,) * 5, a=spread(0.8)),
        model((0.19,) * 5, a=spread(0.7)),
        (Verdict.PROMOTE, [HOLDS, HOLDS, HOLDS, HOLDS]),
    ),
    "four empty scans": (
        model((90.0,) * 4, a=spread(0.8)),
        model((5.0,) * 4, a=spread(0.7)),
        (Verdict.PROMOTE, [HOLDS, HOLDS, HOLDS, NOTHING]),
    ),
    "false mL by a fifth more": (
        model((12.0,) * 5, a=spread(0.8)),
        model((10.0,) * 5, a=spread(0.7)),
        (Verdict.PROMOTE, [HOLDS, HOLDS, HOLDS, HOLDS]),
    ),
    "the first, good enough": (
        model((1.0,), a=[0.5, 0.6, 0.7, 0.8, 0.9, 0.1]),
        None,
        (Verdict.PROMOTE, [HOLDS, HOLDS, NOTHING, NOTHING]),
    ),
    "the first, good on five of eleven": (
        model(a=[0.6] * 5 + [0.4] * 6),
        None,
        (Verdict.UNDECIDED, [HOLDS, UNCLEAR, NOTHING, NOTHING]),
    ),
    "the first, on four scans": (
        model(a=[0.9] * 4),
        None,
        (Verdict.UNDECIDED, [UNCLEAR, UNCLEAR, NOTHING, NOTHING]),
    ),
    "nothing measured": (model((0.0,)), None, (Verdict.UNDECIDED, [UNCLEAR, UNCLEAR, NOTHING, NOTHING])),
    "no hold-out": (model(), None, (Verdict.UNDECIDED, [UNCLEAR, UNCLEAR, NOTHING, NOTHING])),
}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_gate(case: str) -> None:
    challenger, champion, (verdict, outcomes) = CASES[case]
    gate = judge(challenger, champion, POLICY)
    assert dict(zip(KEYS, outcomes, strict=True)) == {rule.key: rule.outcome for rule in gate.rules}
    assert gate.verdict == verdict
    assert all(rule.sentence.endswith(".") for rule in gate.rules)
    assert gate.policy == POLICY


def test_a_hold_out_site_without_scans_leaves_it_to_a_person() -> None:
    challenger, champion, _ = CASES["better everywhere"]
    gate = judge(challenger, champion, POLICY, ("a", "b", "d"))
    assert gate.verdict == Verdict.UNDECIDED
    assert gate.rules[0].sentence == "Hold-out site has no approved scan yet: d. Until then a person decides."
    assert judge(challenger, champion, POLICY, ("a", "b")).verdict == Verdict.PROMOTE


def test_the_evidence_is_kept_with_the_verdict() -> None:
    challenger, champion, _ = CASES["one site lost, all gained"]
    gate = judge(challenger, champion, POLICY)
    a, b = gate.sites
    assert (a.site, a.outcome, b.site, b.outcome) == ("a", HOLDS, "b", FAILS)
    assert b.change.mean == pytest.approx(-0.03)
    assert (b.change.scans, gate.change.scans) == (6, 18)
    assert gate.change.interval[0] < gate.change.bound < gate.change.mean < gate.change.interval[1]
    [rule] = [rule for rule in gate.rules if rule.key == "sites"]
    assert rule.challenger == pytest.approx(0.67)
    assert rule.champion == pytest.approx(0.7)
    assert rule.sentence == "Site b loses 0.030 Dice, more than 0.02, and that it loses is shown at 80 %."


def test_exactly_the_limit_holds_whatever_the_order_of_summation() -> None:
    # 0.7 − 0.68 is 0.0199…96 or 0.0200…02 in doubles, by the order in which means are summed.
    for count in range(6, 20):
        gate = judge(model(a=[0.9] * 12, b=[0.68] * count), model(a=[0.7] * 12, b=[0.7] * count), POLICY)
        assert gate.sites[1].outcome == HOLDS


def test_other_limits_judge_otherwise() -> None:
    challenger, champion, _ = CASES["shown neither way"]
    assert judge(challenger, champion, GatePolicy.read("dice_margin=0.10")).verdict == Verdict.PROMOTE
    assert judge(challenger, champion, GatePolicy.read("least_scored=13, dice_margin=.1")).verdict == Verdict.UNDECIDED


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("least=3", "has no limit 'least'"),
        ("dice_margin=much", "is no number: 'much'"),
        ("dice_margin=nan", "is no number"),
        ("least_scored=2.5", "is a number of scans"),
        ("dice_level=0.4", "between 0.5 and 1"),
        ("first_dice=1.5", "between 0 and 1"),
        ("site_scored=1", "between 2 and 10000"),
        ("false_floor_ml=0", "absurd"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(text: str, said: str) -> None:
    with pytest.raises(ContractError, match=said) as refused:
        GatePolicy.read(text)
    assert refused.value.code == "bad_request"


def test_bounds_are_those_of_student() -> None:
    # Four values with mean 2.5 and standard deviation 1.2910: t(.975, 3) = 3.1824, t(.95, 3) = 2.3534.
    values = np.array([1.0, 2.0, 3.0, 4.0])
    low, high = two_sided(values)
    assert low == pytest.approx(2.5 - 3.1824 * 1.2910 / 2, abs=1e-3)
    assert high == pytest.approx(2.5 + 3.1824 * 1.2910 / 2, abs=1e-3)
    assert float(at_least(values, 0.95)) == pytest.approx(2.5 - 2.3534 * 1.2910 / 2, abs=1e-3)
    assert two_sided(values[:1]) is None


def test_dice_is_left_out_below_a_thousand_reference_voxels() -> None:
    reference_scan = ScanRef("s", "A", "f", (1.0, 1.0, 1.0))
    reference = np.zeros((10, 20, 20), np.uint8)
    reference.reshape(-1)[:1020] = 1
    predicted = reference.copy()
    predicted[9] = 4
    small = reference.copy()
    small.reshape(-1)[999:] = 0
    big = score_scan(reference_scan, reference, predicted, (1, 4))
    size = 1020
    assert big.dice == pytest.approx(2 * size / (2 * size + 400))
    assert big.false_positive_ml == pytest.approx(0.4)
    assert big.reference_ml == pytest.approx(size / 1000)
    assert score_scan(reference_scan, small, predicted, (1, 4)).dice is None


def test_a_segment_that_is_no_finding_does_not_count() -> None:
    reference_scan = ScanRef("s", "A", "f", (1.0, 1.0, 1.0))
    labels = np.full((10, 20, 20), 7, np.uint8)
    assert score_scan(reference_scan, labels, labels, (1,)).reference_voxels == 0


def test_findings_are_measured_one_by_one() -> None:
    truth = np.zeros((12, 40, 40), bool)
    truth[1:11, 2:12, 2:12] = True  # 1 mL
    truth[1:11, 20:40, 20:40] = True  # 4 mL
    truth[0, 0, 39] = True  # a crumb
    said = np.zeros_like(truth)
    said[1:11, 2:12, 2:7] = True
    said[1:11, 2:12, 25:36] = True  # touches nothing
    lesions, invented = measure_lesions(truth, said, (1.0, 1.0, 1.0))
    assert [(lesion.ml, lesion.marked) for lesion in lesions] == [(1.0, 0.5), (4.0, 0.0)]
    assert invented == 1
    scan = ScanRef("s", "A", "f", (1.0, 1.0, 1.0))
    sizes = summarise((score_scan(scan, truth.view(np.uint8), said.view(np.uint8), (1,)),)).sizes
    assert [(size.low_ml, size.lesions, size.found) for size in sizes] == [(1.0, 2, 1)]


def test_the_worst_scans_are_those_that_lost_most_then_the_fullest_of_the_empty() -> None:
    champion = model((1.0, 1.0, 9.0, 9.0), a=[0.9, 0.8, 0.7, 0.6, 0.5])
    challenger = model((1.0, 3.0, 9.0, 5.0), a=[0.9, 0.2, 0.7, 0.3, 0.6])
    assert choose_worst(challenger.scans, champion.scans, 2.0) == ["a-1", "a-3", "a-0", "a-2", "empty-2", "empty-3"]
    assert choose_worst(challenger.scans, (), 2.0)[:2] == ["a-1", "a-3"]


def test_an_outline_runs_along_the_sides_of_voxels() -> None:
    inside = np.zeros((4, 5), bool)
    inside[1:3, 1:4] = True
    assert outline(inside) == "M1 1h3M1 3h3M1 1v2M4 1v2"
    assert outline(np.zeros((4, 5), bool)) == ""
    assert outline(np.ones((4, 5), bool)) == "M0 0h5M0 4h5M0 0v4M5 0v4"


def test_a_case_shows_the_slice_with_most_faults_and_what_is_round_them() -> None:
    scan = ScanRef("s", "A", "f", (5.0, 1.0, 2.0))
    reference = np.zeros((6, 200, 300), bool)
    reference[2, 50:60, 100:110] = True
    challenger = reference.copy()
    challenger[4, 90:120, 200:230] = True
    score = ScanScore("s", "A", 0.2, 5000, 50.0, 40.0, 3.0)
    case = draw_case(scan, (reference, challenger, None), score, None)
    assert (case.slice, case.reference, case.champion, case.champion_dice) == (4, "", None, None)
    top, left, rows, columns = case.window
    assert (rows, columns) == (110, 55)  # 110 mm on each side
    assert top <= 90 < 120 <= top + rows
    assert left <= 200 < 230 <= left + columns
