"""Registry of what is stored and which rows reference it. Each app registers its own kinds (AppConfig.ready)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from voxloop.kernel.errors import Damaged


@dataclass(frozen=True)
class ObjectKind:
    """One kind of object in the store: keys begin with `prefix/`; `field` of `rows` holds the referenced ones."""

    prefix: str
    rows: Callable[[], QuerySet[Any]]
    field: str

    def keys(self) -> set[str]:
        """Every referenced key."""
        return set(self.rows().exclude(**{self.field: ""}).values_list(self.field, flat=True))

    def names(self, key: str) -> bool:
        """Whether a row references this key."""
        return self.rows().filter(**{self.field: key}).exists()


@dataclass(frozen=True)
class StoredCheck:
    """A check of stored things that lie in the database or are more than one object. `check` yields the name of each,
    with what is wrong or None."""

    name: str
    count: Callable[[], int]
    check: Callable[[], Iterator[tuple[str, Damaged | None]]]


@dataclass(frozen=True)
class OrphanedRows:
    """Rows with stored bytes that may be orphaned: `find` yields (thing, bytes), `drop` deletes."""

    prefix: str
    find: Callable[[], Iterable[tuple[str, int]]]
    drop: Callable[[Sequence[str]], int]


@dataclass(frozen=True)
class Rescue:
    """Rows that a back-up can restore: `put_back` takes the back-up's address and the damaged things, and returns those
    it has restored."""

    prefix: str
    put_back: Callable[[str, Sequence[str]], Sequence[str]]


OBJECT_KINDS: dict[str, ObjectKind] = {}
CHECKS: dict[str, StoredCheck] = {}
ORPHANS: dict[str, OrphanedRows] = {}
RESCUES: dict[str, Rescue] = {}


def register(*things: ObjectKind | StoredCheck | OrphanedRows | Rescue) -> None:
    """Register kinds of stored things for the scrub and the collection. Idempotent."""
    for thing in things:
        if isinstance(thing, ObjectKind):
            OBJECT_KINDS[thing.prefix] = thing
        elif isinstance(thing, StoredCheck):
            CHECKS[thing.name] = thing
        elif isinstance(thing, Rescue):
            RESCUES[thing.prefix] = thing
        else:
            ORPHANS[thing.prefix] = thing
