"""A browser without an attached debugger."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, Playwright, sync_playwright

from benchmarks._browser import FLAGS, HEIGHT, WIDTH, _executable
from benchmarks.memory import sizes_of
from voxloop.embedded.processes import free_port


class Unwatched:
    """A browser that is not observed while a page loads."""

    def __init__(self, playwright: Playwright, address: str, profile: Path) -> None:
        self.playwright, self.address, self.profile = playwright, address, profile

    @contextlib.contextmanager
    def page(self, *, at: str = "") -> Iterator[Page]:
        """Attach to the open page whose URL contains `at`, or to a new one."""
        browser = self.playwright.chromium.connect_over_cdp(self.address)
        context = browser.contexts[0]
        found = next((page for page in context.pages if at in page.url), None) if at else context.new_page()
        assert found is not None, f"no page at {at}"
        found.set_default_timeout(60_000)
        try:
            yield found
        finally:
            if not at:
                found.close()
            browser.close()  # only detaches

    def open(self, url: str) -> None:
        """Open a page and wait until the browser is idle."""
        request = urllib.request.Request(f"{self.address}/json/new?{urllib.parse.quote(url, safe='')}", method="PUT")
        urllib.request.urlopen(request, timeout=30).close()
        self.rest()

    def rest(self, seconds: float = 6, most: float = 120) -> None:
        """Wait until the renderers use less than a tenth of a CPU for some seconds."""
        end, since, before = time.monotonic() + most, time.monotonic(), self._worked()
        while time.monotonic() < end:
            time.sleep(1)
            now = self._worked()
            if now - before > os.sysconf("SC_CLK_TCK") / 10:
                since = time.monotonic()
            elif time.monotonic() - since > seconds:
                return
            before = now

    def _worked(self) -> int:
        """Clock ticks of all renderers so far."""
        ticks = 0
        for pid in self._renderers():
            with contextlib.suppress(OSError):
                words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += int(words[11]) + int(words[12])
        return ticks

    def renderer_mb(self) -> float:
        """PSS of the largest renderer."""
        sizes = [0.0]
        for pid in self._renderers():
            with contextlib.suppress(OSError):
                sizes.append(sizes_of(pid)["Pss"])
        return max(sizes)

    def _renderers(self) -> list[int]:
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                with contextlib.suppress(OSError):
                    line = (folder / "cmdline").read_bytes().decode(errors="replace")
                    if "--type=renderer" in line and self._is_mine(int(folder.name)):
                        found.append(int(folder.name))
        return found

    def _is_mine(self, pid: int) -> bool:
        """Whether one of its parents is the browser of this profile."""
        while pid > 1:
            if str(self.profile) in Path(f"/proc/{pid}/cmdline").read_text(errors="replace"):
                return True
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        return False


@contextlib.contextmanager
def unwatched() -> Iterator[Unwatched]:
    """Debian's Chromium, headless, software GL, with no debugger attached."""
    profile, port = Path(tempfile.mkdtemp(prefix="voxloop-chromium-")), free_port()
    command = [
        str(_executable()),
        "--headless=new",
        *FLAGS,
        f"--user-data-dir={profile}",
        f"--remote-debugging-port={port}",
        f"--window-size={WIDTH},{HEIGHT}",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-dev-shm-usage",
        "about:blank",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{address}/json/version", timeout=5).close()
                break
            time.sleep(0.1)
        with sync_playwright() as playwright:
            yield Unwatched(playwright, address, profile)
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(profile, ignore_errors=True)
