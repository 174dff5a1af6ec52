"""State tables: which change is allowed, said once and tested pair by pair."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from voxloop.kernel.errors import Conflict


@dataclass(frozen=True)
class StateTable:
    """The states of one kind of thing and the moves between them.

    `needs_reason` names the states that must be entered with a reason in words.
    """

    thing: str
    initial: str
    moves: Mapping[str, frozenset[str]]
    needs_reason: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, thing: str, initial: str, moves: Mapping[str, Iterable[str]], needs_reason: Iterable[str] = ()
    ) -> "StateTable":
        """Build a table; a state that appears only as a target is final."""
        targets = {state for to in moves.values() for state in to}
        full = {state: frozenset(moves.get(state, ())) for state in {initial, *moves, *targets}}
        return cls(thing, initial, MappingProxyType(full), frozenset(needs_reason))

    @property
    def states(self) -> frozenset[str]:
        return frozenset(self.moves)

    @property
    def final(self) -> frozenset[str]:
        return frozenset(state for state, to in self.moves.items() if not to)

    def allows(self, old: str, new: str) -> bool:
        """Whether the move is in the table."""
        return new in self.moves.get(old, frozenset())

    def check(self, old: str, new: str, reason: str = "") -> None:
        """Raise Conflict when the move is not allowed, or has no reason where one is due."""
        if not self.allows(old, new):
            allowed = ", ".join(sorted(self.moves.get(old, ()))) or "nothing: it is final"
            raise Conflict(
                f"A {self.thing} that is {old} cannot become {new}; from here it can become {allowed}.",
                code="state_conflict",
                state=old,
            )
        if new in self.needs_reason and not reason.strip():
            raise Conflict(f"Say why the {self.thing} becomes {new}.", code="reason_required", state=old)
