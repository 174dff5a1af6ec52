"""What the gate said of a model, and the scans on which it did worst."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from annotation.learning.models import TrainingRun
from annotation.pages.templatetags.figures import plural
from annotation.scans.states import ScanState
from annotation.work.selectors import visible_scans
from mlservice.contract import Outcome, Verdict
from voxloop.accounts.models import User

RULE_TITLES = {
    "measured": "Enough was measured",
    "mean_dice": "Mean Dice is not worse",
    "sites": "No site lost",
    "false_positives": "Not more false mL on empty scans",
}
FIRST_TITLES = {"mean_dice": "Good enough to begin with"}
SYMBOLS: dict[str, tuple[str, str]] = {
    Outcome.HOLDS: ("circle-check", "good"),
    Outcome.FAILS: ("circle-x", "bad"),
    Outcome.UNCLEAR: ("scale", "warn"),
    Outcome.NOTHING: ("circle-dashed", "faint"),
}


@dataclass(frozen=True)
class RuleRow:
    """A rule with its symbol: never colour alone."""

    title: str
    outcome: str
    symbol: str
    tone: str
    sentence: str


def gate_of(run: TrainingRun | None) -> Mapping[str, Any]:
    """The gate's document of a run; empty when it was not judged."""
    found: Mapping[str, Any] = run.gate if run and isinstance(run.gate, dict) else {}
    return found


def rules_of(gate: Mapping[str, Any], *, is_first: bool) -> list[RuleRow]:
    """The rules with titles."""
    titles = RULE_TITLES | (FIRST_TITLES if is_first else {})
    rows = []
    for rule in gate.get("rules", []):
        symbol, tone = SYMBOLS[rule["outcome"]]
        rows.append(
            RuleRow(titles.get(rule["key"], rule["key"]), rule["outcome"], symbol, tone, rule.get("sentence", ""))
        )
    return rows


def gate_heading(gate: Mapping[str, Any], name: str) -> str:
    """The verdict in a few words: `2 rules hold, 2 had nothing to compare`."""
    if not gate.get("rules"):
        return "Gate: not judged"
    counts = Counter(rule["outcome"] for rule in gate["rules"])
    parts = []
    if holding := counts[Outcome.HOLDS]:
        parts.append(f"{plural(holding, 'rule')} {'holds' if holding == 1 else 'hold'}")
    if failing := counts[Outcome.FAILS]:
        parts.append(f"{failing} {'fails' if failing == 1 else 'fail'}")
    if unclear := counts[Outcome.UNCLEAR]:
        parts.append(f"{unclear} {'is' if unclear == 1 else 'are'} unclear")
    if idle := counts[Outcome.NOTHING]:
        parts.append(f"{idle} had nothing to compare")
    said = {Verdict.PROMOTE: f"{name} passed", Verdict.HOLD_BACK: f"{name} held back"}
    return f"Gate: {said.get(gate.get('verdict', ''), 'a person decides')}. {', '.join(parts).capitalize()}"


def cases_of(user: User, run: TrainingRun | None) -> list[dict[str, Any]]:
    """The scans on which the challenger did worst, with their codes: those that may still be shown to the person."""
    cases = ((run.results or {}).get("cases", [])) if run else []
    ready = visible_scans(user).filter(pk__in=[case["scan"] for case in cases], state=ScanState.READY)
    codes = {str(pk): code for pk, code in ready.values_list("pk", "code")}
    return [{**case, "code": codes[case["scan"]]} for case in cases if case["scan"] in codes]
