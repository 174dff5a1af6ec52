"""The table of a campaign's batches: search, order, and its CSV."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from annotation.pages.selectors.batches import STATES, Card
from annotation.work.states import AssignmentState

DEFAULT_SORT = "-batch"
COLUMNS: Mapping[str, Callable[[Card], Any]] = {
    "batch": lambda card: card.batch.number,
    "state": lambda card: card.batch.state,
    "person": lambda card: str(card.batch.assignee or "") or None,
    "due": lambda card: card.batch.due_on,
    "handed-in": lambda card: card.handed_in,
    "approved": lambda card: card.counts[AssignmentState.APPROVED],
    "scans": lambda card: card.total,
}
HEAD = (
    "batch",
    "state",
    "paused",
    "person",
    "due_on",
    "days_late",
    "chosen_by",
    "scans",
    "handed_in",
    *STATES,
    "created_by",
    "created_at",
    "published_at",
)


def find_cards(found: Sequence[Card], wanted: Mapping[str, str]) -> list[Card]:
    """The batches that the address asks for: `q` (a part of name, person, state or how it was chosen), `sort`. Missing
    values come last either way; of equal ones the newest comes first."""
    words = wanted.get("q", "").strip()[:64].lower()
    shown = [card for card in found if words in _words(card)]
    sort = wanted.get("sort", "")
    key = COLUMNS.get(sort.removeprefix("-"))
    if key is None:
        sort, key = DEFAULT_SORT, COLUMNS["batch"]
    shown.sort(key=lambda card: -card.batch.number)
    known = [card for card in shown if key(card) is not None]
    return sorted(known, key=key, reverse=sort.startswith("-")) + [card for card in shown if key(card) is None]


def _words(card: Card) -> str:
    batch = card.batch
    told = (batch.name, str(batch.assignee or "pool"), batch.state.replace("_", " "), *(tag for tag, *_ in card.tags))
    return " ".join(told).lower()


def table_of(found: Sequence[Card]) -> Iterator[Sequence[Any]]:
    """One row of `HEAD` for each batch."""
    for card in found:
        batch = card.batch
        yield (
            batch.name,
            batch.state,
            batch.pause_reason,
            str(batch.assignee or ""),
            batch.due_on or "",
            card.days_late,
            batch.chosen_by,
            card.total,
            card.handed_in,
            *(card.counts[state] for state in STATES),
            str(batch.created_by or ""),
            batch.created_at.isoformat(),
            batch.published_at.isoformat() if batch.published_at else "",
        )
