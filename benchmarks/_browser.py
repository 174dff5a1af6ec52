"""A real Chromium with its own profile on a throttled line, and measurements: time until images are visible, bytes,
memory. The time is taken from screencast frames (`Page.startScreencast`), so that all viewers are measured alike: a
pane counts from the first frame in which 95 % of its blocks of 8×8 pixels look as in the final screenshot, within a
tenth of the range of grey. Blocks that stay dark are left out. The line is throttled by
`Network.emulateNetworkConditions` on the page, which reaches its workers, too (1.25 MB took 2.3 s in the page and 2.2 s
in a worker); service workers are off, because their requests would bypass it. Memory is the proportional size (PSS) of
the largest renderer process of a browser without an attached debugger while the page loads: a renderer whose traffic is
recorded keeps up to 200 MB of responses."""

import base64
import contextlib
import re
import shutil
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
from playwright.sync_api import BrowserContext, Page, Request, sync_playwright

from voxloop.embedded.messages import StartError

LINE_BITS, LINE_MS = 5_000_000, 80
FLAGS = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist", "--no-sandbox"]
SCRIPT = re.compile(r"\.(m?js|wasm)(\?|$)")
PIXELS = ("application/octet-stream", "application/x-voxloop", "multipart/related", "application/dicom", "image/")
WIDTH, HEIGHT = 1600, 1000
# Frames have a quarter of the size, because reading them back from software GL slows the page. A block of 8×8 pixels of
# the page is one of 2×2 there.
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
# Final boxes of the images: large canvases, one for each stack of overlapping ones.
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
        """Record every screencast frame from now on."""
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
        """Stop recording frames, which would slow down the next measurement."""
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

        The browser does not report sizes of a worker's requests, so every file is requested again."""
        entries = self.page.evaluate("() => performance.getEntriesByType('resource').map((entry) => entry.name)")
        files = {url for url in [*entries, *(request.url for request in self.requests)] if SCRIPT.search(url)}
        return sum(_sent_bytes(url) for url in files) / 1e6

    def seen(self, images: int) -> float:
        """Seconds from navigation until this many images were seen."""
        started = self.page.evaluate("() => performance.timeOrigin") / 1000
        looks = [(at - started, _blocks(base64.b64decode(data), BLOCK)) for at, data in self.pictures if at >= started]
        final = _blocks(self.page.screenshot(), BLOCK * SHRINK)
        looks = [(at, look) for at, look in looks if look.shape == final.shape]  # the first may have another size
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
                raise RuntimeError("No frame shows the final image.")
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


def _executable() -> str | None:
    return shutil.which("chromium") or shutil.which("google-chrome")


@contextlib.contextmanager
def chromium() -> Iterator[Chromium]:
    """Debian's Chromium, headless, software GL."""
    profile = Path(tempfile.mkdtemp(prefix="voxloop-chromium-"))
    try:
        with sync_playwright() as playwright:
            if not _executable() and not Path(playwright.chromium.executable_path).exists():
                raise StartError("Chromium is missing: install it (apt-get install chromium) and run this again.")
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
                visit.stop_watching()  # a frame that arrives while the browser closes cannot be acknowledged
            context.close()
    finally:
        shutil.rmtree(profile, ignore_errors=True)
