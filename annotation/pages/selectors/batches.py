"""Batches and people as a coordinator sees them."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import Count

from annotation.pages.plots.canvas import median
from annotation.pages.templatetags.figures import plural
from annotation.reviews.models import ReviewRound
from annotation.scans.models import Scan
from annotation.work.models import Assignment, Batch, Campaign, CampaignMember
from annotation.work.selectors import visible_batches
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.kernel.clock import now, today

COLUMNS = (
    ("draft", "Draft", "layers"),
    ("published", "Published", "inbox"),
    ("in_progress", "In progress", "circle-dot"),
    ("submitted", "Submitted", "send"),
    ("in_review", "In review", "scan-eye"),
    ("accepted", "Accepted", "check"),
)
COLUMN_OF = {"returned": "in_review", "closed": "accepted"}
STATES = ("approved", "in_review", "submitted", "returned", "open", "blocked", "skipped", "queued")
IDLE_DAYS, LOW_ACCEPTANCE, ENOUGH = 4, 0.70, 5
CARDS_PER_COLUMN = 6
CHOSEN = {"order": "in order", "random": "random", "score": "by the model's score", "hand": "by hand"}


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
        return sum(self.counts[state] for state in ("approved", "in_review", "submitted"))

    @property
    def bars(self) -> list[tuple[str, int, float]]:
        """State, count, per cent of the batch."""
        return [(state, n, 100 * n / self.total) for state in STATES if (n := self.counts[state])] if self.total else []

    @property
    def words(self) -> str:
        return ", ".join(f"{count} {state.replace('_', ' ')}" for state, count, _ in self.bars) or "no scans"

    @property
    def days_late(self) -> int:
        live = self.batch.state in ("published", "in_progress", "returned")
        return max(0, (today() - self.batch.due_on).days) if self.batch.due_on and live else 0

    @property
    def idle_days(self) -> int:
        if self.batch.state != "in_progress" or self.touched_at is None:
            return 0
        return (now() - self.touched_at).days


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


@dataclass
class Decision:
    """Something that needs the coordinator."""

    tone: str
    icon: str
    title: str
    text: str
    link: str = ""
    post: str = ""
    word: str = ""


def cards(user: User, campaign: Campaign, *, states: Sequence[str] | None = None) -> list[Card]:
    """Every batch of the campaign the person may see, newest first."""
    batches = visible_batches(user).filter(campaign=campaign).select_related("assignee").order_by("-number")
    if states:
        batches = batches.filter(state__in=states)
    batches = list(batches)
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


def state_counts(assignments: Any, by: str) -> dict[Any, Counter[str]]:
    """Annotation assignments in force by state, `in_review` told apart from `submitted`, grouped by a field."""
    rows = assignments.filter(stage=Assignment.Stage.ANNOTATION).exclude(state="reclaimed")
    found: dict[Any, Counter[str]] = defaultdict(Counter)
    for key, state, count in rows.order_by().values_list(by, "state").annotate(Count("pk")):
        found[key][state] += count
    judged = rows.filter(state="submitted", rounds__state__in=["claimed", "arbitration"])
    for key, count in judged.order_by().values_list(by).annotate(Count("pk", distinct=True)):
        found[key]["submitted"] -= count
        found[key]["in_review"] += count
    return found


def board(found: list[Card]) -> list[dict[str, Any]]:
    """The columns of the board."""
    columns = []
    for state, word, symbol in COLUMNS:
        held = [card for card in found if COLUMN_OF.get(card.batch.state, card.batch.state) == state]
        held.sort(key=lambda card: (-card.days_late, card.batch.number if state == "draft" else -card.batch.number))
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


def people(user: User, campaign: Campaign) -> list[PersonRow]:
    """The campaign's annotators with what they did in seven days."""
    members = CampaignMember.objects.filter(campaign=campaign, role=Role.ANNOTATOR).select_related("user")
    since = now() - timedelta(days=7)
    rows = Assignment.objects.filter(campaign=campaign, stage=Assignment.Stage.ANNOTATION)
    todo = dict(
        rows.filter(state__in=["queued", "open", "returned"], person__isnull=False)
        .exclude(batch__state__in=["draft", "cancelled", "closed"])
        .order_by()
        .values_list("person")
        .annotate(Count("pk"))
    )
    minutes: dict[Any, list[float]] = defaultdict(list)
    days: dict[Any, list[int]] = defaultdict(lambda: [0] * 7)
    for person, seconds, at in rows.filter(submitted_at__gt=since).values_list(
        "person", "active_seconds", "submitted_at"
    ):
        if seconds:
            minutes[person].append(seconds / 60)
        days[person][6 - min(6, (now() - at).days)] += 1
    accepted, judged = Counter(), Counter()
    for person, state in ReviewRound.objects.filter(
        annotation__campaign=campaign, number=1, state__in=["approved", "corrected", "returned"]
    ).values_list("author", "state"):
        judged[person] += 1
        accepted[person] += state == "approved"
    names: dict[Any, list[str]] = defaultdict(list)
    for person, name in (
        visible_batches(user)
        .filter(campaign=campaign, assignee__isnull=False, state__in=["published", "in_progress", "returned"])
        .order_by("number")
        .values_list("assignee", "name")
    ):
        names[person].append(name)
    found = []
    for member in members:
        who = member.user
        share = accepted[who.pk] / judged[who.pk] if judged[who.pk] else None
        done = sum(days[who.pk])
        note = ""
        if share is not None and share < LOW_ACCEPTANCE and judged[who.pk] >= ENOUGH:
            note = "often returned"
        elif not done and todo.get(who.pk):
            note = "idle 7 days"
        found.append(
            PersonRow(
                who,
                names[who.pk],
                todo.get(who.pk, 0),
                median(minutes[who.pk]) if minutes[who.pk] else None,
                share,
                judged[who.pk],
                days[who.pk],
                note,
            )
        )
    return found


