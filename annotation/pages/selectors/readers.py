"""How much each annotator of a campaign has done, and how well."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min

from annotation.pages.plots.canvas import median
from annotation.reviews.models import ReviewRound
from annotation.reviews.states import RoundState
from annotation.work.models import Assignment, Campaign, CampaignMember
from annotation.work.selectors import visible_batches
from annotation.work.states import AssignmentState, BatchState
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.kernel.clock import now

LOW_ACCEPTANCE, ENOUGH = 0.70, 5


@dataclass
class PersonRow:
    """One annotator's last seven days."""

    user: User
    batches: list[str]
    todo: int
    median_minutes: float | None
    first_pass: float | None
    judged: int
    days: list[int]
    note: str
    pause_reason: str = ""


def people(user: User, campaign: Campaign) -> list[PersonRow]:
    """The campaign's annotators with what they did in seven days."""
    since = now() - timedelta(days=7)
    left, (minutes, days), (accepted, judged) = _left(campaign), _week(campaign, since), _verdicts(campaign)
    names = _batches(user, campaign)
    found = []
    for member in CampaignMember.objects.filter(campaign=campaign, role=Role.ANNOTATOR).select_related("user"):
        who = member.user
        todo, waits_since = left.get(who.pk, (0, since))
        share = accepted[who.pk] / judged[who.pk] if judged[who.pk] else None
        note = ""
        if share is not None and share < LOW_ACCEPTANCE and judged[who.pk] >= ENOUGH:
            note = "often returned"
        elif todo and not sum(days[who.pk]) and waits_since < since and not member.is_paused:
            note = "idle 7 days"
        middle = median(minutes[who.pk]) if minutes[who.pk] else None
        row = PersonRow(who, names[who.pk], todo, middle, share, judged[who.pk], days[who.pk], note)
        row.pause_reason = member.pause_reason
        found.append(row)
    return found


def _left(campaign: Campaign) -> dict[Any, tuple[int, datetime]]:
    """By person: how many scans are left to do, and since when the oldest waits."""
    rows = Assignment.objects.filter(
        campaign=campaign,
        stage=Assignment.Stage.ANNOTATION,
        state__in=[AssignmentState.QUEUED, AssignmentState.OPEN, AssignmentState.RETURNED],
        person__isnull=False,
    ).exclude(batch__state__in=[BatchState.DRAFT, BatchState.CANCELLED, BatchState.CLOSED])
    counted = rows.order_by().values_list("person").annotate(Count("pk"), Min("created_at"))
    return {person: (count, oldest) for person, count, oldest in counted}


def _week(campaign: Campaign, since: datetime) -> tuple[dict[Any, list[float]], dict[Any, list[int]]]:
    """By person: the minutes of each scan handed in, and how many on each of seven days, today last."""
    minutes: dict[Any, list[float]] = defaultdict(list)
    days: dict[Any, list[int]] = defaultdict(lambda: [0] * 7)
    rows = Assignment.objects.filter(campaign=campaign, stage=Assignment.Stage.ANNOTATION, submitted_at__gt=since)
    for person, seconds, at in rows.values_list("person", "active_seconds", "submitted_at"):
        if seconds:
            minutes[person].append(seconds / 60)
        if at is not None:
            days[person][6 - min(6, (now() - at).days)] += 1
    return minutes, days


def _verdicts(campaign: Campaign) -> tuple[Counter[Any], Counter[Any]]:
    """By author: scans approved at first submission, and scans judged."""
    accepted: Counter[Any] = Counter()
    judged: Counter[Any] = Counter()
    for person, state in ReviewRound.objects.filter(
        annotation__campaign=campaign,
        number=1,
        review__isnull=False,  # not what was accepted on the certificate of its batch
        state__in=[RoundState.APPROVED, RoundState.CORRECTED, RoundState.RETURNED],
    ).values_list("author", "state"):
        judged[person] += 1
        accepted[person] += state == RoundState.APPROVED
    return accepted, judged


def _batches(user: User, campaign: Campaign) -> dict[Any, list[str]]:
    """By person: the names of their batches in progress."""
    names: dict[Any, list[str]] = defaultdict(list)
    rows = visible_batches(user).filter(
        campaign=campaign,
        assignee__isnull=False,
        state__in=[BatchState.PUBLISHED, BatchState.IN_PROGRESS, BatchState.RETURNED],
    )
    for person, name in rows.order_by("number").values_list("assignee", "name"):
        names[person].append(name)
    return names
