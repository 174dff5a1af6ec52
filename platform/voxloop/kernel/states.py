"""State tables: the allowed transitions of each kind of thing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, Protocol, TypeVar

from voxloop.kernel.errors import Conflict

S = TypeVar("S", bound=str)


class HasState(Protocol):
    """A row of the database that has a state."""

    state: str


@dataclass(frozen=True)
class StateTable(Generic[S]):
    """The states of one kind of thing and the moves between them.

    `S` is the enum of the states; the database returns them as plain text, which compares equal. `needs_reason` names
    the states that must be entered with a reason in words. `enter` and `change` are the only ways to set a state
    (tests/architecture holds that)."""

    thing: str
    initial: S
    moves: Mapping[str, frozenset[S]]
    needs_reason: frozenset[S] = frozenset()

    @classmethod
    def of(
        cls, thing: str, initial: S, moves: Mapping[S, Iterable[S]], needs_reason: Iterable[S] = ()
    ) -> "StateTable[S]":
        """Build a table; a state that appears only as a target is final."""
        targets = {state for to in moves.values() for state in to}
        full: dict[str, frozenset[S]] = {
            state: frozenset(moves.get(state, ())) for state in {initial, *moves, *targets}
        }
        return cls(thing, initial, MappingProxyType(full), frozenset(needs_reason))

    @property
    def states(self) -> frozenset[str]:
        return frozenset(self.moves)

    @property
    def final(self) -> frozenset[str]:
        return frozenset(state for state, to in self.moves.items() if not to)

    def allows(self, old: str, new: S) -> bool:
        """Whether the transition is in the table."""
        return new in self.moves.get(old, frozenset())

    def check(self, old: str, new: S, reason: str = "") -> None:
        """Raise Conflict when the transition is not allowed or lacks a required reason."""
        if not self.allows(old, new):
            allowed = ", ".join(sorted(self.moves.get(old, ()))) or "nothing: it is final"
            raise Conflict(
                f"A {self.thing} that is {old} cannot become {new}; from here it can become {allowed}.",
                code="state_conflict",
                state=old,
            )
        if new in self.needs_reason and not reason.strip():
            raise Conflict(f"Say why the {self.thing} becomes {new}.", code="reason_required", state=old)

    def enter(self, row: HasState, new: S, reason: str = "") -> None:
        """Set the state of a row that the caller has locked and will save. Raises Conflict as `check` does."""
        self.check(row.state, new, reason)
        row.state = new

    def change(self, old: S, new: S) -> dict[str, S]:
        """The transition as arguments of `QuerySet.update`, for rows that the caller has filtered by the state
        `old`."""
        self.check(old, new)
        return {"state": new}