def decisions(campaign: Campaign, found: list[Card], annotators: list[PersonRow], challenger: Any) -> list[Decision]:
    """What a coordinator should look at, gravest first."""
    out: list[Decision] = []
    for card in found:
        if not (card.days_late or card.idle_days >= IDLE_DAYS):
            continue
        idle = f" and untouched for {card.idle_days}" if card.idle_days else ""
        title = (
            f"{card.batch.name} is {plural(card.days_late, 'day')} late{idle}"
            if card.days_late
            else (f"{card.batch.name} is untouched for {plural(card.idle_days, 'day')}")
        )
        queued = card.counts["queued"]
        out.append(
            Decision(
                "bad",
                "ban",
                title,
                f"{plural(queued, 'queued scan')} can be reclaimed without losing work"
                if queued
                else "Nothing is left to reclaim; every scan was begun",
                link=f"/batches/{card.batch.pk}/",
                post=f"/batches/{card.batch.pk}/reclaim/" if queued and card.batch.assignee_id else "",
                word=f"Reclaim {plural(queued, 'scan')}" if queued and card.batch.assignee_id else "Open batch",
            )
        )
    blocked = Assignment.objects.filter(campaign=campaign, state="blocked").select_related("scan", "person", "batch")
    for row in blocked[:3]:
        out.append(
            Decision(
                "bad",
                "hand",
                f"{row.scan.code} is blocked by {row.person}",
                row.reason,
                link=f"/batches/{row.batch_id}/",
                word="Open batch",
            )
        )
    out += [
        Decision(
            "warn",
            "triangle-alert",
            f"{row.user}: first-pass acceptance {100 * row.first_pass:.0f} %",
            f"{row.judged} scans judged; read the comments together",
            link="/reviews/",
            word="Open reviews",
        )
        for row in annotators
        if row.note == "often returned"
    ]
    refused = Scan.objects.filter(campaign_scans__campaign=campaign, state__in=["rejected", "failed"]).count()
    if refused:
        out.append(
            Decision(
                "",
                "inbox",
                f"{plural(refused, 'scan')} did not come in",
                "Each says why; mend and upload again",
                link=f"/campaigns/{campaign.slug}/scans/?state=refused",
                word="See reasons",
            )
        )
    if challenger is not None:
        out.append(
            Decision(
                "",
                "cpu",
                f"Model {challenger} waits for a decision",
                "It was measured on the hold-out sites",
                link=f"/campaigns/{campaign.slug}/models/",
                word="See comparison",
            )
        )
    return out


def _tag(card: Card, campaign: Campaign) -> None:
    card.tags.append((CHOSEN.get(card.batch.chosen_by, card.batch.chosen_by), "", ""))
    if card.batch.state == "draft" and card.total < campaign.batch_size:
        card.tags.append((f"{card.total} of {campaign.batch_size}", "warn", "triangle-alert"))
    if card.batch.state == "closed":
        card.tags.append(("closed", "", "lock"))
    if card.batch.state == "returned":
        card.tags.append(("returned", "warn", "corner-up-left"))
    if card.idle_days >= IDLE_DAYS:
        card.tags.append((f"idle {card.idle_days} days", "bad", "ban"))
    if card.counts["blocked"]:
        card.tags.append((f"{card.counts['blocked']} blocked", "bad", "ban"))
