"""A consistent snapshot of the database: dump, row counts, referenced objects, end of the audit log."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from annotation.upkeep.objects import named_objects
from annotation.upkeep.tools import find_tool, run_tool, server_major
from voxloop.audit.anchors import ANCHOR
from voxloop.audit.models import AuditEntry, AuditSeal
from voxloop.installation.models import Installation
from voxloop.kernel.errors import Conflict

BACKUP_LOCK = 0x566F784261636B  # advisory lock of the process that makes a back-up
# Excluded: sessions (secret), and the queue (rebuilt from the rows of the jobs).
LEFT_OUT = ("django_session", "pgmq.q_*", "pgmq.a_*")


@dataclass(frozen=True)
class Snapshot:
    """Facts of the dump."""

    keys: list[str]
    facts: dict[str, Any]  # for the manifest: installation, versions, counts, end of the audit log
    head: int  # position of the last seal


@contextmanager
def only_one() -> Iterator[None]:
    """Hold the lock of back-ups. Raises Conflict `backup_running`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [BACKUP_LOCK])
        if cursor.fetchone() != (True,):
            raise Conflict("A back-up of this installation is being made already.", code="backup_running")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [BACKUP_LOCK])


def take_snapshot(dump: Path) -> Snapshot:
    """Dump the database into a file, and read its facts in the same snapshot. Blocks nobody."""
    major = server_major()
    tool = find_tool("pg_dump", at_least=major)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SELECT pg_export_snapshot(), current_setting('server_version')")
        moment, version = cursor.fetchone()
        run_tool(
            tool,
            "--format=custom",
            "--compress=gzip:1",
            "--no-owner",
            "--no-privileges",
            "--lock-wait-timeout=15000",
            *(f"--exclude-table-data={pattern}" for pattern in LEFT_OUT),
            f"--snapshot={moment}",
            f"--file={dump}",
            what="Dumping the database",
        )
        keys = list(named_objects())
        head = AuditSeal.objects.order_by("-position").first()
        cursor.execute("SELECT app, max(name) FROM django_migrations GROUP BY app ORDER BY app")
        migrations = dict(cursor.fetchall())
        installation = Installation.objects.first()
        facts = {
            "installation": str(installation.pk) if installation else "",
            "postgres": version,
            "postgres_major": major,
            "migrations": migrations,
            "rows": count_rows(),
            "audit": {
                "entries": AuditEntry.objects.count(),
                "seals": head.position if head else 0,
                "head": head.hash if head else "",
            },
        }
    return Snapshot(keys, facts, head.position if head else 0)


def count_rows() -> dict[str, int]:
    """Row counts of the dumped tables."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
        tables = [name for (name,) in cursor.fetchall() if name not in LEFT_OUT]
        counts = {}
        for name in tables:
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(name)}")  # noqa: S608
            counts[name] = int(cursor.fetchone()[0])
    return counts


def anchors_until(head: int) -> str:
    """The lines of the anchor file up to the dump's last seal."""
    path = Path(settings.STATE_DIR) / ANCHOR
    if not path.exists():
        return ""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return "".join(f"{line}\n" for line in lines if json.loads(line)["position"] <= head)
