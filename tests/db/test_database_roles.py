"""The working role owns nothing and cannot disable the append-only triggers. Runs on a separate cluster with both
roles, made and migrated as in the demonstration. tests/journeys/test_demo_command.py checks that the product works with
this role."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from voxloop.embedded.cluster import NAME, OWNER
from voxloop.embedded.postgres import THROWAWAY, EmbeddedPostgres

ROOT = Path(__file__).parents[2]


def manage(server: EmbeddedPostgres, *arguments: str, as_owner: bool) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "VOXLOOP_OWNER_DATABASE"}
    environment |= {"VOXLOOP_DATABASE": server.url, "VOXLOOP_SECRET_KEY": "x" * 50, "VOXLOOP_STATE": str(server.folder)}
    environment |= {"VOXLOOP_OWNER_DATABASE": server.owner_url} if as_owner else {}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    folder = Path(tempfile.mkdtemp(prefix="voxloop-roles-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder / "postgres", settings=THROWAWAY)
    server.start()
    try:
        done = manage(server, "prepare_broker", "--migrate", as_owner=True)
        assert done.returncode == 0, done.stderr
        yield server
    finally:
        server.stop()
        server.remove()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def worker(server: EmbeddedPostgres) -> Iterator[psycopg.Connection]:
    with psycopg.connect(server.url, autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE audit_auditentry DISABLE TRIGGER ALL",
        "ALTER TABLE audit_auditentry DISABLE TRIGGER audit_append_only",
        "DROP TRIGGER audit_append_only ON audit_auditentry",
        "DROP FUNCTION voxloop_refuse_change() CASCADE",
        "CREATE OR REPLACE FUNCTION voxloop_refuse_change() RETURNS trigger LANGUAGE internal AS 'x'",
        "CREATE OR REPLACE FUNCTION voxloop_refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "SET session_replication_role = replica",
        "UPDATE audit_auditentry SET why = 'x'",
        "DELETE FROM audit_auditentry",
        "TRUNCATE audit_auditentry CASCADE",
        "DROP TABLE audit_auditentry CASCADE",
        "UPDATE audit_auditseal SET hash = 'x'",
        "DELETE FROM audit_auditseal",
        "ALTER TABLE masks_maskrevision DISABLE TRIGGER ALL",
        "TRUNCATE masks_maskrevision CASCADE",
        "TRUNCATE masks_answerset",
        "UPDATE masks_maskrevision SET chunks = '{}'",
        "DELETE FROM masks_maskrevision",
        "UPDATE masks_answerset SET values = '{}'",
        "DELETE FROM masks_answerset",
        "UPDATE masks_maskchunk SET data = ''",
        "DELETE FROM masks_maskchunk",
        "SELECT set_config('voxloop.keeping', 'collect', false); DELETE FROM masks_maskchunk",
        "SELECT set_config('voxloop.keeping', 'mend', false); UPDATE masks_maskchunk SET data = ''",
        "SELECT set_config('voxloop.erasing', pg_current_xact_id()::text, false); DELETE FROM masks_answerset",
        "TRUNCATE accounts_user CASCADE",
        "DROP TABLE accounts_user CASCADE",
        "ALTER TABLE accounts_user ADD COLUMN x int",
        "DELETE FROM django_migrations",
        "CREATE TABLE more (x int)",
        "CREATE SCHEMA more",
        "CREATE ROLE more SUPERUSER",
        f"SET ROLE {OWNER}",
        f"ALTER ROLE {OWNER} PASSWORD 'x'",
        f"GRANT {OWNER} TO {NAME}",
        "COPY audit_auditentry TO PROGRAM 'cat'",
    ],
)
def test_the_working_role_may_not(worker: psycopg.Connection, statement: str) -> None:
    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidGrantOperation)):
        worker.execute(statement)


def test_it_reads_and_appends_where_rows_stay_and_changes_the_rest(worker: psycopg.Connection) -> None:
    with worker.transaction(force_rollback=True):
        worker.execute(
            "INSERT INTO audit_auditentry (at, actor_name, action, object_type, object_id, why, hash) "
            "VALUES (now(), 'x', 'x', 'x', 'x', '', '')"
        )
        assert worker.execute("SELECT count(*) FROM audit_auditentry").fetchone() != (0,)
        worker.execute("UPDATE accounts_user SET theme = 'dark'")
        worker.execute("DELETE FROM accounts_apitoken")
    owned = worker.execute(
        "SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole AND relnamespace = 'public'::regnamespace"
    )
    assert owned.fetchone() == (0,)


def test_chunks_are_mended_and_collected_through_the_functions_of_the_owner(worker: psycopg.Connection) -> None:
    name = bytes(32)
    with worker.transaction(force_rollback=True):
        for good in (b"one", b"two"):
            worker.execute("SELECT voxloop_mend_chunk(%s, %s, %s)", [name, good, "{}"])
            held = worker.execute("SELECT data FROM voxloop_hold_chunks(%s)", [[name]]).fetchall()
            assert held == [(good,)]
        assert worker.execute("SELECT voxloop_collect_chunks(%s)", [[name]]).fetchone() == (1,)
        assert worker.execute("SELECT count(*) FROM masks_maskchunk").fetchone() == (0,)


def test_the_brokers_queues_are_its_own(worker: psycopg.Connection) -> None:
    """Celery creates queues when its workers start, and reads and deletes in them."""
    name = f"q{uuid4().hex[:8]}"
    worker.execute("SELECT pgmq.create(%s)", [name])
    worker.execute("SELECT pgmq.send(%s, '{}'::jsonb)", [name])
    assert worker.execute("SELECT msg_id FROM pgmq.pop(%s)", [name]).fetchone() == (1,)
    worker.execute("SELECT pgmq.drop_queue(%s)", [name])


def test_migrations_do_not_run_with_the_working_role(server: EmbeddedPostgres) -> None:
    assert manage(server, "migrate", "accounts", "0001", as_owner=False).returncode != 0
    again = manage(server, "prepare_broker", "--migrate", as_owner=True)
    assert again.returncode == 0, again.stderr


def test_a_folder_of_before_gets_its_second_role() -> None:
    folder = Path(tempfile.mkdtemp(prefix="voxloop-before-"))
    folder.chmod(0o711)
    old = EmbeddedPostgres(
        folder / "postgres", is_throwaway=True
    )  # one role that owns the database, as in older versions
    try:
        old.start()
        with psycopg.connect(old.url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
            connection.execute("CREATE SCHEMA pgmq CREATE TABLE meta (x int)")
        old.stop()
        access = old.home / "access.json"
        kept = json.loads(access.read_text())
        kept.pop("owner_password", None)
        access.write_text(json.dumps(kept))
        new = EmbeddedPostgres(folder / "postgres", settings=THROWAWAY)
        new.start()
        try:
            with psycopg.connect(new.owner_url, autocommit=True) as connection:
                owner = connection.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'kept'").fetchone()
                assert owner == (OWNER,)
                assert connection.execute("SELECT n FROM kept").fetchone() == (7,)
                assert connection.execute("SELECT to_regnamespace('pgmq')").fetchone() == (None,)
            with psycopg.connect(new.url, autocommit=True) as connection:
                for statement in ("SELECT n FROM kept", "DROP TABLE kept", "CREATE DATABASE more"):
                    with pytest.raises(psycopg.errors.InsufficientPrivilege):
                        connection.execute(statement)
        finally:
            new.stop()
    finally:
        old.remove()
        shutil.rmtree(folder, ignore_errors=True)
