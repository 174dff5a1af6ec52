"""The gate: rules by which a challenger is promoted, held back, or left to a person (docs/gate.md).

The criteria work on the last axis of arrays, so that the simulation of their error rates (`manage.py bench gate`) runs
the same functions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from mlservice.contract.policy import GatePolicy
from mlservice.contract.results import Change, Gate, Outcome, Rule, ScanScore, SiteChange, Summary, Verdict
from mlservice.student import Values, at_least, at_most, two_sided

# Tolerance for rounding: summation order must not decide a promotion.
ROUNDING = 1e-9
FEWEST = 2  # values with a spread


def is_not_worse(gains: Values, policy: GatePolicy) -> Any:
    """Whether a loss of mean Dice beyond the margin is excluded. `gains` by scan on the last axis, two or more."""
    return at_least(gains, policy.dice_level) > -policy.dice_margin + ROUNDING


def is_worse(gains: Values, policy: GatePolicy) -> Any:
    """Whether mean Dice is shown to be lower, by what may be more than the margin."""
    return (at_most(gains, policy.dice_level) < -ROUNDING) & ~is_not_worse(gains, policy)


def site_lost(gains: Values, policy: GatePolicy) -> Any:
    """Whether a site has lost more than its limit, and a loss is shown there. False for too few scans."""
    if gains.shape[-1] < policy.site_scored:
        return np.zeros(gains.shape[:-1], bool)
    is_much = gains.mean(axis=-1) < -policy.site_loss - ROUNDING
    return is_much & (at_most(gains, policy.site_level) < -ROUNDING)


def log_ratios(ours_ml: Values, theirs_ml: Values, policy: GatePolicy) -> Values:
    """Logarithm of challenger's by champion's mL on each empty scan."""
    floor = policy.false_floor_ml
    ratios: Values = np.log(np.maximum(ours_ml, floor) / np.maximum(theirs_ml, floor))
    return ratios


def invents_more(ours_ml: Values, theirs_ml: Values, policy: GatePolicy) -> Any:
    """Whether more false mL are shown on empty scans than the limit allows. False for too few scans."""
    ratios = log_ratios(ours_ml, theirs_ml, policy)
    if ratios.shape[-1] < policy.false_scans:
        return np.zeros(ratios.shape[:-1], bool)
    return at_least(ratios, policy.false_level) > math.log(policy.false_ratio) + ROUNDING


def is_useful(dices: Values, policy: GatePolicy) -> Any:
    """Whether a first model reaches the floor of Dice on enough of its scored scans."""
    return (dices >= policy.first_dice - ROUNDING).sum(axis=-1) >= _needed(dices.shape[-1], policy)


def judge(challenger: Summary, champion: Summary | None, policy: GatePolicy, hold_out: Sequence[str] = ()) -> Gate:
    """Apply every rule. `hold_out` names the hold-out sites that should have been measured.

    Too little measured leaves the decision to a person, whatever the other rules say; so does what is shown neither
    way. A rule that fails holds back."""
    measured = _measured(challenger, champion, policy, hold_out)
    pairs = _pairs(challenger, champion)
    sites = tuple(_judge_site(site.site, pairs, policy) for site in challenger.sites) if champion else ()
    rules = (
        measured,
        _dice(challenger, champion, pairs, policy),
        _sites(sites, challenger, champion, policy),
        _false_positives(challenger, champion, policy),
    )
    outcomes = {rule.outcome for rule in rules}
    if measured.outcome == Outcome.UNCLEAR:
        verdict = Verdict.UNDECIDED
    elif Outcome.FAILS in outcomes:
        verdict = Verdict.HOLD_BACK
    else:
        verdict = Verdict.UNDECIDED if Outcome.UNCLEAR in outcomes else Verdict.PROMOTE
    return Gate(verdict, rules, _change([gain for _, gain in pairs], policy.dice_level), sites, policy)


def _pairs(challenger: Summary, champion: Summary | None) -> list[tuple[str, float]]:
    """Site and gain of Dice of every scan on which both were scored."""
    before = {score.id: score.dice for score in champion.scans} if champion else {}
    pairs = [(score.site, score.dice, before.get(score.id)) for score in challenger.scans]
    return [(site, ours - theirs) for site, ours, theirs in pairs if ours is not None and theirs is not None]


def _change(gains: Sequence[float], level: float) -> Change | None:
    if not gains:
        return None
    values = np.asarray(gains, dtype=np.float64)
    bound = float(at_least(values, level)) if values.size >= FEWEST else None
    return Change(values.size, float(values.mean()), two_sided(values), bound)


def _measured(challenger: Summary, champion: Summary | None, policy: GatePolicy, hold_out: Sequence[str]) -> Rule:
    needed = policy.least_scored if champion else policy.first_scored
    missing = sorted(set(hold_out) - {site.site for site in challenger.sites})
    scored = challenger.scored
    if missing:
        word = "site has" if len(missing) == 1 else "sites have"
        said = f"Hold-out {word} no approved scan yet: {', '.join(missing)}. Until then a person decides."
    elif scored == 0:
        said = "No hold-out scan has a reference of 1,000 voxels or more, so nothing could be measured."
    elif scored < needed:
        said = f"Dice was measured on {_scans(scored)}; below {needed} a person decides."
    else:
        said = f"Dice was measured on {_scans(scored)}; {needed} are needed."
    outcome = Outcome.UNCLEAR if missing or scored < needed else Outcome.HOLDS
    return Rule("measured", outcome, float(scored), None, said)


def _dice(challenger: Summary, champion: Summary | None, pairs: list[tuple[str, float]], policy: GatePolicy) -> Rule:
    ours, theirs = challenger.mean_dice, champion.mean_dice if champion else None
    if champion is None:
        return _first_dice(challenger, policy)
    gains = np.array([gain for _, gain in pairs])
    if gains.size < FEWEST:
        return Rule("mean_dice", Outcome.UNCLEAR, ours, theirs, "Too few scans were scored by both models to compare.")
    said = f"Mean Dice changes by {_signed(gains.mean())}; at {_percent(policy.dice_level)} "
    if is_worse(gains, policy):
        high = at_most(gains, policy.dice_level)
        return Rule("mean_dice", Outcome.FAILS, ours, theirs, f"{said}it is lower ({_signed(high)} at most).")
    said += f"by more than {_signed(at_least(gains, policy.dice_level))}"
    if is_not_worse(gains, policy):
        return Rule("mean_dice", Outcome.HOLDS, ours, theirs, f"{said}, which is above −{policy.dice_margin:g}.")
    sentence = f"{said}: a loss of {policy.dice_margin:g} is not excluded, and a loss is not shown."
    return Rule("mean_dice", Outcome.UNCLEAR, ours, theirs, sentence)


def _first_dice(challenger: Summary, policy: GatePolicy) -> Rule:
    dices = np.array([score.dice for score in challenger.scans if score.dice is not None], dtype=np.float64)
    reached = int((dices >= policy.first_dice - ROUNDING).sum())
    outcome = Outcome.HOLDS if is_useful(dices, policy) else Outcome.UNCLEAR
    said = f"It is the first: {reached} of {_scans(dices.size)} reach a Dice of {policy.first_dice:g}, "
    said += f"{_needed(dices.size, policy)} must."
    return Rule("mean_dice", outcome, challenger.mean_dice, None, said)


def _judge_site(site: str, pairs: list[tuple[str, float]], policy: GatePolicy) -> SiteChange:
    gains = [gain for name, gain in pairs if name == site]
    if len(gains) < policy.site_scored:
        outcome = Outcome.NOTHING
    else:
        outcome = Outcome.FAILS if site_lost(np.array(gains), policy) else Outcome.HOLDS
    return SiteChange(site, _change(gains, policy.site_level), outcome)


def _sites(sites: tuple[SiteChange, ...], challenger: Summary, champion: Summary | None, policy: GatePolicy) -> Rule:
    if champion is None:
        return Rule("sites", Outcome.NOTHING, None, None, "There is no champion to compare sites with.")
    judged = [(each.change.mean, each) for each in sites if each.change and each.outcome != Outcome.NOTHING]
    if not judged:
        said = f"No site has the {policy.site_scored} scored scans from which on it is judged."
        return Rule("sites", Outcome.NOTHING, None, None, said)
    lost = [pair for pair in judged if pair[1].outcome == Outcome.FAILS]
    change, worst = min(lost or judged, key=lambda pair: pair[0])
    ours, theirs = _dice_at(worst.site, challenger), _dice_at(worst.site, champion)
    if lost:
        said = f"Site {worst.site} loses {-change:.3f} Dice, more than {policy.site_loss:g}, "
        said += f"and that it loses is shown at {_percent(policy.site_level)}."
        return Rule("sites", Outcome.FAILS, ours, theirs, said)
    said = f"No site is shown to lose more than {policy.site_loss:g} Dice; "
    said += f"the change is least at {worst.site}, {_signed(change)}."
    return Rule("sites", Outcome.HOLDS, ours, theirs, said)


def _dice_at(site: str, summary: Summary) -> float | None:
    return next((each.mean_dice for each in summary.sites if each.site == site), None)


def _false_positives(challenger: Summary, champion: Summary | None, policy: GatePolicy) -> Rule:
    ours = challenger.false_positive_ml_on_empty
    theirs = champion.false_positive_ml_on_empty if champion else None
    if ours is None:
        said = "No hold-out scan is empty, so there is nothing to compare."
        return Rule("false_positives", Outcome.NOTHING, None, theirs, said)
    if theirs is None or champion is None:
        said = f"On empty scans it marks {ours:.2f} mL on average; there is nothing to compare with."
        return Rule("false_positives", Outcome.NOTHING, ours, None, said)
    our_ml, their_ml = _empty_ml(challenger, champion)
    said = f"On empty scans it marks {ours:.2f} mL on average, the champion {theirs:.2f} mL"
    if our_ml.size < policy.false_scans:
        said += f"; they are judged from {policy.false_scans} empty scans on, here are {our_ml.size}."
        return Rule("false_positives", Outcome.NOTHING, ours, theirs, said)
    ratios = log_ratios(our_ml, their_ml, policy)
    ratio, bound = math.exp(ratios.mean()), math.exp(at_least(ratios, policy.false_level))
    said += f": {ratio:.2f} times as much, at {_percent(policy.false_level)} more than {bound:.2f} times"
    if invents_more(our_ml, their_ml, policy):
        said += f", which is above {policy.false_ratio:g}."
        return Rule("false_positives", Outcome.FAILS, ours, theirs, said)
    return Rule("false_positives", Outcome.HOLDS, ours, theirs, f"{said}; the limit is {policy.false_ratio:g}.")


def _empty_ml(challenger: Summary, champion: Summary) -> tuple[Values, Values]:
    before = {score.id: score.predicted_ml for score in champion.scans}
    both: list[ScanScore] = [score for score in challenger.scans if score.reference_voxels == 0 and score.id in before]
    return np.array([score.predicted_ml for score in both]), np.array([before[score.id] for score in both])


def _needed(scored: int, policy: GatePolicy) -> int:
    """Scans that must reach the floor: a least number, and half of all."""
    return max(policy.first_scored, math.ceil(scored / 2))


def _signed(change: float) -> str:
    return f"{change:+.3f}".replace("-", "−")


def _percent(level: float) -> str:
    return f"{100 * level:g} %"


def _scans(count: int) -> str:
    return f"{count} hold-out scan{'' if count == 1 else 's'}"
