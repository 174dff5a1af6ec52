"""A live server and a browser for each test."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.editor_server import Server
from tests.chromium import Watched, close_quietly, open_context
from tests.factories.world import World
from tests.faults import FaultyLine
from voxloop.accounts.models import User


@pytest.fixture
def watched() -> Iterator[Watched]:
    """Every console error and CSP violation of the test fails it."""
    found = Watched()
    yield found
    found.check()


@pytest.fixture
def new_page(browser: Browser, live_server: Any, watched: Watched) -> Iterator[Any]:
    """`new_page("annotator")` gives a page of a fresh profile with that person logged in."""
    contexts = []

    def make(username: str | None = None, **options: Any) -> Page:
        context = open_context(browser, live_server.url, watched, **options)
        contexts.append(context)
        if username:
            enter(context, username, options.get("base_url", live_server.url))
        return context.new_page()

    yield make
    for context in contexts:
        close_quietly(context)


def enter(context: BrowserContext, username: str, url: str) -> None:
    """Begin a log-in without the log-in page, which has tests of its own and takes a second."""
    client = Client()
    client.force_login(User.objects.get(username=username), backend="django.contrib.auth.backends.ModelBackend")
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": url}])


@pytest.fixture
def faulty_line(live_server: Any) -> Iterator[FaultyLine]:
    """A line to the server that can be cut."""
    with FaultyLine(live_server.url) as found:
        yield found


@pytest.fixture
def faulty_page(live_world: World, browser: Browser, faulty_line: FaultyLine, watched: Watched) -> Iterator[Page]:
    """A page of the annotator behind that line."""
    watched.expected += ["net::ERR_", "status of 401", "status of 403", "status of 404", "status of 412"]
    context = open_context(browser, faulty_line.url, watched)
    enter(context, "annotator", faulty_line.url)
    found = context.new_page()
    yield found
    close_quietly(context)


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of the editor alone."""
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()
