"""What pre-annotation brought: effort by model and site, drift, whether to go on; the rows as CSV."""

from collections.abc import Iterable, Sequence

from django.http import HttpResponse
from django.shortcuts import render

from annotation.learning.estimates import Estimate
from annotation.learning.gains import (
    BATCHES,
    LEAST_GAIN,
    Advice,
    Gains,
    Group,
    StopRule,
    figures_by_arm,
    measure_gains,
    visible_efforts,
)
from annotation.pages.plots import effort as plots
from annotation.pages.requests import PageRequest
from annotation.pages.tables import csv_file
from annotation.pages.templatetags.figures import plural, signed
from annotation.work.models import Campaign
from voxloop.kernel.errors import NotFound

SCAN_HEAD = (
    *("scan", "site", "arm", "model", "handed_in_utc", "active_minutes", "strokes"),
    *("drawn_ml", "predicted_ml", "added_ml", "removed_ml", "repeat_dice"),
)
LESION_HEAD = ("scan", "site", "arm", "model", "lesion", "fate", "proposed_ml", "kept_ml", "drawn_ml")
GROUP_HEAD = (
    *("group", "arm", "scans", "minutes", "minutes_low_95", "minutes_high_95", "strokes"),
    *("apart_ml", "apart_ml_low_95", "apart_ml_high_95"),
)


def effort(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """Cost and benefit on one page."""
    found = measure_gains(campaign, visible_efforts(request.user))
    measured = [group for group in found.models if group.shown or group.blank]
    return render(
        request,
        "effort.html",
        {
            "found": found,
            "arms": figures_by_arm(found.rows),
            "saved": say_interval(found.everything.saved),
            "pull": say_interval(found.everything.pull),
            "saved_hours": say_interval(found.saved_hours),
            "rule": found.rule,
            "advice": advise(found.rule),
            "why": why_empty(found),
            "minutes": plots.by_model(
                measured, of="minutes", unit="min", label="Active minutes per scan, blank against shown, by model"
            )
            if measured
            else "",
            "edits": plots.edits(measured) if any(group.shown for group in measured) else "",
            "drift": plots.by_model(
                measured, of="apart", unit="mL", label="mL between the reader's and the model's mask, by model"
            )
            if any(group.blank for group in measured)
            else "",
            "curve": plots.curve(found.rule) if found.rule.points else "",
            "groups": [*found.models, *found.sites, found.everything] if measured else [],
        },
    )


def effort_csv(request: PageRequest, campaign: Campaign, name: str) -> HttpResponse:
    """The figures behind the page."""
    found = measure_gains(campaign, visible_efforts(request.user))
    tables: dict[str, tuple[Sequence[str], Iterable[Sequence[object]]]] = {
        "scans": (
            SCAN_HEAD,
            [
                (
                    *(row.scan, row.site, row.arm, "" if row.model is None else f"m{row.model}"),
                    *(row.handed_in.isoformat(), f"{row.minutes:.2f}", row.strokes),
                    *(_figure(ml) for ml in (row.drawn_ml, row.predicted_ml, row.added_ml, row.removed_ml)),
                    _figure(row.repeat_dice, 4),
                )
                for row in found.rows
            ],
        ),
        "lesions": (
            LESION_HEAD,
            [
                (*(row.scan, row.site, row.arm, f"m{row.model}"), number, fate, *(_figure(ml, 3) for ml in amounts))
                for row in found.rows
                for number, (fate, *amounts) in enumerate(row.lesions, start=1)
            ],
        ),
        "groups": (GROUP_HEAD, [line for group in _groups(found) for line in _lines(group)]),
        "curve": (
            ["model", "masks", "dice"],
            [(name, masks, f"{dice:.4f}") for masks, dice, name in found.rule.points],
        ),
    }
    if name not in tables:
        raise NotFound
    return csv_file(f"{campaign.slug}-effort-{name}", *tables[name])


def say_interval(one: Estimate | None) -> str:
    """`95 % +0.4 to +3.8`; empty for nothing."""
    if one is None:
        return ""
    if one.low is None or one.high is None:
        return "too few for an interval"
    return f"95 % {signed(one.low)} to {signed(one.high)}"


def advise(rule: StopRule) -> str:
    """The stop rule's answer in a sentence."""
    if rule.gain is None or rule.gain.low is None or rule.gain.high is None:
        return (
            f"Too early to say: {plural(len(rule.points), 'model')} with a Dice on the hold-out; "
            "a line needs four of them, of three different numbers of masks."
        )
    batches = f"{BATCHES} more batches ({plural(rule.more, 'mask')} to learn from)"
    bound = f"90 % interval {signed(rule.gain.low, 3)} to {signed(rule.gain.high, 3)}"
    said = {
        Advice.STOP: f"{batches} would change Dice by less than {LEAST_GAIN}",
        Advice.GO_ON: f"{batches} would raise Dice by more than {LEAST_GAIN}",
        Advice.UNCLEAR: f"Whether {batches} would change Dice by {LEAST_GAIN} is not shown",
    }
    return f"{said[rule.advice]}: {signed(rule.gain.value, 3)} expected, {bound}."


def why_empty(found: Gains) -> str:
    """What to do until there is something to compare; empty when there is."""
    if not found.rows:
        return "Nothing is measured yet. A scan is measured a minute after it was approved."
    if found.everything.saved is None and not found.everything.shown:
        return (
            f"{plural(len(found.rows), 'scan')} measured, and no model had seen one of them before. Train a model, "
            "promote it, and give out a batch: its scans then begin from the model's mask."
        )
    if found.everything.saved is None:
        return (
            "No scan began blank although a model had a mask, so there is nothing to compare minutes with. A share of "
            "scans does (10 % unless the campaign says otherwise); it takes a few more."
        )
    return ""


def _groups(found: Gains) -> list[Group]:
    return [*found.models, *found.sites, found.everything]


def _lines(group: Group) -> list[tuple[object, ...]]:
    arms = (
        ("shown", group.shown, group.shown_minutes, group.strokes, group.shown_apart),
        ("older", group.older, group.older_minutes, group.older_strokes, group.older_apart),
        ("blank", group.blank, group.blank_minutes, group.blank_strokes, group.blank_apart),
    )
    return [
        (group.name, arm, len(rows), *_ends(minutes), _figure(strokes.value if strokes else None), *_ends(apart))
        for arm, rows, minutes, strokes, apart in arms
    ]


def _ends(one: Estimate | None) -> tuple[str, str, str]:
    return ("", "", "") if one is None else (_figure(one.value), _figure(one.low), _figure(one.high))


def _figure(value: float | None, places: int = 2) -> str:
    return "" if value is None else f"{value:.{places}f}"
