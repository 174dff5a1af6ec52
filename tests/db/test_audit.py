"""The log records every change, cannot be edited, and reveals tampering."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection

from tests.factories.world import World, approve, first_of, label, publish
from voxloop.audit.anchors import anchor
from voxloop.audit.models import AuditEntry, AuditSeal
from voxloop.audit.services import seal_entries
from voxloop.audit.verify import verify

pytestmark = pytest.mark.django_db


def tamper(sql: str) -> None:
    """Change rows as somebody with the owner's password could."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(sql)
        cursor.execute("SET session_replication_role = DEFAULT")


def test_the_loop_is_written_down(world: World) -> None:
    assignment = first_of(publish(world))
    label(world, assignment)
    approve(world, assignment)
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {
        "batch.created",
        "batch.published",
        "assignment.open",
        "mask.saved",
        "answers.saved",
        "assignment.submitted",
        "review_round.claimed",
        "review_round.approved",
        "assignment.approved",
        "site.created",
        "person.created",
    } <= actions


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_auditentry SET why = 'x'",
        "DELETE FROM audit_auditentry",
        "TRUNCATE audit_auditentry CASCADE",
        "UPDATE audit_auditseal SET hash = 'x'",
    ],
)
def test_rows_cannot_be_changed(world: World, sql: str) -> None:
    seal_entries()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(DatabaseError, match="append-only"):
            cursor.execute(sql)


def test_a_whole_log_holds(world: World) -> None:
    anchor()
    count, fault = verify()
    assert fault is None
    assert count == AuditEntry.objects.count() > 10


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("UPDATE audit_auditentry SET why = 'x' WHERE id = (SELECT min(id) + 3 FROM audit_auditentry)", "changed"),
        (
            "WITH gone AS (DELETE FROM audit_auditseal WHERE position = 4 RETURNING entry_id) "
            "DELETE FROM audit_auditentry WHERE id IN (SELECT entry_id FROM gone)",
            "removed",
        ),
        (
            "UPDATE audit_auditseal SET hash = CASE position WHEN 4 THEN "
            "(SELECT hash FROM audit_auditseal WHERE position = 5) ELSE "
            "(SELECT hash FROM audit_auditseal WHERE position = 4) END WHERE position IN (4, 5)",
            "does not follow",
        ),
        (
            "WITH gone AS (DELETE FROM audit_auditseal WHERE position > 5 RETURNING entry_id) "
            "DELETE FROM audit_auditentry WHERE id IN (SELECT entry_id FROM gone)",
            "cut off",
        ),
    ],
)
@pytest.mark.fault("the audit log is tampered with")
def test_tampering_shows(world: World, sql: str, words: str) -> None:
    anchor()
    tamper(sql)
    _, fault = verify()
    assert fault is not None
    assert words in fault.sentence


@pytest.mark.fault("the audit log is rewritten")
def test_a_rewritten_chain_does_not_match_its_anchor(world: World, own_state: Path) -> None:
    path = anchor()
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[0]["hash"] = "0" * 64
    path.write_text("\n".join(map(json.dumps, rows)))
    _, fault = verify()
    assert fault is not None
    assert "anchored" in fault.sentence
    with pytest.raises(CommandError):
        call_command("verify_audit")


def test_sealing_twice_seals_once(world: World) -> None:
    assert seal_entries() == AuditEntry.objects.count()
    assert seal_entries() == 0
    assert AuditSeal.objects.count() == AuditEntry.objects.count()
