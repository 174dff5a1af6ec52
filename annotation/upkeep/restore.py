"""Restore a back-up: objects, database, log-ins and leases; every step is idempotent."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from knox.models import get_token_model

from annotation.upkeep.copying import Tell, copy_object, is_intact, with_progress
from annotation.upkeep.manifest import ANCHOR, DUMP
from annotation.upkeep.objects import public_address
from annotation.upkeep.pruning import named_in
from annotation.upkeep.snapshot import count_rows
from annotation.upkeep.tools import find_tool, run_tool, server_major
from annotation.upkeep.verify import Opened, fetch_part
from voxloop.accounts.actors import SystemActor
from voxloop.audit.models import AuditEntry
from voxloop.audit.services import record
from voxloop.audit.verify import verify
from voxloop.installation.models import Installation
from voxloop.jobs.services import requeue_running
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict
from voxloop.storage.directory import open_directory
from voxloop.storage.store import open_store

MARK = "voxloop_restore"  # a schema that exists while a restore is incomplete


def restore_backup(opened: Opened, *, keep_objects: bool, tell: Tell) -> dict[str, Any]:
    """Restore into the database and storage of the settings; returns a summary. Both must be empty, or hold what an
    interrupted restore of the same back-up left. Log-ins and API tokens end, because some may have been revoked after
    the back-up. Raises Conflict when it is impossible."""
    _check_version(opened)
    is_loaded = _check_database(opened.name)
    keys = named_in(opened.directory, opened.name)
    known = " ".join(opened.facts["faults"])
    keys = [key for key in keys if key not in known]
    _check_storage(keys, keep_objects)
    _restore_objects(opened, keys, tell)
    tell(60, "Restoring the database")
    if not is_loaded:
        _load_dump(opened)
    _compare_rows(opened)
    tell(85, "Bringing the tables up to date")
    _adopt()
    with connection.cursor() as cursor:
        # The broker's tables must belong to the working role, not to the restoring one: they are created again.
        cursor.execute("DROP SCHEMA IF EXISTS pgmq CASCADE")
    call_command("prepare_broker", migrate=True)
    _restore_anchor(opened)
    count, fault = verify()
    if fault is not None:
        raise Conflict(f"The restored audit log is not intact: {fault.sentence}", code="audit_broken")
    done = _settle(opened)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA {MARK} CASCADE")
    return {"name": opened.name, "objects": len(keys), "audit_entries": count, **done}


def _check_version(opened: Opened) -> None:
    known = set(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)
    newer = [f"{app} {name}" for app, name in opened.facts["migrations"].items() if (app, name) not in known]
    if newer:
        raise Conflict(
            f"The back-up {opened.name} was made by a newer version of Voxloop (it knows {newer[0]}): update this one "
            "first.",
            code="backup_newer",
        )
    find_tool("pg_restore", at_least=max(opened.facts["postgres_major"], server_major()))
    if server_major() < opened.facts["postgres_major"]:
        raise Conflict(
            f"The back-up comes from PostgreSQL {opened.facts['postgres_major']}, this server is {server_major()}: use "
            "one at least as new.",
            code="server_older",
        )


def _check_database(name: str) -> bool:
    """Whether an interrupted restore has loaded the dump already. Raises Conflict for a database with other content."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema', %s)", [MARK]
        )
        tables = cursor.fetchone()[0]
        cursor.execute("SELECT to_regclass(%s)", [f"{MARK}.begun"])
        begun = None
        if cursor.fetchone() != (None,):
            cursor.execute(f"SELECT name FROM {MARK}.begun")  # noqa: S608
            begun = cursor.fetchone()[0]
        if begun is None and tables:
            raise Conflict(
                "The database is not empty: restore into a new one (VOXLOOP_DATABASE), or into a new folder (--state).",
                code="database_not_empty",
            )
        if begun not in (None, name):
            raise Conflict(
                f"A restore of the back-up {begun} into this database has not finished: run it again (--at {begun}), "
                "or use a new database.",
                code="other_restore",
            )
        if begun is None:
            cursor.execute(f"CREATE SCHEMA {MARK} CREATE TABLE begun (name text, counted boolean DEFAULT false)")
            cursor.execute(f"INSERT INTO {MARK}.begun VALUES (%s)", [name])  # noqa: S608
    return bool(tables)


