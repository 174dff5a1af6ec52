"""The gate: rules that a challenger must pass before it may serve pre-annotations. A verdict is data."""

from __future__ import annotations

from mlservice.contract.results import Gate, Rule, SiteScore, Summary

# Dice that one site may lose to the benefit of the others (learning.md).
MOST_SITE_LOSS = 0.02
# Two sums of the same numbers in another order must not decide a promotion.
ROUNDING = 1e-9


def judge(challenger: Summary, champion: Summary | None) -> Gate:
    """Apply every rule; where there is no champion, or nothing to compare, a rule says so."""
    rules = (
        _measured(challenger),
        _mean_dice(challenger, champion),
        _sites(challenger, champion),
        _false_positives(challenger, champion),
    )
    return Gate(all(rule.holds for rule in rules), rules)


def _measured(challenger: Summary) -> Rule:
    if challenger.scored:
        plural = "scan" if challenger.scored == 1 else "scans"
        sentence = f"Dice was measured on {challenger.scored} hold-out {plural}."
    else:
        sentence = "No hold-out scan has a reference of 1,000 voxels or more, so nothing could be measured."
    return Rule("measured", challenger.scored > 0, float(challenger.scored), None, sentence)


def _mean_dice(challenger: Summary, champion: Summary | None) -> Rule:
    ours, theirs = challenger.mean_dice, champion.mean_dice if champion else None
    if ours is None or theirs is None:
        return Rule("mean_dice", True, ours, theirs, f"Mean Dice is {_number(ours)}; there is nothing to compare with.")
    holds = ours >= theirs - ROUNDING
    verb = "is not lower than" if holds else "is lower than"
    return Rule("mean_dice", holds, ours, theirs, f"Mean Dice {ours:.3f} {verb} the champion's {theirs:.3f}.")


def _sites(challenger: Summary, champion: Summary | None) -> Rule:
    before = {site.site: site for site in champion.sites} if champion else {}
    losses = [
        (_dice(before[site.site]) - _dice(site), site)
        for site in challenger.sites
        if site.site in before and site.mean_dice is not None and before[site.site].mean_dice is not None
    ]
    if not losses:
        return Rule("sites", True, None, None, "There is no site to compare with a champion.")
    loss, worst = max(losses, key=lambda pair: pair[0])
    holds = loss <= MOST_SITE_LOSS + ROUNDING
    said = f"No site loses more than {MOST_SITE_LOSS} Dice" if holds else f"Site {worst.site} loses {loss:.3f} Dice"
    ours, theirs = _dice(worst), _dice(before[worst.site])
    return Rule("sites", holds, ours, theirs, f"{said}: at {worst.site} it is {ours:.3f}, was {theirs:.3f}.")


def _false_positives(challenger: Summary, champion: Summary | None) -> Rule:
    ours = challenger.false_positive_ml_on_empty
    theirs = champion.false_positive_ml_on_empty if champion else None
    if ours is None:
        return Rule("false_positives", True, None, theirs, "No hold-out scan is empty, so there is nothing to compare.")
    if theirs is None:
        sentence = f"On empty scans it marks {ours:.2f} mL on average; there is nothing to compare with."
        return Rule("false_positives", True, ours, None, sentence)
    holds = ours <= theirs + ROUNDING
    verb = "is not more than" if holds else "is more than"
    sentence = f"On empty scans it marks {ours:.2f} mL on average, which {verb} the champion's {theirs:.2f} mL."
    return Rule("false_positives", holds, ours, theirs, sentence)


def _dice(site: SiteScore) -> float:
    return site.mean_dice if site.mean_dice is not None else 0.0


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"
