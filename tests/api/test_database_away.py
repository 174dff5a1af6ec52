"""A database that is unreachable, busy or full: 503 or 507 with a code and Retry-After, in views, in middleware, on
pages. The errors are PostgreSQL's own: a statement that raises the code is run before the real one."""

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection, connections, transaction
from django.db.utils import ProgrammingError
from django.test import Client

from tests.factories.world import World, first_of, mask_message, publish
from voxloop.project.away import find_unavailable
from voxloop.volume.labelmap import MEDIA_TYPE

CODES = {
    "busy": ("53200", "53300", "55P03", "57014", "40001", "40P01", "25P03"),
    "database_away": ("57P01", "57P02", "57P03", "25006", "08006", "58030"),
    "no_space": ("53100",),
}
# With an empty text the first statement fails: that of the session middleware.
PLACES = (
    ("/api/v1/me/", ""),
    ("/api/v1/assignments/", "work_assignment"),
    ("/worklist/", ""),
    ("/worklist/", "work_assignment"),
)


@contextmanager
def raising(code: str, in_statement: str = "") -> Iterator[None]:
    """Let statements that contain a text fail with a SQLSTATE."""

    def wrapper(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if in_statement not in sql:
            return execute(sql, *rest)
        return execute(f"DO $$ BEGIN RAISE SQLSTATE '{code}'; END $$", None, False, rest[-1])

    point = transaction.savepoint()
    with connection.execute_wrapper(wrapper):
        yield
    transaction.savepoint_rollback(point)
    connection.needs_rollback = False


def logged_in(world: World, name: str = "annotator") -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(world[name], backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.fault("errors of PostgreSQL that pass by themselves")
def test_each_error_that_passes_by_itself_is_told_as_that(world: World) -> None:
    client = logged_in(world)
    for (path, where), (told, codes) in itertools.product(PLACES, CODES.items()):
        for code in codes:
            with raising(code, where):
                answer = client.get(path)
            is_page = path == "/worklist/"
            assert answer.status_code == (507 if told == "no_space" else 503), (path, code, answer.content)
            assert int(answer.headers["Retry-After"]) > 0
            assert answer.headers["Content-Type"].startswith("text/html" if is_page else "application/problem+json")
            assert (answer.headers.get("Voxloop-Code") if is_page else answer.json()["code"]) == told


def test_a_page_that_was_only_read_tries_again_and_a_sent_form_does_not(world: World) -> None:
    client = logged_in(world)
    with raising("57P01"):
        read = client.get("/worklist/")
    with raising("57P01"):
        sent = client.post("/worklist/claim/")
    assert b'http-equiv="refresh" content="5"' in read.content
    assert b"http-equiv" not in sent.content
    assert b"what was saved before is safe" in sent.content


def test_a_fault_of_ours_stays_one(world: World) -> None:
    """A missing table is a 500, not a temporary error. A damaged page has its own code."""
    client = logged_in(world)
    for code in ("42P01", "22012"):
        with raising(code):
            assert client.get("/api/v1/me/").status_code == 500
    with raising("XX001"):
        damaged = client.get("/api/v1/me/")
    assert (damaged.status_code, damaged.json()["code"]) == (503, "database_damaged")
    assert find_unavailable(ProgrammingError()) is None
    assert find_unavailable(ValueError()) is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.fault("a save meets a locked row")
def test_a_save_that_waits_for_a_locked_row_is_told_busy_and_kept_nowhere(live_world: World) -> None:
    assignment = first_of(publish(live_world))
    client = logged_in(live_world)
    client.post(f"/api/v1/assignments/{assignment.pk}/open")
    headers = {"If-Match": '"empty"', "Idempotency-Key": "0123456789abcdef0123456789abcdef"}

    def save() -> Any:
        return client.put(
            f"/api/v1/assignments/{assignment.pk}/mask?layer=findings",
            mask_message(),
            content_type=MEDIA_TYPE,
            headers=headers,
        )

    with psycopg.connect(connection.connection.info.dsn, password=connection.settings_dict["PASSWORD"]) as other:
        other.execute("SELECT 1 FROM work_assignment FOR UPDATE")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        busy = save()
    assert (busy.status_code, busy.json()["code"]) == (503, "busy")
    with connection.cursor() as cursor:
        cursor.execute("RESET lock_timeout")
    assert save().status_code == 201


@pytest.mark.django_db(transaction=True)
@pytest.mark.fault("a back end is killed between two requests")
def test_a_connection_that_was_cut_is_told_once_and_mended(live_world: World) -> None:
    """As after a restart of the server: each thread's connection is closed."""
    client, seen = logged_in(live_world), []

    def ask() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone()
        ends = threading.Thread(target=end, args=(pid,))
        ends.start()
        ends.join()
        with connection.cursor() as cursor, pytest.raises(Exception) as told:  # noqa: PT011 - which is asked
            cursor.execute("SELECT 1")
        seen.append(find_unavailable(told.value))
        connections.close_all()

    def end(pid: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
        connections.close_all()

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert [refusal and refusal.code for refusal in seen] == ["database_away"]
    assert client.get("/api/v1/me/").status_code == 200
