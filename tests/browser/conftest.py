"""A live server and a browser for each test."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.chromium import Watched, log_in, open_context
from tests.factories.world import PASSWORD


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
        context.close()
