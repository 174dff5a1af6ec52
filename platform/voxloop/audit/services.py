"""The only functions that write the audit log and change a state."""

import hashlib
import hmac
import json
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import connection, models, transaction

from voxloop.accounts.actors import Actor
from voxloop.audit.models import AuditEntry, AuditSeal
from voxloop.kernel.canonical import canonical_json
from voxloop.kernel.clock import now
from voxloop.kernel.states import S, StateTable

GENESIS = "0" * 64
# Advisory lock of the process that seals, for one transaction.
SEAL_LOCK = 0x566F784C6F6F70


# `record` as part of a larger statement, with the values of `entry_values`.
APPEND_ENTRY = """
INSERT INTO audit_auditentry (at, actor_id, actor_name, action, object_type, object_id, old, new, why, hash)
VALUES (%(entry_at)s, %(entry_actor)s, %(entry_actor_name)s, %(entry_action)s, %(entry_object_type)s,
        %(entry_object_id)s, %(entry_old)s::jsonb, %(entry_new)s::jsonb, %(entry_why)s, %(entry_hash)s)
"""


def record(
    *,
    actor: Actor,
    action: str,
    target: models.Model,
    old: Any = None,
    new: Any = None,
    why: str = "",
) -> AuditEntry:
    """Append one entry within the caller's transaction; `actor` is a user, or a word like "worker"."""
    entry = make_entry(actor=actor, action=action, target=target, old=old, new=new, why=why)
    entry.save(force_insert=True)
    return entry


def record_all(entries: Iterable[AuditEntry]) -> None:
    """Append entries of `make_entry` in one statement, within the caller's transaction."""
    AuditEntry.objects.bulk_create(entries, batch_size=1000)


def entry_values(entry: AuditEntry) -> dict[str, Any]:
    """An entry that is not stored yet, as the values of `APPEND_ENTRY`."""
    fields = ("at", "actor_name", "action", "object_type", "object_id", "why", "hash")
    values = {f"entry_{name}": getattr(entry, name) for name in fields}
    values["entry_actor"] = entry.actor_id
    for name in ("old", "new"):
        value = getattr(entry, name)
        values[f"entry_{name}"] = None if value is None else json.dumps(value)
    return values


def make_entry(
    *, actor: Actor, action: str, target: models.Model, old: Any = None, new: Any = None, why: str = ""
) -> AuditEntry:
    """An entry that is not stored yet; store it in the transaction of the change it records."""
    person = actor if isinstance(actor, models.Model) else None
    entry = AuditEntry(
        at=now(),
        actor=person,
        actor_name=str(actor),
        action=action,
        object_type=target._meta.label_lower,
        object_id=str(target.pk),
        old=old,
        new=new,
        why=why,
    )
    entry.hash = entry_hash(entry)
    return entry


def advance(thing: Any, to: S, *, table: StateTable[S], actor: Actor, why: str = "", **fields: Any) -> None:
    """Change the state of `thing` (locked by the caller) through its state table, and record it.

    `fields` are set in the same UPDATE. Raises Conflict when the table does not allow the move.
    """
    old = thing.state
    table.enter(thing, to, why)
    for name, value in fields.items():
        setattr(thing, name, value)
    times = [field.name for field in thing._meta.concrete_fields if getattr(field, "auto_now", False)]
    thing.save(update_fields=["state", *fields, *times])
    record(
        actor=actor,
        action=f"{table.thing.replace(' ', '_')}.{to}",
        target=thing,
        old={"state": old},
        new={"state": to},
        why=why,
    )


@transaction.atomic
def seal_entries() -> int:
    """Seal every entry that has none yet, in the order of their ids; returns how many. One process at a time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEAL_LOCK])
    last = AuditSeal.objects.order_by("-position").first()
    position, previous = (last.position, last.hash) if last else (0, GENESIS)
    seals = []
    for entry in AuditEntry.objects.filter(seal__isnull=True).order_by("id").iterator(chunk_size=2000):
        position += 1
        previous = seal_hash(previous, position, entry.hash)
        seals.append(AuditSeal(position=position, entry=entry, hash=previous))
    AuditSeal.objects.bulk_create(seals, batch_size=1000)
    return len(seals)


def entry_hash(entry: AuditEntry) -> str:
    """HMAC-SHA256 over every field of the entry, hexadecimal."""
    return _hmac(
        [
            entry.at.isoformat(),
            str(entry.actor_id or ""),
            entry.actor_name,
            entry.action,
            entry.object_type,
            entry.object_id,
            entry.old,
            entry.new,
            entry.why,
        ]
    )


def seal_hash(previous: str, position: int, entry: str) -> str:
    """HMAC-SHA256 over the seal before, the position and the entry's own hash, hexadecimal."""
    return _hmac([previous, position, entry])


def _hmac(fields: list[Any]) -> str:
    return hmac.new(settings.AUDIT_KEY.encode(), canonical_json(fields, ascii_only=True), hashlib.sha256).hexdigest()
