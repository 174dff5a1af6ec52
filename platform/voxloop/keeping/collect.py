"""Collect what nothing names any more: marked first, deleted when it stayed so for long."""

from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction

from voxloop.audit.services import record
from voxloop.keeping.models import Unreferenced
from voxloop.keeping.shelves import REMAINS, SHELVES
from voxloop.kernel.clock import now
from voxloop.storage.store import open_store

log = structlog.get_logger(__name__)

# An upload stores its parts before its row: what is younger may be one that is under way.
UNDER_WAY = timedelta(days=1)
AT_ONCE = 500


def collect_unreferenced(*, actor: Any = "system") -> dict[str, int]:
    """Mark what no row names, drop the marks of what is named again, delete what stayed unnamed; answers how many.

    Deleted is what was marked for `KEEP_UNREFERENCED_DAYS`, is as old in the store, and is named by no row at that very
    moment. Half-written files older than a day go at once. Called by beat, once a day.
    """
    found = _find()
    known = set(Unreferenced.objects.values_list("thing", flat=True))
    unmarked = known - set(found)
    Unreferenced.objects.filter(thing__in=unmarked).delete()
    Unreferenced.objects.bulk_create(
        [Unreferenced(thing=thing, since=now(), bytes=size) for thing, size in found.items() if thing not in known],
        ignore_conflicts=True,
    )
    ripe = Unreferenced.objects.filter(since__lte=now() - _keep())
    gone = [mark for mark in ripe if mark.thing.partition("/")[0] in SHELVES and _delete_object(mark, actor)]
    for remains in REMAINS.values():
        marks = [mark for mark in ripe if mark.thing.startswith(f"{remains.prefix}/")]
        for start in range(0, len(marks), AT_ONCE):
            gone += _drop_rows(marks[start : start + AT_ONCE], actor)
    store = open_store(settings.STORAGE_URL)
    leftovers = [entry for entry in store.leftovers() if entry.modified < now() - UNDER_WAY]
    for entry in leftovers:
        store.drop_leftover(entry.key)
    return {
        "marked": len(set(found) - known),
        "named_again": len(unmarked),
        "collected": len(gone),
        "bytes": sum(mark.bytes for mark in gone),
        "half_written": len(leftovers),
    }


def _keep() -> timedelta:
    return timedelta(days=settings.KEEP_UNREFERENCED_DAYS)


def _find() -> dict[str, int]:
    """Everything stored that no row names, and its bytes; what may belong to an upload under way is left out."""
    store = open_store(settings.STORAGE_URL)
    found: dict[str, int] = {}
    for prefix, shelf in SHELVES.items():
        listed = [entry for entry in store.list(prefix) if entry.modified < now() - UNDER_WAY]
        used = shelf.keys()  # after the list: what was stored meanwhile is not in it, what was named meanwhile is here
        found.update({entry.key: entry.bytes for entry in listed if entry.key not in used})
    for remains in REMAINS.values():
        found.update(dict(remains.find()))
    return found


def _facts(mark: Unreferenced) -> dict[str, Any]:
    return {"thing": mark.thing, "bytes": mark.bytes, "since": mark.since.isoformat()}


def _delete_object(mark: Unreferenced, actor: Any) -> bool:
    store = open_store(settings.STORAGE_URL)
    shelf = SHELVES[mark.thing.partition("/")[0]]
    if shelf.names(mark.thing) or not store.collect(mark.thing, before=now() - _keep()):
        return False
    with transaction.atomic():
        record(actor=actor, action="object.collected", target=mark, new=_facts(mark))
        mark.delete()
    return True


def _drop_rows(marks: list[Unreferenced], actor: Any) -> list[Unreferenced]:
    """Delete rows that nothing names; the database refuses when one is named after all, and then all of them stay."""
    remains = REMAINS[marks[0].thing.partition("/")[0]]
    things = [mark.thing for mark in marks]
    try:
        with transaction.atomic():
            remains.drop(things)
            for mark in marks:
                record(actor=actor, action="object.collected", target=mark, new=_facts(mark))
            Unreferenced.objects.filter(thing__in=things).delete()
    except IntegrityError:
        log.warning("unreferenced_rows_kept", things=len(things))
        return []
    return marks
