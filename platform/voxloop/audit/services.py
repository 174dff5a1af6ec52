"""The one door for writing the log and for changing a state."""

import hashlib
import hmac
import json
from typing import Any

from django.conf import settings
from django.db import connection, models, transaction

from voxloop.audit.models import AuditEntry, AuditSeal
from voxloop.kernel.clock import now
from voxloop.kernel.states import StateTable

GENESIS = "0" * 64
# Held by the one process that seals, for the length of its transaction.
SEAL_LOCK = 0x566F784C6F6F70


# `record` as part of a larger statement, with the values of `entry_values`.
APPEND_ENTRY = """
INSERT INTO audit_auditentry (at, actor_id, actor_name, action, object_type, object_id, old, new, why, hash)
VALUES (%(entry_at)s, %(entry_actor)s, %(entry_actor_name)s, %(entry_action)s, %(entry_object_type)s,
        %(entry_object_id)s, %(entry_old)s::jsonb, %(entry_new)s::jsonb, %(entry_why)s, %(entry_hash)s)
"""


def record(
    *,
    actor: Any,
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
    *, actor: Any, action: str, target: models.Model, old: Any = None, new: Any = None, why: str = ""
) -> AuditEntry:
    """An entry that is not stored yet; who stores it does so in the transaction of what it tells of."""
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


def advance(thing: Any, to: str, *, table: StateTable, actor: Any, why: str = "", **fields: Any) -> None:
    """Change the state of `thing` (locked by the caller) through its table, and write it down.

    `fields` are set in the same UPDATE. Raises Conflict when the table does not allow the move.
    """
    old = thing.state
    table.check(old, to, why)
    thing.state = to
    for name, value in fields.items():
        setattr(thing, name, value)
    thing.save(update_fields=["state", *fields])
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
    """Seal every entry that has none yet, in the order of their ids; answers how many. One process at a time."""
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
    body = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    return hmac.new(settings.AUDIT_KEY.encode(), body.encode(), hashlib.sha256).hexdigest()
