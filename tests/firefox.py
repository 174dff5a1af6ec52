"""Debian's own Firefox for tests, driven by Playwright over WebDriver BiDi (docs/adr/0037)."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Playwright

CHANNEL = "moz-firefox"  # Firefox as its makers ship it; without it Playwright asks for a Firefox of its own


def find_firefox() -> str:
    """The system's Firefox. Fails with instructions to install it."""
    for name in ("firefox-esr", "firefox"):
        if path := shutil.which(name):
            return path
    raise AssertionError("Firefox is missing: install the package `firefox-esr` (Debian) to run the tests in Firefox.")


@contextmanager
def launch_firefox(playwright: Playwright) -> Iterator[Browser]:
    """A headless browser."""
    browser = playwright.firefox.launch(channel=CHANNEL, executable_path=find_firefox())
    try:
        yield browser
    finally:
        browser.close()
