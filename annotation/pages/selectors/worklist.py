"""The annotator's work list: what to do next and why."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count

from annotation.masks.models import MaskRevision
from annotation.masks.selectors import is_served_blank
from annotation.pages.plots.canvas import median
from annotation.pages.selectors.own_batches import BatchCard, own_batches
from annotation.pages.templatetags.figures import duration, plural
from annotation.reviews.models import Comment, ReviewRound
from annotation.reviews.selectors import told_comments
from annotation.reviews.states import CommentState, RoundState
from annotation.work.models import Assignment, Campaign
from annotation.work.pauses import UNOPENED, held_for
from annotation.work.selectors import TOLD_STATE, pool, work_list
from annotation.work.states import AssignmentState
from voxloop.accounts.models import User
from voxloop.kernel.clock import now

SHOWS = {
    "todo": (AssignmentState.RETURNED, AssignmentState.OPEN, AssignmentState.QUEUED, AssignmentState.BLOCKED),
    "submitted": (AssignmentState.SUBMITTED,),
    "done": (AssignmentState.APPROVED, AssignmentState.SKIPPED),
}
GROUPS: dict[str, int] = {
    AssignmentState.RETURNED: 0,
    AssignmentState.OPEN: 1,
    AssignmentState.QUEUED: 2,
    AssignmentState.BLOCKED: 3,
    AssignmentState.SUBMITTED: 4,
    AssignmentState.APPROVED: 5,
    AssignmentState.SKIPPED: 5,
}
SHOWN_SCANS = 12


@dataclass
class Row:
    """One assignment in the list, with its reason in words."""

    assignment: Assignment
    why: str
    start: str
    waiting_since: Any
    can_take_back: bool = False
    group: str = ""
    group_note: str = ""
    group_count: int = 0

    @property
    def state(self) -> str:
        """As it is told."""
        return self.assignment.told_state


@dataclass
class Said:
    """A remark of a reviewer."""

    code: str
    who: str
    text: str
    at: Any
    slice: int | None
    state: str
    href: str = ""


@dataclass
class WorkPage:
    """Everything on the page but the rows of the list."""

    counts: dict[str, int]
    next: Row | None
    next_comments: int
    pool_left: int
    batches: list[BatchCard] = field(default_factory=list)
    times: list[tuple[str, float, str]] = field(default_factory=list)
    median_minutes: float | None = None
    said: list[Said] = field(default_factory=list)


def work_counts(user: User, campaign: Campaign | None) -> dict[str, int]:
    """How many assignments are in each tab."""
    by_state = Counter(dict(_own(user, campaign).order_by().values_list(TOLD_STATE).annotate(Count("pk"))))
    return {show: sum(by_state[state] for state in states) for show, states in SHOWS.items()} | {
        "returned": by_state[AssignmentState.RETURNED]
    }


def work_rows(user: User, campaign: Campaign | None, show: str) -> Any:
    """The assignments of one tab, in order: returned, started, up next; done newest first."""
    rows = _own(user, campaign).filter(state__in=SHOWS[show])
    if show == "todo":
        return rows.order_by("turn", "batch__due_on", "batch__number", "position")
    return rows.order_by("-changed_at")


def tell(rows: Sequence[Assignment]) -> list[Row]:
    """Fill in why each row is listed and what it starts from."""
    comments = _open_comments(rows)
    strokes = _strokes(rows)
    predicted = set(
        MaskRevision.objects.filter(
            kind=MaskRevision.Kind.PREDICTION, scan__in=[row.scan_id for row in rows if not row.starts_from]
        ).values_list("scan_id", flat=True)
    )
    unclaimed = set(
        ReviewRound.objects.filter(annotation__in=rows, state=RoundState.PENDING).values_list(
            "annotation_id", flat=True
        )
    )
    corrected = dict(
        ReviewRound.objects.filter(annotation__in=rows, state=RoundState.CORRECTED).values_list(
            "annotation_id", "reviewer__username"
        )
    )
    first_queued = next((row for row in rows if row.state == AssignmentState.QUEUED), None)
    told: list[Row] = []
    for row in rows:
        why, since = _why(row, comments.get(row.pk, []), strokes.get(row.pk, 0), row is first_queued)
        start = row.starts_from
        if not start and row.scan_id in predicted and not is_served_blank(row):
            start = "prediction"
        can_take_back = row.state == AssignmentState.SUBMITTED and row.pk in unclaimed
        if row.state == AssignmentState.SUBMITTED and not can_take_back:
            why = "Handed in; a reviewer has begun on it"
        if row.state == AssignmentState.APPROVED and row.pk in corrected:
            why = f"{why}, with corrections by {corrected[row.pk]}: open it to see them"
        told.append(Row(row, why, start or "blank", since, can_take_back))
    return told


def group(told: list[Row], all_rows: Any) -> list[Row]:
    """Put a heading with the total count before the first row of each group."""
    totals: Counter[Any] = Counter()
    for state, batch, count in all_rows.order_by().values_list(TOLD_STATE, "batch").annotate(Count("pk")):
        totals[_group_of(state, batch)] += count
    seen: set[Any] = set()
    for row in told:
        state, batch = row.assignment.told_state, row.assignment.batch
        key = _group_of(state, batch.pk)
        if key not in seen:
            seen.add(key)
            row.group, row.group_note = {
                0: ("Returned to you", "first, so that the batch can be accepted"),
                1: ("Started", ""),
                2: (f"Up next in {batch.name}", "in the order of the batch"),
                3: ("Blocked", "wait for an answer to your issue"),
                4: ("Handed in", "read-only until a reviewer answers"),
                5: ("Done", "newest first"),
            }[key[0]]
            row.group_count = totals[key]
    return told


def _group_of(state: str, batch: Any) -> tuple[int, Any]:
    return GROUPS[state], batch if state == AssignmentState.QUEUED else None


def work_page(user: User, campaign: Campaign | None) -> WorkPage:
    """Everything on the page except the list."""
    counts = work_counts(user, campaign)
    todo = work_rows(user, campaign, "todo").exclude(state=AssignmentState.BLOCKED)
    first = tell(list(todo.exclude(held_for(user), state__in=UNOPENED)[:1]))
    page = WorkPage(
        counts=counts,
        next=first[0] if first else None,
        next_comments=len(_open_comments([first[0].assignment]).get(first[0].assignment.pk, [])) if first else 0,
        pool_left=pool(user, campaign).count(),
        said=_said(user, campaign),
    )
    done = _own(user, campaign).filter(active_seconds__gt=0, submitted_at__isnull=False)
    last = list(done.order_by("-submitted_at").values_list("scan__code", "active_seconds", "starts_from")[:SHOWN_SCANS])
    page.times = [(code, seconds / 60, start or "blank") for code, seconds, start in reversed(last)]
    page.median_minutes = _campaign_median(user, campaign)
    page.batches = own_batches(_own(user, campaign), page.times)
    return page


def _own(user: User, campaign: Campaign | None) -> Any:
    rows = work_list(user)
    return rows.filter(campaign=campaign) if campaign is not None else rows


def _why(row: Assignment, comments: list[Comment], strokes: int, is_next: bool) -> tuple[str, Any]:
    if row.told_state == AssignmentState.RETURNED:
        at = max((comment.created_at for comment in comments), default=row.changed_at)
        if not comments:
            return f"Returned for round {row.round}; every comment is resolved", at
        first = comments[0]
        text = first.text if len(first.text) <= 70 else first.text[:67].rstrip() + "…"
        where = f", slice {first.k + 1}" if first.k is not None else ""
        return f"{first.author} left {plural(len(comments), 'comment')}: “{text}”{where}", at
    if row.state == AssignmentState.OPEN:
        since = row.touched_at or row.opened_at or row.changed_at
        passed = duration((now() - since).total_seconds())
        ago = passed if passed == "just now" else f"{passed} ago"
        if row.touched_at:
            saved = (
                f"{plural(strokes, 'stroke')} {'is' if strokes == 1 else 'are'} saved" if strokes else "all is saved"
            )
            return f"You stopped {ago}; {saved}", since
        return f"You opened it {ago} and have not drawn yet", since
    if row.state == AssignmentState.BLOCKED:
        return f"Waits for the coordinator: {row.reason}", row.changed_at
    if row.state == AssignmentState.SUBMITTED:
        return "Handed in, waits for a reviewer", row.submitted_at
    if row.state == AssignmentState.APPROVED:
        return "Approved in the first round" if row.round == 1 else f"Approved in round {row.round}", row.ended_at
    if row.state == AssignmentState.SKIPPED:
        return f"You skipped it: {row.reason}", row.ended_at
    if row.begun_as is not None:
        so_far = f"was returned to {row.begun_as.person}" if row.round > 1 else f"was begun by {row.begun_as.person}"
        return f"Number {row.position} of your batch; {so_far}, you go on from what is drawn", None
    return f"Number {row.position} of your batch" + (", next in order" if is_next else ""), None


def _open_comments(rows: Sequence[Assignment]) -> dict[Any, list[Comment]]:
    found: dict[Any, list[Comment]] = {}
    wanted = [row.pk for row in rows if row.state in (AssignmentState.RETURNED, AssignmentState.OPEN)]
    for comment in (
        Comment.objects.filter(
            round__annotation__in=wanted, is_draft=False, state__in=[CommentState.OPEN, CommentState.REOPENED]
        )
        .select_related("author", "round")
        .order_by("created_at")
    ):
        found.setdefault(comment.round.annotation_id, []).append(comment)
    return found


def _strokes(rows: Sequence[Assignment]) -> dict[Any, int]:
    """Strokes of the saved revisions of open work."""
    found: Counter[Any] = Counter()
    wanted = [row.pk for row in rows if row.state == AssignmentState.OPEN]
    for assignment, strokes in MaskRevision.objects.filter(assignment__in=wanted).values_list("assignment", "strokes"):
        found[assignment] += len(strokes)
    return found


def _campaign_median(user: User, campaign: Campaign | None) -> float | None:
    if campaign is None:
        return None
    seconds = list(
        Assignment.objects.filter(
            campaign=campaign, stage=Assignment.Stage.ANNOTATION, active_seconds__gt=0, submitted_at__isnull=False
        )
        .order_by("-submitted_at")
        .values_list("active_seconds", flat=True)[:400]
    )
    return median(seconds) / 60 if len(seconds) >= 5 else None


def _said(user: User, campaign: Campaign | None) -> list[Said]:
    rounds = ReviewRound.objects.filter(author=user).select_related("annotation__scan", "reviewer")
    if campaign is not None:
        rounds = rounds.filter(annotation__campaign=campaign)
    comments = (
        told_comments(user)
        .filter(round__in=rounds)
        .exclude(author=user)
        .select_related("author", "round__annotation__scan")
        .order_by("-created_at")[:5]
    )
    said = [
        Said(
            comment.round.annotation.scan.code,
            str(comment.author),
            comment.text,
            comment.created_at,
            None if comment.k is None else comment.k + 1,
            comment.state,
            f"/view/{comment.round.annotation_id}/",
        )
        for comment in comments
    ]
    said += [
        Said(
            judged.annotation.scan.code,
            str(judged.reviewer),
            "Approved with a correction of the reviewer."
            if judged.state == RoundState.CORRECTED
            else f"Approved in {'the first round' if judged.number == 1 else f'round {judged.number}'}.",
            judged.ended_at,
            None,
            RoundState.APPROVED,
            f"/view/{judged.annotation_id}/",
        )
        for judged in rounds.filter(state__in=[RoundState.APPROVED, RoundState.CORRECTED]).order_by("-ended_at")[:3]
    ]
    return sorted(said, key=lambda one: one.at, reverse=True)[:5]
