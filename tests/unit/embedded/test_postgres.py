"""The embedded PostgreSQL: private, started and stopped cleanly, unharmed by kill -9."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from voxloop.embedded.cluster import explain
from voxloop.embedded.messages import StartError
from voxloop.embedded.postgres import EmbeddedPostgres
from voxloop.embedded.processes import is_alive, list_descendants

ROOT = Path(__file__).parents[3]


@pytest.fixture
def server(open_folder: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(open_folder)
    server.start()
    yield server
    server.stop()
    server.remove()


def ask(server: EmbeddedPostgres, question: str, *, as_owner: bool = False) -> Any:
    with psycopg.connect(server.owner_url if as_owner else server.url, autocommit=True) as connection:
        cursor = connection.execute(question)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def test_it_is_private_checksummed_and_not_a_superuser(server: EmbeddedPostgres) -> None:
    assert ask(server, "SHOW server_version_num")[:2] == "18"
    assert ask(server, "SHOW data_checksums") == "on"
    assert ask(server, "SHOW listen_addresses") == "127.0.0.1"
    assert ask(server, "SHOW password_encryption") == "scram-sha-256"
    assert ask(server, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(server, "SET session_replication_role = replica")
    rules = (server.data / "pg_hba.conf").read_text().splitlines()
    ways = {line.split()[-1] for line in rules if line and not line.startswith("#")}
    assert ways == {"scram-sha-256"}
    assert (server.data.stat().st_mode & 0o777) == 0o700
    assert ((server.home / "access.json").stat().st_mode & 0o777) == 0o600


def test_a_wrong_password_is_refused(server: EmbeddedPostgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.url.replace(server.password, "guess"))


def test_a_second_one_on_the_same_folder_is_refused_in_one_sentence(server: EmbeddedPostgres) -> None:
    with pytest.raises(StartError, match=r"already running \(process \d+\)\.$"):
        EmbeddedPostgres(server.folder).prepare()


def test_what_was_written_is_there_after_a_clean_stop(server: EmbeddedPostgres) -> None:
    ask(server, "CREATE TABLE kept AS SELECT 7 AS n", as_owner=True)
    pid, url = server.pid, server.url
    server.stop()
    assert pid is not None
    assert not is_alive(pid)
    server.start()
    assert server.url == url
    assert ask(server, "SELECT n FROM kept", as_owner=True) == 7


@pytest.mark.fault("PostgreSQL is killed")
def test_kill_nine_loses_nothing_that_was_committed(server: EmbeddedPostgres) -> None:
    ask(server, "CREATE TABLE kept AS SELECT 7 AS n", as_owner=True)
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    server.stop()
    server.start()
    assert ask(server, "SELECT n FROM kept", as_owner=True) == 7


@pytest.mark.fault("a stale lock file with a recycled pid")
def test_a_lock_file_with_a_recycled_pid_does_not_stop_it(server: EmbeddedPostgres) -> None:
    server.stop()
    # Process 1 exists and is not our server; PostgreSQL alone would refuse to start.
    (server.data / "postmaster.pid").write_text(f"1\n{server.data}\n")
    server.start()
    assert ask(server, "SELECT 1") == 1


def test_it_ends_with_the_process_that_started_it(open_folder: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path\n"
        "from voxloop.embedded.postgres import EmbeddedPostgres\n"
        f"server = EmbeddedPostgres(Path({str(open_folder)!r})); server.start()\n"
        "print(server.pid, flush=True); time.sleep(60)\n"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": str(ROOT / "platform")}, stdout=subprocess.PIPE
    )
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    everyone = [pid, *list_descendants(pid)]
    assert len(everyone) > 1
    starter.kill()
    starter.wait()
    starter.stdout.close()
    end = time.monotonic() + 90
    while any(is_alive(each) for each in everyone) and time.monotonic() < end:
        time.sleep(0.05)
    assert [each for each in everyone if is_alive(each)] == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["LOG: x", "2026 [1] FATAL:  could not write", "could not extend file: No space left on device"],
            "the disk is full.",
        ),
        (["LOG: x", "2026 [1] FATAL:  port is taken", "LOG: y"], "2026 [1] FATAL:  port is taken"),
        ([], "it ended without a message."),
    ],
)
def test_failures_are_told_in_one_line(words: list[str], sentence: str) -> None:
    assert explain(words) == sentence
