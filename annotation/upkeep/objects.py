"""Which objects of the store the database names."""

from collections.abc import Iterator

from django.conf import settings

from voxloop.keeping.shelves import SHELVES
from voxloop.kernel.errors import Conflict, NotFound
from voxloop.storage.store import open_store


def named_objects() -> Iterator[str]:
    """Every key that the database names, in order, each once; within the caller's transaction."""
    yield from sorted(set().union(*(shelf.keys() for shelf in SHELVES.values())))


def check_objects() -> None:
    """Raise Conflict `objects_missing` when the newest object of each kind is not in the store.

    A look at a few, quick enough for every start; `manage.py backup` and `scrub` read all.
    """
    store = open_store(settings.STORAGE_URL)
    for shelf in SHELVES.values():
        rows = shelf.rows().exclude(**{shelf.field: ""})
        key = rows.order_by("-pk").values_list(shelf.field, flat=True).first()
        if key is None:
            continue
        try:
            store.size(key)
        except NotFound:
            raise Conflict(
                f"The database names objects that are not in {place_of(settings.STORAGE_URL)} (the newest of "
                f"{shelf.prefix} is missing): put the objects back, or restore a back-up "
                "(manage.py restore).",
                code="objects_missing",
            ) from None


def place_of(url: str) -> str:
    """A storage address as people may read it: without credentials and options."""
    return url.partition("?")[0].removeprefix("file://")
