"""What is stored, and which rows name it. Each part of the product registers its own (AppConfig.ready)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from voxloop.kernel.errors import Damaged


@dataclass(frozen=True)
class Shelf:
    """One kind of object in the store: keys begin with `prefix/`, and `field` of `rows` names those that are used."""

    prefix: str
    rows: Callable[[], QuerySet[Any]]
    field: str

    def keys(self) -> set[str]:
        """Every key that a row names now."""
        return set(self.rows().exclude(**{self.field: ""}).values_list(self.field, flat=True))

    def names(self, key: str) -> bool:
        """Whether a row names this key now."""
        return self.rows().filter(**{self.field: key}).exists()


@dataclass(frozen=True)
class Walk:
    """One kind of stored thing that lies in the database, or is more than one object.

    `check` looks at every one and answers its name, with what is wrong or None.
    """

    name: str
    count: Callable[[], int]
    check: Callable[[], Iterator[tuple[str, Damaged | None]]]


@dataclass(frozen=True)
class Remains:
    """Rows that hold bytes and may be left over: `find` answers (thing, bytes), `drop` removes."""

    prefix: str
    find: Callable[[], Iterable[tuple[str, int]]]
    drop: Callable[[Sequence[str]], int]


SHELVES: dict[str, Shelf] = {}
WALKS: dict[str, Walk] = {}
REMAINS: dict[str, Remains] = {}


def register(*things: Shelf | Walk | Remains) -> None:
    """Make kinds of stored things known to the scrub and to the collection; a second time changes nothing."""
    for thing in things:
        if isinstance(thing, Shelf):
            SHELVES[thing.prefix] = thing
        elif isinstance(thing, Walk):
            WALKS[thing.name] = thing
        else:
            REMAINS[thing.prefix] = thing
