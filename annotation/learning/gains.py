"""What pre-annotation brought, by model version and by site, and whether more masks would help (docs/effort.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import QuerySet

from annotation.learning.estimates import Estimate, Line, difference_of, line_through, mean_of
from annotation.learning.models import Effort, ModelVersion, TrainingRun
from annotation.scans.states import ScanState
from annotation.work.models import Campaign
from annotation.work.permissions import OVERSEERS, campaigns_with_role
from annotation.work.selectors import visible_scans
from annotation.work.states import AssignmentState
from voxloop.accounts.models import User

BATCHES = 3
LEAST_GAIN = 0.01  # of Dice by so many batches


def visible_efforts(user: User) -> QuerySet[Effort]:
    """Efforts of campaigns that the person oversees, at their sites. A verdict that was taken back, and a scan that was
    withdrawn, count no longer."""
    rows = Effort.objects.select_related("assignment__scan__site", "model").filter(
        assignment__state=AssignmentState.APPROVED, assignment__scan__state=ScanState.READY
    )
    if user.is_administrator:
        return rows
    overseen = campaigns_with_role(user, *OVERSEERS)
    return rows.filter(campaign__in=overseen, assignment__scan__in=visible_scans(user))


@dataclass(frozen=True)
class Row:
    """One measured annotation; volumes in mL, `minutes` of activity."""

    scan: str
    site: str
    arm: str
    model: int | None  # its number
    minutes: float
    strokes: int
    drawn_ml: float
    predicted_ml: float | None
    added_ml: float | None
    removed_ml: float | None
    repeat_dice: float | None
    handed_in: Any
    lesions: Sequence[tuple[str, float, float, float]]  # fate, mL proposed, kept, drawn

    @property
    def apart_ml(self) -> float:
        """How far the reader's mask lies from the model's: mL in one of both only."""
        return (self.added_ml or 0.0) + (self.removed_ml or 0.0)


@dataclass(frozen=True)
class ArmFigures:
    """The annotations of one arm; `fates` counts their lesions by what became of them."""

    arm: str
    scans: int
    minutes: Estimate | None
    strokes: Estimate | None
    added: Estimate | None
    removed: Estimate | None
    fates: Mapping[str, int]


@dataclass(frozen=True)
class Group:
    """Annotations measured against one model, or at one site. `saved` is blank minus shown, in minutes a scan; `pull`
    is blank minus shown of `apart_ml`: how much nearer to the model readers stay who see its mask."""

    name: str
    shown: Sequence[Row]
    older: Sequence[Row]
    blank: Sequence[Row]
    shown_minutes: Estimate | None
    older_minutes: Estimate | None
    blank_minutes: Estimate | None
    saved: Estimate | None
    added: Estimate | None
    removed: Estimate | None
    strokes: Estimate | None
    older_strokes: Estimate | None
    blank_strokes: Estimate | None
    shown_apart: Estimate | None
    older_apart: Estimate | None
    blank_apart: Estimate | None
    pull: Estimate | None


class Advice(StrEnum):
    """What the rule says about more batches."""

    STOP = "stop"
    GO_ON = "go_on"
    UNCLEAR = "unclear"
    TOO_FEW = "too_few"


@dataclass(frozen=True)
class StopRule:
    """Whether `BATCHES` more batches would change Dice by less than `LEAST_GAIN`, with what it rests on."""

    advice: Advice
    points: Sequence[tuple[int, float, str]]  # masks learned from, Dice on the hold-out, name of the model
    line: Line | None
    masks: int
    more: int  # masks that so many batches bring for training
    gain: Estimate | None


@dataclass(frozen=True)
class Gains:
    """All of the page. `before` are annotations that no model had a mask for; `repeats` second readings."""

    rows: Sequence[Row]
    models: Sequence[Group]
    sites: Sequence[Group]
    everything: Group
    before: Sequence[Row]
    before_minutes: Estimate | None
    repeats: Sequence[Row]
    repeat_dice: Estimate | None
    saved_hours: Estimate | None
    blank_cost_hours: Estimate | None
    repeat_hours: float
    training_hours: float
    trainings: int
    rule: StopRule


def measure_gains(campaign: Campaign, efforts: QuerySet[Effort]) -> Gains:
    """Everything the page shows, of the campaign's efforts among `efforts`."""
    rows = [_row(effort) for effort in efforts.filter(campaign=campaign).order_by("assignment__submitted_at")]
    numbers = sorted({row.model for row in rows if row.model is not None})
    everything = group_of("All", rows)
    repeats = [row for row in rows if row.arm == Effort.Arm.REPEAT]
    before = [row for row in rows if row.arm == Effort.Arm.NONE]
    saved = everything.saved
    helped = len(everything.shown) + len(everything.older)
    hours, count = _trained(campaign)
    return Gains(
        rows=rows,
        models=[group_of(f"m{number}", [row for row in rows if row.model == number]) for number in numbers],
        sites=[
            group_of(f"Site {site}", [row for row in rows if row.site == site])
            for site in sorted({row.site for row in rows if row.model is not None})
        ],
        everything=everything,
        before=before,
        before_minutes=mean_of([row.minutes for row in before]),
        repeats=repeats,
        repeat_dice=mean_of([row.repeat_dice for row in repeats if row.repeat_dice is not None]),
        saved_hours=saved.times(helped / 60) if saved else None,
        blank_cost_hours=saved.times(len(everything.blank) / 60) if saved else None,
        repeat_hours=sum(row.minutes for row in repeats) / 60,
        training_hours=hours,
        trainings=count,
        rule=stop_rule(campaign),
    )


