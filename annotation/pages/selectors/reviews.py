"""The reviewer's queue: riskiest first, with the reasons in words."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Q

from annotation.learning.models import PreAnnotation
from annotation.masks.models import MaskRevision
from annotation.reviews.models import ReviewRound, RoundMask
from annotation.reviews.selectors import review_queue, visible_rounds
from annotation.scans.models import Scan
from annotation.work.models import Campaign
from voxloop.accounts.models import User
from voxloop.kernel.clock import now

GRAVE = ("outside", "empty", "confirmed", "no answer", "no signs", "disagree")
MILD = ("first batch", "as the model", "large change")


@dataclass
class QueueRow:
    """One round that waits."""

    round: ReviewRound
    volume_ml: float | None
    model_ml: float | None
    reasons: list[tuple[str, str]]
    tone: str
    is_mine: bool

    @property
    def change_ml(self) -> float | None:
        if self.volume_ml is None or self.model_ml is None:
            return None
        return self.volume_ml - self.model_ml

    @property
    def is_far(self) -> bool:
        change = self.change_ml
        return change is not None and abs(change) > max(10.0, 0.15 * (self.model_ml or 0))


@dataclass
class QueueFacts:
    """What stands beside the queue."""

    verdicts: dict[str, int]
    batches: list[dict[str, Any]]
    days: list[tuple[int, int]]


def queue(user: User, campaign: Campaign | None, *, oversees: bool) -> Any:
    """Rounds that wait: those the reviewer may take, or for a coordinator all that are visible."""
    if not oversees:
        return review_queue(user, campaign)
    rows = visible_rounds(user).filter(state__in=["pending", "claimed"]).order_by("-risk", "created_at")
    return rows.filter(annotation__campaign=campaign) if campaign else rows


def tell(rounds: list[ReviewRound], user: User) -> list[QueueRow]:
    """Volumes and reasons of each row."""
    masks = {
        mask.round_id: mask
        for mask in RoundMask.objects.filter(round__in=rounds, layer="findings").select_related("submitted")
    }
    predictions: dict[Any, MaskRevision] = {}
    for revision in MaskRevision.objects.filter(
        kind=MaskRevision.Kind.PREDICTION, layer="findings", scan__in=[one.annotation.scan_id for one in rounds]
    ).order_by("created_at"):
        predictions[revision.scan_id] = revision
    rows = []
    for one in rounds:
        scan = one.annotation.scan
        mask = masks.get(one.pk)
        rows.append(
            QueueRow(
                round=one,
                volume_ml=volume_ml(mask.submitted, scan) if mask else None,
                model_ml=volume_ml(predictions[scan.pk], scan) if scan.pk in predictions else None,
                reasons=[(reason, _reason_tone(reason)) for reason in one.reasons],
                tone="bad" if one.risk >= 70 else "warn" if one.risk >= 40 else "text-3",
                is_mine=one.state == "claimed" and one.reviewer_id == user.pk,
            )
        )
    return rows


def volume_ml(revision: MaskRevision | None, scan: Scan) -> float | None:
    """The volume of everything drawn in a revision; an empty mask has 0."""
    if not scan.spacing_mm_zyx:
        return None
    voxel = scan.spacing_mm_zyx[0] * scan.spacing_mm_zyx[1] * scan.spacing_mm_zyx[2] / 1000
    return sum(revision.voxel_counts.values()) * voxel if revision else 0.0


def queue_facts(user: User, campaign: Campaign | None, waiting: Any, *, oversees: bool) -> QueueFacts:
    """The reviewer's verdicts of seven days, the batches that wait, the age of the queue."""
    rounds = visible_rounds(user)
    if campaign is not None:
        rounds = rounds.filter(annotation__campaign=campaign)
    judged = rounds.filter(ended_at__gt=now() - timedelta(days=7)).exclude(state="withdrawn")
    if not oversees:
        judged = judged.filter(reviewer=user)
    verdicts = Counter(dict(judged.order_by().values_list("state").annotate(Count("pk"))))
    batches = list(
        waiting.order_by()
        .values("annotation__batch", "annotation__batch__name")
        .annotate(
            waiting=Count("pk"), later=Count("pk", filter=Q(number__gt=1)), risky=Count("pk", filter=Q(risk__gte=70))
        )
        .order_by("-waiting")[:6]
    )
    return QueueFacts(
        {state: verdicts[state] for state in ("approved", "corrected", "returned")}, batches, days_waiting(waiting)
    )


def days_waiting(rounds: Any, days: int = 8) -> list[tuple[int, int]]:
    """`(first round, later rounds)` that wait since today, 1 day, …; the last holds all that is older."""
    found = [[0, 0] for _ in range(days)]
    moment = now()
    for created, number in rounds.order_by().values_list("created_at", "number"):
        age = min(days - 1, (moment - created).days)
        found[age][0 if number == 1 else 1] += 1
    return [(first, later) for first, later in found]


def prediction_name(scan: Scan, campaign: Campaign) -> str:
    """The model whose mask the scan was offered with, e.g. `m2`."""
    newest = PreAnnotation.objects.filter(scan=scan, campaign=campaign, revision__isnull=False).select_related("model")
    first = newest.first()
    return str(first.model) if first else ""


def _reason_tone(reason: str) -> str:
    if any(word in reason for word in GRAVE):
        return "bad"
    return "" if any(word in reason for word in MILD) else "warn"
