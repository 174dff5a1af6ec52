"""One's own batches: a cell a scan, what is left, and whether it will be ready in time."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from annotation.pages.plots.canvas import median
from annotation.pages.templatetags.figures import plural
from annotation.reviews.models import ReviewRound
from annotation.work.models import Batch
from voxloop.kernel.clock import now, today

CELL_ORDER = ("approved", "in_review", "submitted", "returned", "open", "blocked", "skipped", "queued")


@dataclass
class BatchCard:
    """A batch of one's own: a cell a scan."""

    batch: Batch
    cells: list[tuple[str, int]]
    counts: list[tuple[str, int]]
    handed_in: int
    total: int
    seconds_left: float | None
    pace: str
    is_late: bool


def own_batches(own: Any, times: list[tuple[str, float, str]]) -> list[BatchCard]:
    """A card for each of the (at most three) batches with work left among one's own assignments."""
    live = own.filter(state__in=["returned", "open", "queued", "blocked", "submitted"]).values("batch")
    batches = Batch.objects.filter(pk__in=live).order_by("due_on", "number")[:3]
    cards = []
    for batch in batches:
        rows = list(own.filter(batch=batch).order_by("position").values_list("pk", "state", "position", "submitted_at"))
        judged = set(
            ReviewRound.objects.filter(annotation__batch=batch, state__in=["claimed", "arbitration"]).values_list(
                "annotation_id", flat=True
            )
        )
        cells = [("in_review" if pk in judged else state, position) for pk, state, position, _ in rows]
        counts = Counter(state for state, _ in cells)
        handed = sum(counts[state] for state in ("approved", "in_review", "submitted"))
        todo = sum(counts[state] for state in ("returned", "open", "queued"))
        recent = [at for *_, at in rows if at and at > now() - timedelta(days=7)]
        left = median([minutes for _, minutes, _ in times]) * 60 * todo if len(times) >= 3 else None
        pace, late = _pace(batch, todo, recent)
        cards.append(
            BatchCard(
                batch,
                cells,
                [(state, counts[state]) for state in CELL_ORDER if counts[state]],
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
    left = (batch.due_on - today()).days
    if left < 0:
        return f"{plural(-left, 'day')} late", True
    if len(recent) < 3:
        return "", False
    days = max(1.0, (now() - min(recent)).total_seconds() / 86400)
    need = todo / (len(recent) / days)
    return ("on time at your pace", False) if need <= left + 1 else (f"{round(need - left)} d late at your pace", True)