def group_of(name: str, rows: Iterable[Row]) -> Group:
    """Figures of the rows that have a model's mask to compare with."""
    listed = list(rows)
    shown, older, blank = (
        [row for row in listed if row.arm == arm] for arm in (Effort.Arm.SHOWN, Effort.Arm.OLDER, Effort.Arm.BLANK)
    )
    return Group(
        name=name,
        shown=shown,
        older=older,
        blank=blank,
        shown_minutes=mean_of([row.minutes for row in shown]),
        older_minutes=mean_of([row.minutes for row in older]),
        blank_minutes=mean_of([row.minutes for row in blank]),
        saved=difference_of([row.minutes for row in blank], [row.minutes for row in shown]),
        added=mean_of([row.added_ml or 0.0 for row in shown]),
        removed=mean_of([row.removed_ml or 0.0 for row in shown]),
        strokes=mean_of([row.strokes for row in shown]),
        older_strokes=mean_of([row.strokes for row in older]),
        blank_strokes=mean_of([row.strokes for row in blank]),
        shown_apart=mean_of([row.apart_ml for row in shown]),
        older_apart=mean_of([row.apart_ml for row in older]),
        blank_apart=mean_of([row.apart_ml for row in blank]),
        pull=difference_of([row.apart_ml for row in blank], [row.apart_ml for row in shown]),
    )


def figures_by_arm(rows: Iterable[Row]) -> list[ArmFigures]:
    """The arms that have annotations, in the order of `Effort.Arm`."""
    listed = list(rows)
    found = []
    for arm in Effort.Arm:
        of = [row for row in listed if row.arm == arm]
        measured = [row for row in of if row.added_ml is not None and row.removed_ml is not None]
        if of:
            found.append(
                ArmFigures(
                    arm=arm.label,
                    scans=len(of),
                    minutes=mean_of([row.minutes for row in of]),
                    strokes=mean_of([row.strokes for row in of]),
                    added=mean_of([row.added_ml or 0.0 for row in measured]),
                    removed=mean_of([row.removed_ml or 0.0 for row in measured]),
                    fates=Counter(fate for row in of for fate, *_ in row.lesions),
                )
            )
    return found


def stop_rule(campaign: Campaign) -> StopRule:
    """The rule on all models of the campaign that were measured on its hold-out."""
    points, share = [], 1.0
    for model in ModelVersion.objects.filter(campaign=campaign).select_related("run").order_by("number"):
        items: Sequence[Mapping[str, Any]] = model.run.manifest.get("items", [])
        learned = sum(item.get("split") == "train" for item in items)
        dice = model.metrics.get("mean_dice") if isinstance(model.metrics, dict) else None
        if learned and dice is not None:
            points.append((learned, float(dice), str(model)))
            share = learned / len(items)
    more = round(BATCHES * campaign.batch_size * (1 - campaign.repeat_share) * share)
    return judge_curve(points, max(1, more))


def judge_curve(points: Sequence[tuple[int, float, str]], more: int) -> StopRule:
    """The rule on (masks, Dice, name): stop when the one-sided 95 % bound of the gain lies below the least gain, go on
    when the other bound lies above it. Dice is taken to grow with the logarithm of the masks, which curves flatten out
    of: the rule errs towards going on."""
    line = line_through([(masks, dice) for masks, dice, _ in points])
    masks = max((masks for masks, _, _ in points), default=0)
    if line is None:
        return StopRule(Advice.TOO_FEW, points, None, masks, more, None)
    gain = line.gain(masks, more)
    advice = Advice.UNCLEAR
    if gain.high is not None and gain.high < LEAST_GAIN:
        advice = Advice.STOP
    elif gain.low is not None and gain.low >= LEAST_GAIN:
        advice = Advice.GO_ON
    return StopRule(advice, points, line, masks, more, gain)


def _row(effort: Effort) -> Row:
    assignment = effort.assignment
    return Row(
        scan=assignment.scan.code,
        site=assignment.scan.site.code,
        arm=effort.arm,
        model=effort.model.number if effort.model else None,
        minutes=effort.active_seconds / 60,
        strokes=effort.strokes,
        drawn_ml=effort.drawn_ml,
        predicted_ml=effort.predicted_ml,
        added_ml=effort.added_ml,
        removed_ml=effort.removed_ml,
        repeat_dice=effort.repeat_dice,
        handed_in=assignment.submitted_at,
        lesions=[(fate, proposed, kept, drawn) for fate, proposed, kept, drawn in effort.lesions or ()],
    )


def _trained(campaign: Campaign) -> tuple[float, int]:
    """Hours and number of trainings that ended with a model."""
    runs = TrainingRun.objects.filter(campaign=campaign, results__isnull=False).values_list("results", flat=True)
    seconds = [float((results or {}).get("seconds") or 0) for results in runs]
    return sum(seconds) / 3600, len(seconds)