def _check_storage(keys: list[str], keep_objects: bool) -> None:
    foreign = held_in_storage() - set(keys)
    if foreign and not keep_objects:
        raise Conflict(
            f"{public_address(settings.STORAGE_URL)} holds objects that are not in the back-up ({sorted(foreign)[0]}): "
            "restore into an empty one, or keep them with --keep-objects.",
            code="storage_not_empty",
        )


def held_in_storage() -> set[str]:
    """Keys of the objects in the configured storage."""
    held = set()
    for name, _ in open_directory(settings.STORAGE_URL).names():
        parts = name.split("/")
        held.add(f"{parts[0]}/{parts[-1]}")
    return held


def _restore_objects(opened: Opened, keys: list[str], tell: Tell) -> None:
    store = open_store(settings.STORAGE_URL)
    held = held_in_storage()
    for key in with_progress(keys, len(keys), tell, "Restoring objects", 1, 60):
        if key in held and is_intact(store, key):
            continue
        store.delete(key)
        copy_object(key, opened.directory.objects, store)


def _load_dump(opened: Opened) -> None:
    """Load the whole dump in one transaction."""
    tool = find_tool("pg_restore", at_least=max(opened.facts["postgres_major"], server_major()))
    with fetch_part(opened, DUMP) as path:
        database = str(settings.DATABASES["default"]["NAME"])
        run_tool(
            tool,
            "--single-transaction",
            "--exit-on-error",
            "--no-owner",
            "--no-privileges",
            f"--dbname={database}",
            str(path),
            what="Restoring the database",
        )


def _compare_rows(opened: Opened) -> None:
    """Check the row count of every table against the dump; once, before anything else writes."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT counted FROM {MARK}.begun")  # noqa: S608
        if cursor.fetchone() == (True,):
            return
    found = count_rows()
    wrong = [name for name, count in opened.facts["rows"].items() if found.get(name) != count]
    if wrong:
        raise Conflict(
            f"The restored table {wrong[0]} has {found.get(wrong[0], 'no')} rows, the back-up had "
            f"{opened.facts['rows'][wrong[0]]}.",
            code="rows_differ",
        )
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {MARK}.begun SET counted = true")  # noqa: S608


def _adopt() -> None:
    """Let the database belong to its current state folder."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('installation_installation')")
        if cursor.fetchone() != (None,):
            cursor.execute("UPDATE installation_installation SET state_folder = ''")


def _restore_anchor(opened: Opened) -> None:
    """Write the anchors of the back-up to the local anchor file; an existing file is renamed, not deleted."""
    path = Path(settings.STATE_DIR) / ANCHOR
    path.parent.mkdir(parents=True, exist_ok=True)
    with fetch_part(opened, ANCHOR) as kept:
        text = kept.read_text()
    if path.exists() and path.read_text() != text:
        path.rename(path.with_name(f"{path.stem}.before-restore-{now():%Y%m%dT%H%M%S}.jsonl"))
    path.write_text(text)


@transaction.atomic
def _settle(opened: Opened) -> dict[str, Any]:
    """End log-ins and tokens, requeue running jobs, and record the restore in the audit log."""
    Session.objects.all().delete()
    tokens, _ = get_token_model().objects.all().delete()
    jobs = requeue_running("The server was restored from a back-up.")
    done = {"tokens_ended": tokens, "jobs_requeued": jobs}
    installation = Installation.objects.get()
    if done["tokens_ended"] or done["jobs_requeued"] or not _is_noted(opened.name):
        record(
            actor=SystemActor.OPERATOR, action="backup.restored", target=installation, new={"name": opened.name, **done}
        )
    return done


def _is_noted(name: str) -> bool:
    return AuditEntry.objects.filter(action="backup.restored", new__name=name).exists()


def secrets_document(opened: Opened) -> str:
    """The keys of the back-up as JSON, for the operator to set."""
    return json.dumps((opened.secrets or {}).get("keys", {}), indent=2) + "\n"
