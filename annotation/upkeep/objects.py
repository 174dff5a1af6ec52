"""Objects of the store that the database references."""

from collections.abc import Iterator

from django.conf import settings

from voxloop.keeping.registry import OBJECT_KINDS
from voxloop.kernel.errors import Conflict, NotFound
from voxloop.storage.store import open_store


def named_objects() -> Iterator[str]:
    """Every referenced key, sorted, each once; within the caller's transaction."""
    yield from sorted(set().union(*(kind.keys() for kind in OBJECT_KINDS.values())))


def check_objects() -> None:
    """Raise Conflict `objects_missing` when the newest object of each kind is not in the store.

    Fast enough for every start; `manage.py backup` and `scrub` check all objects."""
    store = open_store(settings.STORAGE_URL)
    for kind in OBJECT_KINDS.values():
        rows = kind.rows().exclude(**{kind.field: ""})
        key = rows.order_by("-pk").values_list(kind.field, flat=True).first()
        if key is None:
            continue
        try:
            store.size(key)
        except NotFound:
            raise Conflict(
                f"The database references objects that are not in {public_address(settings.STORAGE_URL)} "
                f"(the newest of {kind.prefix} is missing): put the objects back, or restore a back-up "
                "(manage.py restore).",
                code="objects_missing",
            ) from None


def public_address(url: str) -> str:
    """A storage address without credentials and options."""
    return url.partition("?")[0].removeprefix("file://")
