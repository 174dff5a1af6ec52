"""A person's own batches: one cell per scan, what is left, and whether it will be ready in time."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from annotation.pages.plots.canvas import median
from annotation.pages.selectors.batches import IN_REVIEW, STATES
from annotation.pages.templatetags.figures import plural
from annotation.reviews.models import ReviewRound
from annotation.reviews.states import RoundState
from annotation.work.models import Batch
from annotation.work.selectors import TOLD_STATE
from annotation.work.states import AssignmentState
from voxloop.accounts.zones import today_of
from voxloop.kernel.clock import now


@dataclass
class BatchCard:
    """One of the person's batches, with one cell per scan."""

    batch: Batch
    cells: list[tuple[str, int]]
    counts: list[tuple[str, int]]
    handed_in: int
    total: int
    seconds_left: float | None
    pace: str
    is_late: bool


def own_batches(own: Any, times: list[tuple[str, float, str]]) -> list[BatchCard]:
    """A card for each of the person's batches with work left (at most three)."""
    live = own.filter(
        state__in=[
            AssignmentState.RETURNED,
            AssignmentState.OPEN,
            AssignmentState.QUEUED,
            AssignmentState.BLOCKED,
            AssignmentState.SUBMITTED,
        ]
    ).values("batch")
    batches = Batch.objects.filter(pk__in=live).order_by("due_on", "number")[:3]
    cards = []
    for batch in batches:
        rows = list(
            own.filter(batch=batch).order_by("position").values_list("pk", TOLD_STATE, "position", "submitted_at")
        )
        judged = set(
            ReviewRound.objects.filter(
                annotation__batch=batch, state__in=[RoundState.CLAIMED, RoundState.ARBITRATION]
            ).values_list("annotation_id", flat=True)
        )
        cells = [(IN_REVIEW if pk in judged else state, position) for pk, state, position, _ in rows]
        counts = Counter(state for state, _ in cells)
        handed = sum(counts[state] for state in (AssignmentState.APPROVED, IN_REVIEW, AssignmentState.SUBMITTED))
        todo = sum(counts[state] for state in (AssignmentState.RETURNED, AssignmentState.OPEN, AssignmentState.QUEUED))
        recent = [at for *_, at in rows if at and at > now() - timedelta(days=7)]
        left = median([minutes for _, minutes, _ in times]) * 60 * todo if len(times) >= 3 else None
        pace, late = _pace(batch, todo, recent)
        cards.append(
            BatchCard(
                batch,
                cells,
                [(state, counts[state]) for state in STATES if counts[state]],
                handed,
                len(rows),
                left,
                pace,
                late,
            )
        )
    return cards


def _pace(batch: Batch, todo: int, recent: list[Any]) -> tuple[str, bool]:
    """Whether the batch will be ready in time, by the last seven days."""
    if batch.due_on is None or todo == 0:
        return "", False
    left = (batch.due_on - today_of(batch.assignee)).days
    if left < 0:
        return f"{plural(-left, 'day')} late", True
    if len(recent) < 3:
        return "", False
    days = max(1.0, (now() - min(recent)).total_seconds() / 86400)
    need = todo / (len(recent) / days)
    return ("on time at your pace", False) if need <= left + 1 else (f"{round(need - left)} d late at your pace", True)
