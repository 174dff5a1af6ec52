"""Fixtures for every test. Tests that need the database get a real PostgreSQL from `manage.py test`."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.db import connection
from django.test import TransactionTestCase
from playwright.sync_api import Browser

from tests.chromium import launch
from tests.factories.world import World, build_world


@pytest.fixture(autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory, settings: Any) -> Path:
    """Each test has a state folder of its own; nothing is shared but the database server."""
    folder = tmp_path_factory.mktemp("state")
    settings.STATE_DIR = folder
    settings.WORK_DIR = folder / "work"
    settings.EXPORT_ROOT = folder / "releases"
    settings.STORAGE_URL = f"file://{folder / 'objects'}"
    settings.RATE_FACTOR = 0  # tests ask more in a minute than people do
    # Argon2 is slow on purpose; tests log in a thousand times.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return folder


@pytest.fixture(autouse=True)
def files_as_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Built files come from WhiteNoise with its headers, as they do where the product is installed."""
    monkeypatch.setattr(StaticFilesHandler, "_should_handle", lambda self, path: False)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A scenario of `manage.py bench reliability` goes into the report by its name, with its case where it has some."""
    for item in items:
        if mark := item.get_closest_marker("fault"):
            case = f": {item.callspec.id}" if hasattr(item, "callspec") else ""
            item.user_properties.append(("fault", f"{mark.args[0]}{case}"))


_teardown = TransactionTestCase._fixture_teardown


def _teardown_without_triggers(self: TransactionTestCase) -> None:
    # The append-only triggers refuse TRUNCATE, as they should. The test database is emptied with them asleep.
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
    try:
        _teardown(self)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = DEFAULT")


TransactionTestCase._fixture_teardown = _teardown_without_triggers  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for every test that needs it; each opens a profile of its own."""
    # Playwright's loop runs in this thread; the ORM is used between its calls, never inside them.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with launch() as found:
        yield found


@pytest.fixture
def world(db: None) -> World:
    """A small campaign: three sites, one person per role, six ready scans of small phantom-like volumes."""
    return build_world()


@pytest.fixture
def live_world(transactional_db: None) -> World:
    """The same, committed: for tests with several connections or a real server."""
    return build_world()
