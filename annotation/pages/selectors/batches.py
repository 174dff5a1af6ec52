"""Batches and people as a coordinator sees them."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Q

from annotation.pages.templatetags.figures import plural
from annotation.reviews.states import RoundState
from annotation.reviews.trials import CHOSEN_BY
from annotation.work.choosing import mix_of, say_why
from annotation.work.models import Assignment, Batch, Campaign
from annotation.work.schema import parse_schema
from annotation.work.selectors import TOLD_STATE, visible_batches
from annotation.work.states import AssignmentState, BatchState
from voxloop.accounts.models import User
from voxloop.accounts.zones import today_of
from voxloop.kernel.clock import now

COLUMNS = (
    (BatchState.DRAFT, "Draft", "layers"),
    (BatchState.PUBLISHED, "Published", "inbox"),
    (BatchState.IN_PROGRESS, "In progress", "circle-dot"),
    (BatchState.SUBMITTED, "Submitted", "send"),
    (BatchState.IN_REVIEW, "In review", "scan-eye"),
    (BatchState.ACCEPTED, "Accepted", "check"),
)
COLUMN_OF: dict[str, BatchState] = {BatchState.RETURNED: BatchState.IN_REVIEW, BatchState.CLOSED: BatchState.ACCEPTED}
# Submitted assignments whose round a reviewer has claimed are shown separately.
IN_REVIEW = "in_review"
STATES = (
    AssignmentState.APPROVED,
    IN_REVIEW,
    AssignmentState.SUBMITTED,
    AssignmentState.RETURNED,
    AssignmentState.OPEN,
    AssignmentState.BLOCKED,
    AssignmentState.SKIPPED,
    AssignmentState.QUEUED,
)

IDLE_DAYS = 4
CARDS_PER_COLUMN = 6
CHOSEN = {
    "hybrid": "by usefulness",
    "entropy": "least sure first",
    "foreground_random": "at random with findings",
    "random": "at random",
    "gold": "gold scan",
    "order": "in order",
    "score": "by the model's score",  # of batches made before there were strategies
    "hand": "by hand",
}
WHYS = {
    "uncertain": "the model is unsure",
    "diverse": "unlike the others",
    "foreground": "at random with a finding",
    "random": "at random",
    "held_out": "hold-out site",
    "repeat": "read again",
    "overlap": "another reader",
    "order": "in order",
    "hand": "by hand",
}


@dataclass
class Card:
    """One batch with its counts by state."""

    batch: Batch
    counts: dict[str, int]
    touched_at: Any = None
    tags: list[tuple[str, str, str]] = field(default_factory=list)  # words, tone, icon

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def handed_in(self) -> int:
        return sum(self.counts[state] for state in (AssignmentState.APPROVED, IN_REVIEW, AssignmentState.SUBMITTED))

    @property
    def bars(self) -> list[tuple[str, int, float]]:
        """State, count, per cent of the batch."""
        return [(state, n, 100 * n / self.total) for state in STATES if (n := self.counts[state])] if self.total else []

    @property
    def words(self) -> str:
        return ", ".join(f"{count} {state.replace('_', ' ')}" for state, count, _ in self.bars) or "no scans"

    @property
    def days_late(self) -> int:
        live = self.batch.state in (BatchState.PUBLISHED, BatchState.IN_PROGRESS, BatchState.RETURNED)
        if not self.batch.due_on or not live:
            return 0
        # The day ends where the annotator is; of a batch in the pool, where the coordinator is who made it.
        return max(0, (today_of(self.batch.assignee or self.batch.created_by) - self.batch.due_on).days)

    @property
    def idle_days(self) -> int:
        if self.batch.state != BatchState.IN_PROGRESS or self.touched_at is None or self.batch.is_paused:
            return 0
        return int((now() - self.touched_at).days)


def cards(user: User, campaign: Campaign, *, states: Sequence[str] | None = None) -> list[Card]:
    """Every batch of the campaign the person may see, newest first."""
    rows = visible_batches(user).filter(campaign=campaign).select_related("assignee", "created_by").order_by("-number")
    rows = rows.exclude(chosen_by=CHOSEN_BY)  # a certification is no batch of the campaign's work
    if states:
        rows = rows.filter(state__in=states)
    batches = list(rows)
    counts = state_counts(Assignment.objects.filter(batch__in=batches), "batch")
    touched: dict[Any, Any] = {}
    for batch, at in Assignment.objects.filter(
        batch__in=batches, stage=Assignment.Stage.ANNOTATION, opened_at__isnull=False
    ).values_list("batch", "changed_at"):
        touched[batch] = max(at, touched.get(batch, at))
    found = [Card(batch, counts[batch.pk], touched.get(batch.pk)) for batch in batches]
    for card in found:
        _tag(card, campaign)
    return found


def scan_counts(found: Sequence[Card]) -> tuple[int, int]:
    """How many scans lie in these batches, and how many of them are approved: each once, however many read it."""
    rows = Assignment.objects.filter(batch__in=[card.batch for card in found], stage=Assignment.Stage.ANNOTATION)
    rows = rows.exclude(state=AssignmentState.RECLAIMED)
    counted = rows.aggregate(
        scans=Count("scan", distinct=True),
        approved=Count("scan", filter=Q(reader=1, state=AssignmentState.APPROVED), distinct=True),
    )
    return counted["scans"], counted["approved"]


def state_counts(assignments: Any, by: str) -> dict[Any, Counter[str]]:
    """Counts of active annotation assignments by state, `in_review` separate from `submitted`, grouped by a field."""
    rows = assignments.filter(stage=Assignment.Stage.ANNOTATION).exclude(state=AssignmentState.RECLAIMED)
    found: dict[Any, Counter[str]] = defaultdict(Counter)
    told = rows.order_by().annotate(told=TOLD_STATE)
    for key, state, count in told.values_list(by, "told").annotate(Count("pk")):
        found[key][state] += count
    judged = rows.filter(
        state=AssignmentState.SUBMITTED, rounds__state__in=[RoundState.CLAIMED, RoundState.ARBITRATION]
    )
    for key, count in judged.order_by().values_list(by).annotate(Count("pk", distinct=True)):
        found[key][AssignmentState.SUBMITTED] -= count
        found[key][IN_REVIEW] += count
    return found


def board(found: list[Card]) -> list[dict[str, Any]]:
    """The columns of the board."""
    columns = []
    for state, word, symbol in COLUMNS:
        held = [card for card in found if COLUMN_OF.get(card.batch.state, card.batch.state) == state]
        held.sort(
            key=lambda card: (-card.days_late, card.batch.number if state == BatchState.DRAFT else -card.batch.number)
        )
        columns.append(
            {
                "state": state,
                "word": word,
                "icon": symbol,
                "cards": held[:CARDS_PER_COLUMN],
                "count": len(held),
                "more": max(0, len(held) - CARDS_PER_COLUMN),
            }
        )
    return columns


def _tag(card: Card, campaign: Campaign) -> None:
    card.tags.append((CHOSEN.get(card.batch.chosen_by, card.batch.chosen_by), "", ""))
    if card.batch.is_paused:
        card.tags.append(("paused", "warn", "pause"))
    if card.batch.state == BatchState.DRAFT and card.total < campaign.batch_size:
        card.tags.append((f"{card.total} of {campaign.batch_size}", "warn", "triangle-alert"))
    if card.batch.state == BatchState.CLOSED:
        card.tags.append(("closed", "", "lock"))
    if card.batch.state == BatchState.RETURNED:
        card.tags.append(("returned", "warn", "corner-up-left"))
    if card.idle_days >= IDLE_DAYS:
        card.tags.append((f"idle {plural(card.idle_days, 'day')}", "bad", "ban"))
    if card.counts[AssignmentState.BLOCKED]:
        card.tags.append((f"{card.counts[AssignmentState.BLOCKED]} blocked", "bad", "ban"))


def chosen_rows(rows: Sequence[Assignment]) -> list[tuple[Assignment, str]]:
    """Each assignment with why its scan was chosen, in a sentence."""
    return [(row, say_why(row.choice, row.scan.site.code)) for row in rows]


def mix_bars(rows: Sequence[Assignment], campaign: Campaign) -> list[dict[str, Any]]:
    """What a batch is made of, as named groups of `(word, count, per cent)`; empty for one that was not chosen so."""
    current = [row for row in rows if row.state != AssignmentState.RECLAIMED]
    if not any(row.choice for row in current):
        return []
    mix = mix_of((row.scan.site.code, row.choice) for row in current)
    names = {
        segment.key: segment.name
        for layer in parse_schema(campaign.schema.definition).layers
        for segment in layer.segments
    }
    groups: list[tuple[str, list[tuple[str, int]]]] = [
        ("By site", [(f"Site {site}", count) for site, count in mix.by_site.items()]),
        ("By expected finding", [(names.get(key, key), count) for key, count in mix.by_finding.items()]),
        ("By expected extent", list(mix.by_extent.items())),
        ("Why", [(WHYS.get(why, why), count) for why, count in mix.by_why.items()]),
    ]
    return [
        {"name": name, "rows": [(word, count, 100 * count / mix.scans) for word, count in found]}
        for name, found in groups
    ]
