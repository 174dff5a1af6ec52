"""Which objects of the store the database names."""

from collections.abc import Iterator

from django.apps import apps
from django.conf import settings
from django.db.models import Model

from voxloop.kernel.errors import Conflict, NotFound
from voxloop.storage.store import open_store

# Model and field of every key of an object (a test holds that none is missing).
NAMED_BY = (
    ("scans.Scan", "pack_key"),
    ("scans.Scan", "preview_key"),
    ("scans.Scan", "limit_key"),
    ("masks.ProbabilityMap", "key"),
    ("learning.ModelVersion", "weights_key"),
)


def fields_naming_objects() -> Iterator[tuple[type[Model], str]]:
    """Model classes and their fields that hold keys; "" is no key."""
    for label, field in NAMED_BY:
        yield apps.get_model(label), field


def named_objects() -> Iterator[str]:
    """Every key that the database names, in order, each once; within the caller's transaction."""
    keys: set[str] = set()
    for model, field in fields_naming_objects():
        keys.update(model._default_manager.exclude(**{field: ""}).values_list(field, flat=True).iterator())
    yield from sorted(keys)


def check_objects() -> None:
    """Raise Conflict `objects_missing` when the newest object of each kind is not in the store.

    A look at a few, quick enough for every start; `manage.py backup` and `scrub` read all.
    """
    store = open_store(settings.STORAGE_URL)
    for model, field in fields_naming_objects():
        key = model._default_manager.exclude(**{field: ""}).order_by("-pk").values_list(field, flat=True).first()
        if key is None:
            continue
        try:
            store.size(key)
        except NotFound:
            raise Conflict(
                f"The database names objects that are not in {place_of(settings.STORAGE_URL)} (the newest {field} of "
                f"{model._meta.verbose_name_plural} is missing): put the objects back, or restore a back-up "
                "(manage.py restore).",
                code="objects_missing",
            ) from None


def place_of(url: str) -> str:
    """A storage address as people may read it: without credentials and options."""
    return url.partition("?")[0].removeprefix("file://")
