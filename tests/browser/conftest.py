"""A live server and a browser for each test."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.editor_server import Server
from tests.chromium import Watched, close_quietly, log_in, open_context
from tests.factories.world import PASSWORD, World
from tests.faults import FaultyLine


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
        page = context.new_page()
        if username:
            log_in(page, username, PASSWORD)
        return page

    yield make
    for context in contexts:
        close_quietly(context)


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
    found = context.new_page()
    log_in(found, "annotator", PASSWORD)
    yield found
    close_quietly(context)


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of the editor alone."""
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()
