"""One week of a campaign: what was done, by whom and where, beside the week before."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, Min, Q

from annotation.datasets.models import Release
from annotation.learning.models import ModelVersion
from annotation.pages.plots.canvas import median
from annotation.reviews.models import ReviewRound
from annotation.reviews.states import RoundState
from annotation.scans.states import ScanState
from annotation.work.models import Assignment, Batch, Campaign
from annotation.work.selectors import visible_scans
from annotation.work.states import AssignmentState, BatchState
from voxloop.accounts.models import User
from voxloop.accounts.zones import today_of, zone_of

DAYS = 7
ACCEPTED = (RoundState.APPROVED, RoundState.CORRECTED)
JUDGED = (*ACCEPTED, RoundState.RETURNED)


@dataclass(frozen=True)
class Figure:
    """One figure of the week and of the week before; None where nothing was there to measure."""

    words: str
    value: float | None
    before: float | None
    unit: str = ""  # "%" or "min"; "" for a count

    @property
    def change(self) -> float | None:
        return None if self.value is None or self.before is None else self.value - self.before


@dataclass(frozen=True)
class Worker:
    """What one person did in the week. Minutes: the median active time of the scans handed in."""

    name: str
    handed_in: int
    approved: int
    returned: int
    minutes: float | None
    verdicts: int


@dataclass(frozen=True)
class Waiting:
    """What stands still now."""

    for_review: int
    oldest: datetime | None
    blocked: int
    late: list[Batch]


@dataclass(frozen=True)
class Week:
    """Everything on the page. `days`: handed in and approved on each day, Monday first."""

    monday: date
    is_running: bool
    figures: list[Figure]
    days: list[tuple[date, int, int]]
    people: list[Worker]
    sites: list[tuple[str, int, int]]
    happened: list[tuple[datetime, str]]
    waiting: Waiting | None  # of the running week only: nobody knows what stood still in an earlier one

    @property
    def sunday(self) -> date:
        return self.monday + timedelta(days=DAYS - 1)

    @property
    def is_empty(self) -> bool:
        return not self.people and not self.happened and not any(one.value for one in self.figures)


def monday_of(day: date) -> date:
    """The Monday of that day's week."""
    return day - timedelta(days=day.weekday())


def week_of(user: User, campaign: Campaign, monday: date) -> Week:
    """Count the week that begins with that Monday, where the person is; within the sites that they may see."""
    zone = zone_of(user)
    start, end = (datetime.combine(monday + timedelta(days=days), time.min, zone) for days in (0, DAYS))
    scans = visible_scans(user).filter(campaign_scans__campaign=campaign)
    # Readings that measure their reader are no work of the campaign.
    work = Assignment.objects.filter(
        campaign=campaign, stage=Assignment.Stage.ANNOTATION, scan__in=scans, is_gold=False
    )
    rounds = ReviewRound.objects.filter(annotation__in=work).exclude(state=RoundState.TAKEN_BACK)
    is_running = monday == monday_of(today_of(user))
    return Week(
        monday=monday,
        is_running=is_running,
        figures=_figures(work, rounds, scans, start, end),
        days=_days(rounds, monday, start, end),
        people=_people(work, rounds, start, end),
        sites=_sites(rounds, start, end),
        happened=_happened(campaign, start, end),
        waiting=_waiting(user, campaign, work, rounds) if is_running else None,
    )


def _figures(work: Any, rounds: Any, scans: Any, start: datetime, end: datetime) -> list[Figure]:
    now, before = (
        _counted(work, rounds, scans, first, last) for first, last in ((start, end), (start - (end - start), start))
    )
    return [Figure(words, now[words], before[words], unit) for words, unit in UNITS.items()]


UNITS = {
    "Scans handed in": "",
    "Scans approved": "",
    "First-pass acceptance": "%",
    "Returned": "%",
    "Median time per scan": "min",
    "Scans taken in": "",
    "Scans refused": "",
}


def _counted(work: Any, rounds: Any, scans: Any, start: datetime, end: datetime) -> dict[str, float | None]:
    verdicts = rounds.filter(ended_at__gte=start, ended_at__lt=end)
    own = Q(review__isnull=False)  # not what was accepted on the certificate of its batch
    of = verdicts.aggregate(
        approved=Count("pk", filter=Q(state__in=ACCEPTED, annotation__reader=1)),
        judged=Count("pk", filter=Q(state__in=JUDGED) & own),
        returned=Count("pk", filter=Q(state=RoundState.RETURNED) & own),
        first=Count("pk", filter=Q(number=1, state__in=JUDGED) & own),
        good=Count("pk", filter=Q(number=1, state=RoundState.APPROVED) & own),
    )
    came = scans.filter(created_at__gte=start, created_at__lt=end).aggregate(
        ready=Count("pk", filter=Q(state=ScanState.READY), distinct=True),
        refused=Count("pk", filter=Q(state__in=[ScanState.REJECTED, ScanState.FAILED]), distinct=True),
    )
    seconds = work.filter(active_seconds__gt=0, submitted_at__gte=start, submitted_at__lt=end)
    minutes = [value / 60 for value in seconds.values_list("active_seconds", flat=True)]
    return {
        "Scans handed in": _first(rounds, start, end).count(),
        "Scans approved": of["approved"],
        "First-pass acceptance": 100 * of["good"] / of["first"] if of["first"] else None,
        "Returned": 100 * of["returned"] / of["judged"] if of["judged"] else None,
        "Median time per scan": median(minutes) if minutes else None,
        "Scans taken in": came["ready"],
        "Scans refused": came["refused"],
    }


