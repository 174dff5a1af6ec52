"""Garbage collection of unreferenced stored things: marked first, deleted when they stay unreferenced."""

from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction

from voxloop.accounts.actors import Actor, SystemActor
from voxloop.audit.services import record
from voxloop.keeping.models import Unreferenced
from voxloop.keeping.registry import OBJECT_KINDS, ORPHANS
from voxloop.kernel.clock import now
from voxloop.storage.store import open_store

log = structlog.get_logger(__name__)

# Objects are stored before the row that names them: younger ones may belong to an upload in progress.
UNDER_WAY = timedelta(days=1)
AT_ONCE = 500


def collect_unreferenced(*, actor: Actor = SystemActor.SYSTEM) -> dict[str, int]:
    """Mark unreferenced things, unmark those referenced again, delete those that stayed unreferenced; returns how many.
    A thing is deleted when it was marked for `KEEP_UNREFERENCED_DAYS`, is as old in the store, and is unreferenced at
    that moment. Half-written files older than a day are deleted at once. Called by beat, once a day."""
    found = _find()
    known = set(Unreferenced.objects.values_list("thing", flat=True))
    unmarked = known - set(found)
    Unreferenced.objects.filter(thing__in=unmarked).delete()
    Unreferenced.objects.bulk_create(
        [Unreferenced(thing=thing, since=now(), bytes=size) for thing, size in found.items() if thing not in known],
        ignore_conflicts=True,
    )
    ripe = Unreferenced.objects.filter(since__lte=now() - _keep())
    gone = [mark for mark in ripe if mark.thing.partition("/")[0] in OBJECT_KINDS and _delete_object(mark, actor)]
    for remains in ORPHANS.values():
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
    """Everything unreferenced, with its bytes, except what may belong to an upload in progress."""
    store = open_store(settings.STORAGE_URL)
    found: dict[str, int] = {}
    for prefix, kind in OBJECT_KINDS.items():
        listed = [entry for entry in store.list(prefix) if entry.modified < now() - UNDER_WAY]
        used = kind.keys()  # read after the list: what was stored or referenced meanwhile is not reported
        found.update({entry.key: entry.bytes for entry in listed if entry.key not in used})
    for remains in ORPHANS.values():
        found.update(dict(remains.find()))
    return found


def _facts(mark: Unreferenced) -> dict[str, Any]:
    return {"thing": mark.thing, "bytes": mark.bytes, "since": mark.since.isoformat()}


def _delete_object(mark: Unreferenced, actor: Actor) -> bool:
    store = open_store(settings.STORAGE_URL)
    kind = OBJECT_KINDS[mark.thing.partition("/")[0]]
    if kind.names(mark.thing) or not store.collect(mark.thing, before=now() - _keep()):
        return False
    with transaction.atomic():
        record(actor=actor, action="object.collected", target=mark, new=_facts(mark))
        mark.delete()
    return True


def _drop_rows(marks: list[Unreferenced], actor: Actor) -> list[Unreferenced]:
    """Delete unreferenced rows; if a foreign key refuses one, all of them stay."""
    remains = ORPHANS[marks[0].thing.partition("/")[0]]
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
