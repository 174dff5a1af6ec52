"""A real Chromium with a profile of its own on a thin line, and what it tells: when images are seen, bytes, memory.

When an image is seen is taken from the pictures that the browser puts on screen (`Page.startScreencast`), so that any
viewer is measured alike and none by its own words: a pane counts from the first picture on in which 95 % of its
blocks of 8×8 pixels look as they do in the end (a screenshot), give or take a tenth of black to white. Blocks that
stay dark throughout say nothing and are left out. The line is throttled by `Network.emulateNetworkConditions` on the
page, which reaches its workers, too (1.25 MB took 2.3 s in the page and 2.2 s in a worker); service workers are off,
because their requests would pass it by.

Memory is the proportional size (PSS) of the largest renderer process of a browser that nobody watches while the page
loads: a renderer that is asked for its traffic keeps up to 200 MB of answers for whoever asked.
"""

import base64
import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
from playwright.sync_api import BrowserContext, Page, Playwright, Request, sync_playwright

from benchmarks.memory import sizes_of
from voxloop.embedded.processes import free_port

LINE_BITS, LINE_MS = 5_000_000, 80
FLAGS = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist", "--no-sandbox"]
SCRIPT = re.compile(r"\.(m?js|wasm)(\?|$)")
PIXELS = ("application/octet-stream", "application/x-voxloop", "multipart/related", "application/dicom", "image/")
WIDTH, HEIGHT = 1600, 1000
# Pictures come at a quarter of the size, because the page pays for their way back from the imitated graphics card. A
# block of 8×8 pixels of the page is one of 2×2 there.
SHRINK, BLOCK = 4, 2
ALIKE = 25.5
SHARE_SEEN = 0.95
DARK = 24
WATCH = """
(() => {
  window.longTasks = [];
  const note = (entry) => window.longTasks.push([entry.startTime, entry.duration]);
  new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ entryTypes: ["longtask"] });
})();
"""
# Places of the images in the end: canvases large enough, one for all that lie upon each other.
PLACES = """() => [...new Map([...document.querySelectorAll("canvas")].map((canvas) => canvas.getBoundingClientRect())
  .filter((box) => box.width >= 200 && box.height >= 150)
  .map((box) => [[box.left, box.top].map(Math.round).join(), [box.left, box.top, box.right, box.bottom]])).values()]"""

Picture = npt.NDArray[np.float32]


@dataclass
class Visit:
    """One page and its traffic."""

    page: Page
    session: Any
    kinds: dict[str, tuple[str, str]] = field(default_factory=dict)
    transferred: dict[str, float] = field(default_factory=lambda: {"pixels": 0.0, "all": 0.0})
    requests: list[Request] = field(default_factory=list)
    pictures: list[tuple[float, str]] = field(default_factory=list)
    watched: bool = False

    def watch(self) -> None:
        """Keep every picture that goes on screen from now on."""
        self.watched = True
        self.session.on("Page.screencastFrame", self._keep)
        self.session.send(
            "Page.startScreencast",
            {
                "format": "png",
                "maxWidth": WIDTH // SHRINK,
                "maxHeight": HEIGHT // SHRINK,
            },
        )

    def _keep(self, event: dict[str, Any]) -> None:
        self.pictures.append((float(event["metadata"]["timestamp"]), event["data"]))
        self.session.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})

    def stop_watching(self) -> None:
        """No more pictures: taking them costs time, which what is measured next must not pay."""
        if self.watched and not self.page.is_closed():
            self.session.remove_listener("Page.screencastFrame", self._keep)
            self.session.send("Page.stopScreencast")
        self.watched = False

    def note(self, event: dict[str, Any]) -> None:
        response = event["response"]
        self.kinds[event["requestId"]] = (event["type"], response.get("mimeType", ""))

    def count(self, event: dict[str, Any]) -> None:
        kind, mime = self.kinds.get(event["requestId"], ("", ""))
        size = float(event["encodedDataLength"])
        self.transferred["all"] += size
        if kind in {"Fetch", "XHR"} and mime.startswith(PIXELS):
            self.transferred["pixels"] += size

    def script_mb(self) -> float:
        """Scripts and WebAssembly as sent, each file once, those of workers too.

        The browser does not tell the size of what a worker asked for, so every file is asked for again.
        """
        entries = self.page.evaluate("() => performance.getEntriesByType('resource').map((entry) => entry.name)")
        files = {url for url in [*entries, *(request.url for request in self.requests)] if SCRIPT.search(url)}
        return sum(_sent_bytes(url) for url in files) / 1e6

    def seen(self, images: int) -> float:
        """Seconds from navigation until this many images were seen."""
        started = self.page.evaluate("() => performance.timeOrigin") / 1000
        looks = [(at - started, _blocks(base64.b64decode(data), BLOCK)) for at, data in self.pictures if at >= started]
        final = _blocks(self.page.screenshot(), BLOCK * SHRINK)
        looks = [(at, look) for at, look in looks if look.shape == final.shape]  # the first may be of another size
        times = []
        for left, top, right, bottom in self.page.evaluate(PLACES):
            side = SHRINK * BLOCK
            part = (slice(round(top / side), round(bottom / side)), slice(round(left / side), round(right / side)))
            pane = np.stack([look[part] for _, look in looks])
            telling = np.maximum(pane.max(axis=0), final[part]) > DARK
            if not (final[part] > DARK).any():
                continue
            seen = (np.abs(pane - final[part])[:, telling] <= ALIKE).mean(axis=1) >= SHARE_SEEN
            if not seen.any():
                raise RuntimeError("No picture shows what is there in the end: the browser gave none of it.")
            times.append(looks[int(seen.argmax())][0])
        if len(times) < images:
            raise RuntimeError(f"{len(times)} images are seen, {images} were expected.")
        return float(sorted(times)[images - 1])


