"""The page of models shows what the gate said, and computes nothing again."""

from typing import Any

import msgspec
import pytest

from annotation.learning.models import ModelVersion, TrainingRun
from annotation.pages.plots.models import interval
from annotation.pages.selectors.evidence import gate_heading, rules_of
from annotation.pages.selectors.holdout import Side, SiteRow, compare_sites, group_sizes, side_of
from mlservice.contract import Gate, GatePolicy, ScanScore
from mlservice.contract.results import Lesion, Summary
from mlservice.evaluate import summarise
from mlservice.gate import judge

pytestmark = pytest.mark.django_db


def model(**sites: list[float]) -> Summary:
    return summarise(
        tuple(
            ScanScore(f"{site}-{number}", site, dice, 5000, 50.0, 40.0, 3.0, (Lesion(20.0, dice),))
            for site, dices in sites.items()
            for number, dice in enumerate(dices)
        )
    )


def side(summary: Summary) -> Side:
    found = side_of(ModelVersion(number=1, run=TrainingRun(number=1, manifest={})), msgspec.to_builtins(summary))
    assert found is not None
    return found


def rows(challenger: Summary, champion: Summary) -> tuple[list[SiteRow], Gate]:
    gate = judge(challenger, champion, GatePolicy())
    found, everything = compare_sites(side(champion), side(challenger), msgspec.to_builtins(gate))
    assert everything is not None
    return [*found, everything], gate


SIX = [0.62, 0.66, 0.7, 0.71, 0.74, 0.78]
CASES: dict[str, Any] = {
    "exactly the limit": (model(a=[0.9] * 12, b=[0.58] * 6), model(a=[0.7] * 12, b=[0.6] * 6)),
    "lost": (model(a=[0.9] * 12, b=[dice - 0.03 for dice in SIX]), model(a=[0.7] * 12, b=SIX)),
    "too few at a site": (model(a=[0.9] * 12, b=[0.6]), model(a=[0.7] * 12, b=[0.7])),
    "shown neither way": (model(a=SIX, b=[0.9, 0.5] * 3), model(a=SIX, b=[0.7] * 6)),
}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_page_says_what_the_gate_said(case: str) -> None:
    shown, gate = rows(*CASES[case])
    assert [row.outcome for row in shown[:-1]] == [site.outcome for site in gate.sites]
    for row, change in zip(shown, [*(site.change for site in gate.sites), gate.change], strict=True):
        if change is None or change.interval is None:
            assert (row.change, row.bound) == (None, None)
        else:
            assert (row.change, row.bound) == ((change.mean, *change.interval), change.bound)


def test_a_change_is_drawn_as_a_fault_only_where_the_gate_says_so() -> None:
    assert "var(--bad);" not in interval((-0.02, -0.03, 0.0), -0.01, "holds", margin=0.02)
    assert "var(--bad);" in interval((-0.021, -0.03, 0.0), -0.01, "fails", margin=0.02)
    assert "bound of the gate -0.010" in interval((-0.02, -0.03, 0.0), -0.01, "holds", margin=0.02)


def test_where_nothing_was_measured_before_nothing_is_judged() -> None:
    challenger = side(model(a=[0.7, 0.7]))
    [row], everything = compare_sites(None, challenger, msgspec.to_builtins(judge(model(a=[0.7]), None, GatePolicy())))
    assert (row.outcome, row.change, row.mean) == ("", None, None)
    assert everything is not None
    assert everything.outcome == ""


def test_a_run_of_before_shows_its_means_without_intervals() -> None:
    """Verdicts of the earlier rules kept no intervals."""
    gate = {"verdict": "promote", "rules": [{"key": "mean_dice", "outcome": "holds", "sentence": "Not lower."}]}
    [row], _ = compare_sites(side(model(a=[0.6, 0.6])), side(model(a=[0.7, 0.7])), gate)
    assert (row.change, row.outcome) == (None, "")
    assert row.mean == pytest.approx(0.1)


HEADINGS = {
    "m2 passed. 4 rules hold": ("promote", ["holds"] * 4),
    "m2 passed. 2 rules hold, 2 had nothing to compare": ("promote", ["holds", "holds", "nothing", "nothing"]),
    "m2 held back. 3 rules hold, 1 fails": ("hold_back", ["holds", "holds", "fails", "holds"]),
    "a person decides. 1 rule holds, 2 are unclear, 1 had nothing to compare": (
        "undecided",
        ["unclear", "unclear", "holds", "nothing"],
    ),
}


@pytest.mark.parametrize("said", HEADINGS)
def test_the_verdict_in_words(said: str) -> None:
    verdict, outcomes = HEADINGS[said]
    rules = [{"key": "sites", "outcome": outcome, "sentence": "So."} for outcome in outcomes]
    assert gate_heading({"verdict": verdict, "rules": rules}, "m2") == f"Gate: {said}"
    assert [row.outcome for row in rules_of({"rules": rules}, is_first=False)] == outcomes


def test_findings_by_size_beside_the_champions() -> None:
    assert group_sizes(side(model(a=[0.05, 0.5])), side(model(a=[0.5, 0.5]))) == [("10 to 50", 0.5, 1.0, 2)]
    assert group_sizes(None, side(model(a=[0.5]))) == [("10 to 50", None, 1.0, 1)]
