"""A real Chromium for tests, and a check for errors of pages."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, sync_playwright

FLAGS = [
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--host-resolver-rules=MAP plain.test 127.0.0.1",  # a name other than localhost has no secure context
]
SHOTS = Path(os.environ.get("VOXLOOP_SCREENSHOTS", "test-output/screenshots"))


def find_chromium() -> str:
    """The system's Chromium. Fails with instructions to install it."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    raise AssertionError("Chromium is missing: install the package `chromium` (Debian) to run the browser tests.")


@contextmanager
def launch() -> Iterator[Browser]:
    """A headless browser; software GL, as on a machine without a GPU."""
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=flags)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watched:
    """Errors of pages: console errors, CSP violations, uncaught exceptions, failed requests."""

    complaints: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)  # parts of errors that a test provokes

    def watch(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")

    def check(self) -> None:
        """Fail on any error that the test did not provoke."""
        left = [text for text in self.complaints if not any(part in text for part in self.expected)]
        assert not left, "the browser complained: " + " | ".join(left)


def open_context(browser: Browser, url: str, watched: Watched, **options: Any) -> BrowserContext:
    """A fresh profile whose every page is watched."""
    context = browser.new_context(**{"base_url": url, "viewport": {"width": 1600, "height": 1000}, **options})
    context.on("page", watched.watch)
    context.set_default_timeout(20_000)
    return context


def log_in(page: Page, username: str, password: str) -> None:
    """Through the log-in page, as a person does."""
    page.goto("/accounts/login/")
    page.get_by_label("Name").fill(username)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(lambda url: "/accounts/login" not in url)


def shoot(page: Page, name: str) -> None:
    """Save a screenshot for visual inspection (never compared, never in git)."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")


def close_quietly(context: BrowserContext) -> None:
    """Close pages without the report that a viewer sends on leaving: it would meet tables that are being emptied."""
    for page in context.pages:
        with suppress(Error):
            page.evaluate("() => { window.fetch = () => new Promise(() => undefined); }")
    context.close()