def _sent_bytes(url: str) -> int:
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return len(answer.read())


def _blocks(png: bytes, side: int) -> Picture:
    """The picture's mean grey by block of side × side pixels, rows × columns."""
    picture = imagecodecs.png_decode(png)[..., :3].astype(np.float32).mean(axis=2)
    rows, columns = (n // side for n in picture.shape)
    cut = picture[: rows * side, : columns * side]
    return np.asarray(cut.reshape(rows, side, columns, side).mean(axis=(1, 3)), np.float32)


class Chromium:
    """A browser with an empty cache."""

    def __init__(self, context: BrowserContext, profile: Path) -> None:
        self.context, self.profile = context, profile
        self.visits: list[Visit] = []

    def visit(self, *, throttled: bool) -> Visit:
        """An empty page, its traffic counted from now on."""
        page = self.context.new_page()
        page.set_default_timeout(300_000)
        session = self.context.new_cdp_session(page)
        visit = Visit(page, session)
        self.visits.append(visit)
        session.on("Network.responseReceived", visit.note)
        session.on("Network.loadingFinished", visit.count)
        page.on("requestfinished", lambda request: visit.requests.append(request))
        session.send("Network.enable")
        visit.watch()
        if throttled:
            rate = LINE_BITS / 8
            session.send(
                "Network.emulateNetworkConditions",
                {
                    "offline": False,
                    "latency": LINE_MS,
                    "downloadThroughput": rate,
                    "uploadThroughput": rate,
                },
            )
        return visit


class Unwatched:
    """A browser that is left alone while a page loads."""

    def __init__(self, playwright: Playwright, address: str, profile: Path) -> None:
        self.playwright, self.address, self.profile = playwright, address, profile

    @contextlib.contextmanager
    def page(self, *, at: str = "") -> Iterator[Page]:
        """The open page whose address holds `at`, or a new one, for as long as this lasts."""
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
            browser.close()  # only lets go of it

    def open(self, url: str) -> None:
        """Open a page and wait until it has come to rest: no process of the browser works any more."""
        request = urllib.request.Request(f"{self.address}/json/new?{urllib.parse.quote(url, safe='')}", method="PUT")
        urllib.request.urlopen(request, timeout=30).close()
        self.rest()

    def rest(self, seconds: float = 6, most: float = 120) -> None:
        """Wait until the renderers take less than a tenth of a processor for some seconds."""
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
    """Debian's Chromium, headless, software GL, with nobody attached to it."""
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


def _executable() -> str | None:
    return shutil.which("chromium") or shutil.which("google-chrome")


@contextlib.contextmanager
def chromium() -> Iterator[Chromium]:
    """Debian's Chromium, headless, software GL."""
    profile = Path(tempfile.mkdtemp(prefix="voxloop-chromium-"))
    try:
        with sync_playwright() as playwright:
            context = playwright.chromium.launch_persistent_context(
                profile,
                executable_path=_executable(),
                args=FLAGS,
                viewport={"width": WIDTH, "height": HEIGHT},
                service_workers="block",
            )
            context.add_init_script(WATCH)
            browser = Chromium(context, profile)
            yield browser
            for visit in browser.visits:
                visit.stop_watching()  # a picture that came while the browser closes could not be acknowledged
            context.close()
    finally:
        shutil.rmtree(profile, ignore_errors=True)
