"""The one door for writing the log and for changing a state."""

import hashlib
import hmac
import json
from typing import Any

from django.conf import settings
from django.db import connection, models

from voxloop.audit.models import AuditEntry
from voxloop.kernel.clock import now
from voxloop.kernel.states import StateTable

GENESIS = "0" * 64
# One advisory lock orders the chain. It is taken as the last thing a service does, so that it is held for the
# few milliseconds before the commit.
CHAIN_LOCK = 0x566F784C6F6F70


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
    person = actor if isinstance(actor, models.Model) else None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
    previous = AuditEntry.objects.order_by("-id").values_list("hash", flat=True).first() or GENESIS
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
        previous_hash=previous,
    )
    entry.hash = chain_hash(entry)
    entry.save(force_insert=True)
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


def chain_hash(entry: AuditEntry) -> str:
    """HMAC-SHA256 over every field of the entry and the hash before it, hexadecimal."""
    body = json.dumps(
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
            entry.previous_hash,
        ],
        sort_keys=True,
        separators=(",", ":"),
    )
    return hmac.new(settings.AUDIT_KEY.encode(), body.encode(), hashlib.sha256).hexdigest()
