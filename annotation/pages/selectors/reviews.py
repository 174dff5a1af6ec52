"""The reviewer's queue: riskiest first, with the reasons in words."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Q

from annotation.masks.models import MaskRevision
from annotation.masks.nifti import geometry_of
from annotation.masks.selectors import amount_of
from annotation.pages.templatetags.figures import plural
from annotation.reviews.models import Arbitration, ReviewRound, RoundMask
from annotation.reviews.selectors import arbitration_queue, review_queue, visible_arbitrations, visible_rounds
from annotation.reviews.states import ArbitrationState, RoundState
from annotation.work.models import Batch, Campaign, SignaturePolicy
from annotation.work.pauses import Pause, person_pause, told
from annotation.work.schema import parse_schema
from voxloop.accounts.models import User
from voxloop.kernel.clock import now

GRAVE = ("slices seen", "outside", "empty", "confirmed", "no answer", "no signs", "disagree")
MILD = ("first batch", "as the model", "large change")


@dataclass
class QueueRow:
    """One round that waits."""

    round: ReviewRound
    amount: float | None
    """What is marked in `unit`, mL or cm²; `model_amount`: what the newest prediction marks."""
    model_amount: float | None
    unit: str
    reasons: list[tuple[str, str]]
    tone: str
    is_mine: bool
    signing: str = ""

    @property
    def change(self) -> float | None:
        if self.amount is None or self.model_amount is None:
            return None
        return self.amount - self.model_amount

    @property
    def is_far(self) -> bool:
        change = self.change
        return change is not None and abs(change) > max(10.0, 0.15 * (self.model_amount or 0))


@dataclass
class QueueFacts:
    """Figures beside the queue."""

    verdicts: dict[str, int]
    batches: list[dict[str, Any]]
    days: list[tuple[int, int]]


def signing_words(campaign: Campaign, entered_at: datetime | None) -> str:
    """How an approval is signed now, as it is; `entered_at`: when this log-in last gave the password."""
    minutes = int(settings.SIGNATURE_LASTS.total_seconds() // 60)
    if campaign.signature_policy == SignaturePolicy.LOG_IN:
        return "An approval is signed with your log-in; this campaign asks for no password."
    if campaign.signature_policy == SignaturePolicy.ALWAYS:
        return "An approval is signed; it asks for your password every time."
    if entered_at is None or now() - entered_at > settings.SIGNATURE_LASTS:
        return "An approval is signed; it asks for your password."
    left = max(1, round((entered_at + settings.SIGNATURE_LASTS - now()).total_seconds() / 60))
    return (
        f"An approval is signed. You entered your password in the last {minutes} minutes; it is asked for again in "
        f"{plural(left, 'minute')}."
    )


def queue(user: User, campaign: Campaign | None, *, oversees: bool) -> Any:
    """Rounds that wait: those the reviewer may take, or for a coordinator all that are visible."""
    if not oversees:
        return review_queue(user, campaign)
    rows = (
        visible_rounds(user).filter(state__in=[RoundState.PENDING, RoundState.CLAIMED]).order_by("-risk", "created_at")
    )
    return rows.filter(annotation__campaign=campaign) if campaign else rows


def pauses_of_reviews(user: User, campaign: Campaign) -> list[Pause]:
    """What a reviewer reads above the queue: their own pause, and the paused batches of which a review waits."""
    own = person_pause(user, campaign)
    waiting = visible_rounds(user).filter(state=RoundState.PENDING, annotation__campaign=campaign)
    batches = Batch.objects.filter(is_paused=True, pk__in=waiting.values("annotation__batch")).order_by("number")
    return ([own] if own else []) + [told(f"{batch} is paused.", batch) for batch in batches]


def tell(rounds: list[ReviewRound], user: User) -> list[QueueRow]:
    """Fill in each row's marked amount of the first editable layer, and the reasons."""
    masks = {
        (mask.round_id, mask.layer): mask
        for mask in RoundMask.objects.filter(round__in=rounds).select_related("submitted")
    }
    predictions: dict[tuple[Any, str], MaskRevision] = {}
    for revision in MaskRevision.objects.filter(
        kind=MaskRevision.Kind.PREDICTION, scan__in=[one.annotation.scan_id for one in rounds]
    ).order_by("created_at"):
        predictions[revision.scan_id, revision.layer] = revision
    layers: dict[Any, str] = {}
    rows = []
    for one in rounds:
        scan, campaign = one.annotation.scan, one.annotation.campaign
        if campaign.pk not in layers:
            layers[campaign.pk] = parse_schema(campaign.schema.definition).layer().name
        layer = layers[campaign.pk]
        mask, prediction = masks.get((one.pk, layer)), predictions.get((scan.pk, layer))
        rows.append(
            QueueRow(
                round=one,
                amount=amount_of(mask.submitted, scan) if mask else None,
                model_amount=amount_of(prediction, scan) if prediction else None,
                unit=geometry_of(scan).unit,
                reasons=[(reason, _reason_tone(reason)) for reason in one.reasons],
                tone="bad" if one.risk >= 70 else "warn" if one.risk >= 40 else "text-3",
                is_mine=one.state == RoundState.CLAIMED and one.reviewer_id == user.pk,
            )
        )
    return rows


def queue_facts(user: User, campaign: Campaign | None, waiting: Any, *, oversees: bool) -> QueueFacts:
    """The reviewer's verdicts of seven days, the batches that wait, the age of the queue."""
    rounds = visible_rounds(user)
    if campaign is not None:
        rounds = rounds.filter(annotation__campaign=campaign)
    judged = rounds.filter(ended_at__gt=now() - timedelta(days=7)).exclude(state=RoundState.WITHDRAWN)
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
        {state: verdicts[state] for state in (RoundState.APPROVED, RoundState.CORRECTED, RoundState.RETURNED)},
        batches,
        days_waiting(waiting),
    )


def days_waiting(rounds: Any, days: int = 8) -> list[tuple[int, int]]:
    """`(first round, later rounds)` that wait since today, 1 day, …; the last holds all that is older."""
    found = [[0, 0] for _ in range(days)]
    moment = now()
    for created, number in rounds.order_by().values_list("created_at", "number"):
        age = min(days - 1, (moment - created).days)
        found[age][0 if number == 1 else 1] += 1
    return [(first, later) for first, later in found]


def _reason_tone(reason: str) -> str:
    if any(word in reason for word in GRAVE):
        return "bad"
    return "" if any(word in reason for word in MILD) else "warn"


def arbitrations(user: User, campaign: Campaign | None, *, oversees: bool) -> list[Arbitration]:
    """Those that the person may take or has taken, or for a coordinator all that wait for a decision."""
    if not oversees:
        return list(arbitration_queue(user, campaign).select_related("round__review"))
    rows = visible_arbitrations(user).filter(state__in=[ArbitrationState.WAITING, ArbitrationState.CLAIMED])
    rows = rows.filter(campaign=campaign) if campaign else rows
    return list(rows.order_by("created_at"))
