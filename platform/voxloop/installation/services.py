"""Create the installation's row, compare it at every start, and change the secret key."""

import json
import sys
from pathlib import Path

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connection, transaction

from voxloop.accounts.actors import Actor
from voxloop.audit.models import AuditEntry
from voxloop.audit.services import entry_hash, record
from voxloop.installation.keys import AUDIT, SECRET, describe_change, keys_in_use, print_of
from voxloop.installation.models import Installation
from voxloop.kernel.errors import Conflict

IDENTITY = "identity.json"  # file of a state folder with an embedded database (voxloop.embedded.identity)
MADE_UP = (
    "VOXLOOP_SECRET_KEY is not set: this process generated one, log-ins end with it, and nothing that it seals can be "
    "verified later; set it (docs/operating.md)."
)


def state_identity() -> str:
    """The identity of the state folder; "" where the database is a server's."""
    path = Path(settings.STATE_DIR) / IDENTITY
    return str(json.loads(path.read_text())["id"]) if path.exists() else ""


@transaction.atomic
def settle_installation() -> Installation:
    """Create the installation's row if missing, and store fingerprints of new keys.

    Raises Conflict `keys_changed` or `foreign_database` when this database was written with other keys or for another
    state folder. Called after the migrations.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('voxloop.settle_installation'))")
    row = Installation.objects.first()
    if row is None:
        _check_first_keys()
        row = Installation()
    elif sentence := find_fault(row):
        raise Conflict(sentence[1], code=sentence[0])
    row.state_folder = state_identity()
    row.key_prints = _prints() | row.key_prints
    row.save()
    return row


def find_fault(row: Installation) -> tuple[str, str] | None:
    """Code and sentence of a mismatch between this process and its database; None when there is none."""
    for name, known in sorted(row.key_prints.items()):
        key = keys_in_use().get(name, "")
        if not key or print_of(name, key) != known:
            return "keys_changed", describe_change(name)
    here = state_identity()
    if row.state_folder and here and row.state_folder != here:
        return "foreign_database", (
            f"The database belongs to another state folder than {settings.STATE_DIR}: put the folder's parts back "
            "together as they were, or restore a back-up (manage.py restore)."
        )
    return None


def check_start() -> None:
    """Called when a web, worker or scheduler process starts: exits with one sentence when its keys are not the
    database's. An unreachable database or one without tables is ignored here; its users get an error later. The caller
    must close the connection, because a server forks after this."""
    if SECRET not in settings.KEYS_GIVEN:
        sys.stderr.write(MADE_UP + "\n")
    try:
        row = Installation.objects.first()
    except DatabaseError:
        return
    if row and (fault := find_fault(row)):
        raise SystemExit(fault[1])


@transaction.atomic
def accept_secret_key(*, actor: Actor) -> int:
    """Accept this process's secret key as the installation's; returns how many log-ins end. Raises Conflict when the
    audit log is sealed with the secret key: that key must never change."""
    row = Installation.objects.select_for_update().first()
    if row is None:
        raise Conflict("This installation is not settled yet: run manage.py prepare_broker first.", code="not_settled")
    if SECRET not in settings.KEYS_GIVEN:
        raise Conflict("Set VOXLOOP_SECRET_KEY to the new key first.", code="key_missing")
    if AUDIT not in settings.KEYS_GIVEN:
        raise Conflict(
            "The audit log is sealed with the old secret key: set VOXLOOP_AUDIT_KEY to that one, so that the log can "
            "be verified, and run this again.",
            code="audit_key_missing",
        )
    others = {name: known for name, known in row.key_prints.items() if name != SECRET}
    for name, known in others.items():
        if print_of(name, keys_in_use().get(name, "")) != known:
            raise Conflict(describe_change(name), code="keys_changed")
    row.key_prints = _prints() | others
    row.save(update_fields=["key_prints"])
    ended, _ = Session.objects.all().delete()
    record(actor=actor, action="installation.secret_key_changed", target=row, new={"sessions_ended": ended})
    return ended


def _prints() -> dict[str, str]:
    """Fingerprints of the keys that the operator set; generated ones are left out."""
    return {name: print_of(name, key) for name, key in keys_in_use().items() if name in settings.KEYS_GIVEN}


def _check_first_keys() -> None:
    """Older versions stored no fingerprints: check the audit key against the newest audit entry."""
    newest = AuditEntry.objects.order_by("-id").first()
    if newest is not None and SECRET in settings.KEYS_GIVEN and newest.hash != entry_hash(newest):
        raise Conflict(describe_change(AUDIT), code="keys_changed")
