"""The figures of the campaign dashboard, counted from the current rows."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.db.models import Count, Min

from annotation.learning.models import ModelVersion
from annotation.pages.plots.canvas import median
from annotation.pages.selectors.batches import STATES, state_counts
from annotation.pages.selectors.reviews import days_waiting
from annotation.pages.templatetags.figures import plural
from annotation.reviews.models import ReviewRound
from annotation.reviews.states import RoundState
from annotation.scans.models import Site
from annotation.scans.states import ScanState
from annotation.work.models import Assignment, Campaign
from annotation.work.selectors import unassigned_scans, visible_scans
from annotation.work.states import AssignmentState
from voxloop.accounts.models import User
from voxloop.kernel.clock import now

LIMIT_DAYS = 4


@dataclass
class Range:
    """The range of the plots: since when, and at which site (None: all the person may see)."""

    since: datetime | None
    site: Site | None
    sites: list[Site]


@dataclass
class Figures:
    """Everything the dashboard shows."""

    start: datetime
    approved: list[tuple[datetime, int]]
    handed_in: list[tuple[datetime, int]]
    first_pass: list[tuple[str, int, int]]
    minutes: list[tuple[str, list[float]]]
    median_minutes: float | None
    saved: list[tuple[str, float | None, float | None]]
    saved_counts: dict[str, tuple[int, int]]
    days: list[tuple[int, int]]
    coverage: list[dict[str, Any]]
    returned_share: float | None
    first_model: datetime | None
    unassigned: int
    approved_week: int

    @property
    def waiting(self) -> int:
        return sum(first + later for first, later in self.days)

    @property
    def over_limit(self) -> int:
        return sum(first + later for first, later in self.days[LIMIT_DAYS:])

    @property
    def acceptance(self) -> float | None:
        judged = sum(total for _, _, total in self.first_pass)
        return sum(good for _, good, _ in self.first_pass) / judged if judged else None

    @property
    def saved_minutes(self) -> float | None:
        name, blank, helped = self.saved[-1] if self.saved else ("", None, None)
        return helped - blank if name == "All" and blank is not None and helped is not None else None


def figures(user: User, campaign: Campaign, within: Range) -> Figures:
    """Count everything, within what the person may see."""
    scans = visible_scans(user).filter(campaign_scans__campaign=campaign)
    if within.site is not None:
        scans = scans.filter(site=within.site)
    work = Assignment.objects.filter(campaign=campaign, stage=Assignment.Stage.ANNOTATION, scan__in=scans)
    rounds = ReviewRound.objects.filter(annotation__in=work).exclude(state=RoundState.TAKEN_BACK)
    # Scans count once, however many read them.
    judged = rounds.filter(
        state__in=[RoundState.APPROVED, RoundState.CORRECTED], ended_at__isnull=False, annotation__reader=1
    )
    approved = _cumulative(judged.order_by("ended_at").values_list("ended_at", flat=True))
    handed = _cumulative(
        rounds.filter(number=1, annotation__reader=1).order_by("created_at").values_list("created_at", flat=True)
    )  # a round begins with the handing-in
    first_begun = work.aggregate(at=Min("created_at"))["at"] or campaign.created_at
    start = min([first_begun, *(rows[0][0] for rows in (approved, handed) if rows)])
    if within.since and within.since > start:
        start = within.since
        approved, handed = _from(approved, start), _from(handed, start)
    verdicts = rounds.filter(
        review__isnull=False,  # not what was accepted on the certificate of its batch
        number=1,
        state__in=[RoundState.APPROVED, RoundState.CORRECTED, RoundState.RETURNED],
        ended_at__gte=start,
    )
    timed = work.filter(active_seconds__gt=0, submitted_at__gte=start)
    week = now() - timedelta(days=7)
    finished = rounds.filter(
        state__in=[RoundState.APPROVED, RoundState.CORRECTED, RoundState.RETURNED], ended_at__gte=start
    )
    total = finished.count()
    saved, counts = _saved(timed.filter(reader=1))
    return Figures(
        start=start,
        approved=approved,
        handed_in=handed,
        first_pass=_first_pass(verdicts, start),
        minutes=_minutes(timed),
        median_minutes=_median_minutes(timed),
        saved=saved,
        saved_counts=counts,
        days=days_waiting(rounds.filter(state__in=[RoundState.PENDING, RoundState.CLAIMED])),
        coverage=_coverage(scans, work, campaign),
        returned_share=finished.filter(state=RoundState.RETURNED).count() / total if total else None,
        first_model=ModelVersion.objects.filter(campaign=campaign, promoted_at__isnull=False).aggregate(
            at=Min("promoted_at")
        )["at"],
        unassigned=unassigned_scans(campaign).filter(pk__in=scans).count(),
        approved_week=judged.filter(ended_at__gt=week).count(),
    )


def plan_end(campaign: Campaign) -> datetime | None:
    """The planned end as a time."""
    return datetime.combine(campaign.planned_until, time.max, UTC) if campaign.planned_until else None


def forecast(rows: Sequence[tuple[datetime, int]], until: datetime | None, planned: int) -> str:
    """A forecast from the pace of the last two weeks, in a sentence; empty without a plan or with too little data."""
    if until is None or not planned or len(rows) < 5 or until <= now():
        return ""
    since = max(rows[0][0], now() - timedelta(days=14))
    days = (now() - since).total_seconds() / 86400
    if days < 1:
        return ""
    before = max([count for at, count in rows if at <= since], default=0)
    ends_at = rows[-1][1] + (rows[-1][1] - before) / days * (until - now()).total_seconds() / 86400
    gap = round(planned - ends_at)
    return f"At this pace the plan is missed by {plural(gap, 'scan')}." if gap > 0 else "At this pace the plan holds."


def bins_of(start: datetime, end: datetime, most: int = 12) -> list[tuple[datetime, str]]:
    """Periods from `start` to `end`, at most `most`: hours, days or weeks, with labels."""
    span = (end - start).total_seconds()
    step = next((step for step in (3600, 86400, 604800) if span / step <= most), 2419200)
    pattern = "%H h" if step == 3600 else "%-d %b"
    first = datetime.fromtimestamp(start.timestamp() // step * step, tz=UTC)
    count = int((end - first).total_seconds() // step) + 1
    return [(at := first + timedelta(seconds=step * index), f"{at:{pattern}}") for index in range(count)][-most:]


def _cumulative(times: Any) -> list[tuple[datetime, int]]:
    return [(at, index) for index, at in enumerate(times, start=1)]


def _from(rows: list[tuple[datetime, int]], start: datetime) -> list[tuple[datetime, int]]:
    before = [count for at, count in rows if at < start]
    kept = [row for row in rows if row[0] >= start]
    return ([(start, before[-1])] if before else []) + kept


def _first_pass(verdicts: Any, start: datetime) -> list[tuple[str, int, int]]:
    rows = list(verdicts.values_list("ended_at", "state"))
    if not rows:
        return []
    edges = bins_of(max(start, min(at for at, _ in rows)), now())
    good: Counter[int] = Counter()
    total: Counter[int] = Counter()
    for at, state in rows:
        index = max((index for index, (edge, _) in enumerate(edges) if edge <= at), default=0)
        total[index] += 1
        good[index] += state == RoundState.APPROVED
    return [(word, good[index], total[index]) for index, (_, word) in enumerate(edges)]


def _minutes(timed: Any) -> list[tuple[str, list[float]]]:
    found: dict[str, list[float]] = defaultdict(list)
    for name, seconds in timed.order_by("submitted_at").values_list("person__username", "active_seconds"):
        found[name].append(seconds / 60)
    return sorted(found.items(), key=lambda row: median(row[1]))[:10]


def _median_minutes(timed: Any) -> float | None:
    seconds = list(timed.values_list("active_seconds", flat=True))
    return median(seconds) / 60 if seconds else None


def _saved(timed: Any) -> tuple[list[tuple[str, float | None, float | None]], dict[str, tuple[int, int]]]:
    groups: dict[str, dict[str, list[float]]] = defaultdict(lambda: {"blank": [], "prediction": []})
    for site, start, seconds in timed.values_list("scan__site__code", "starts_from", "active_seconds"):
        if start in ("blank", "prediction"):
            groups[f"Site {site}"][start].append(seconds / 60)
            groups["All"][start].append(seconds / 60)
    names = [*sorted(name for name in groups if name != "All"), *(["All"] if groups else [])]

    def middle(name: str, start: str) -> float | None:
        return median(groups[name][start]) if groups[name][start] else None

    rows = [(name, middle(name, "blank"), middle(name, "prediction")) for name in names]
    return rows, {name: (len(groups[name]["blank"]), len(groups[name]["prediction"])) for name in names}


def _coverage(scans: Any, work: Any, campaign: Campaign) -> list[dict[str, Any]]:
    ready = scans.filter(state=ScanState.READY)
    totals = dict(ready.order_by().values_list("site").annotate(Count("pk", distinct=True)))
    # Scans count once, however many read them: the first reading stands for its scan.
    counts = state_counts(work.filter(reader=1, scan__state=ScanState.READY), "scan__site")
    rows = []
    for site in Site.objects.filter(pk__in=totals).order_by("code"):
        total = totals[site.pk]
        held = counts[site.pk]
        taken = sum(count for state, count in held.items() if state != AssignmentState.SKIPPED)
        bars = [(state, held[state], 100 * held[state] / max(total, 1)) for state in STATES if held[state] > 0]
        rows.append(
            {
                "site": site,
                "total": total,
                "bars": bars,
                "approved": held[AssignmentState.APPROVED],
                "free": max(0, total - taken),
            }
        )
    return rows