def _first(rounds: Any, start: datetime, end: datetime) -> Any:
    """The first handing-in of each scan, once however many read it."""
    return rounds.filter(number=1, annotation__reader=1, created_at__gte=start, created_at__lt=end)


def _approvals(rounds: Any, start: datetime, end: datetime) -> Any:
    return rounds.filter(state__in=ACCEPTED, annotation__reader=1, ended_at__gte=start, ended_at__lt=end)


def _days(rounds: Any, monday: date, start: datetime, end: datetime) -> list[tuple[date, int, int]]:
    zone = start.tzinfo

    def by_day(times: Any) -> Counter[date]:
        return Counter(at.astimezone(zone).date() for at in times)

    handed = by_day(_first(rounds, start, end).values_list("created_at", flat=True))
    approved = by_day(_approvals(rounds, start, end).values_list("ended_at", flat=True))
    return [(day, handed[day], approved[day]) for n in range(DAYS) if (day := monday + timedelta(days=n))]


def _people(work: Any, rounds: Any, start: datetime, end: datetime) -> list[Worker]:
    """Everybody who handed in or judged something, by name; every reading counts, each round's verdict, too."""
    handed = Counter(
        rounds.filter(number=1, created_at__gte=start, created_at__lt=end).values_list("author__username", flat=True)
    )
    approved: Counter[str] = Counter()
    returned: Counter[str] = Counter()
    verdicts: Counter[str] = Counter()
    for author, reviewer, state in rounds.filter(
        state__in=JUDGED, review__isnull=False, ended_at__gte=start, ended_at__lt=end
    ).values_list("author__username", "reviewer__username", "state"):
        (returned if state == RoundState.RETURNED else approved)[author] += 1
        if reviewer:
            verdicts[reviewer] += 1
    minutes: dict[str, list[float]] = defaultdict(list)
    timed = work.filter(active_seconds__gt=0, submitted_at__gte=start, submitted_at__lt=end)
    for name, seconds in timed.values_list("person__username", "active_seconds"):
        minutes[name].append(seconds / 60)
    return [
        Worker(
            name,
            handed[name],
            approved[name],
            returned[name],
            median(minutes[name]) if minutes[name] else None,
            verdicts[name],
        )
        for name in sorted({*handed, *approved, *returned, *verdicts})
    ]


def _sites(rounds: Any, start: datetime, end: datetime) -> list[tuple[str, int, int]]:
    handed = Counter(_first(rounds, start, end).values_list("annotation__scan__site__code", flat=True))
    approved = Counter(_approvals(rounds, start, end).values_list("annotation__scan__site__code", flat=True))
    return [(code, handed[code], approved[code]) for code in sorted({*handed, *approved})]


def _happened(campaign: Campaign, start: datetime, end: datetime) -> list[tuple[datetime, str]]:
    """Models that began to serve and releases that were frozen, in order."""
    models = ModelVersion.objects.filter(campaign=campaign, promoted_at__gte=start, promoted_at__lt=end)
    releases = Release.objects.filter(campaign=campaign, frozen_at__gte=start, frozen_at__lt=end)
    found = [(one.promoted_at, f"Model {one} began to serve.") for one in models if one.promoted_at]
    found += [(one.frozen_at, f"Release {one} was frozen.") for one in releases if one.frozen_at]
    return sorted(found)


def _waiting(user: User, campaign: Campaign, work: Any, rounds: Any) -> Waiting:
    queue = rounds.filter(state__in=[RoundState.PENDING, RoundState.CLAIMED])
    late = Batch.objects.filter(
        campaign=campaign,
        due_on__lt=today_of(user),
        state__in=[BatchState.PUBLISHED, BatchState.IN_PROGRESS, BatchState.RETURNED],
    )
    return Waiting(
        for_review=queue.count(),
        oldest=queue.aggregate(at=Min("created_at"))["at"],
        blocked=work.filter(state=AssignmentState.BLOCKED).count(),
        late=list(late.order_by("due_on", "number")),
    )
