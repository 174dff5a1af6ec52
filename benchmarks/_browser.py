"""A real Chromium with a profile of its own on a thin line, and what it tells: when images are seen, bytes, memory.

An image counts as seen when its canvas shows nine tenths of the lit pixels that it shows in the end; the page's own
words are not asked, so that any viewer is measured alike. The line is throttled by `Network.emulateNetworkConditions`
on the page, and service workers are off, because their requests would pass it by. Memory is the proportional size (PSS)
of the largest renderer process.
"""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, Request, sync_playwright

from benchmarks.memory import sizes_of

LINE_BITS, LINE_MS = 5_000_000, 80
FLAGS = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist", "--no-sandbox"]
PIXELS = ("application/octet-stream", "application/x-voxloop", "multipart/related", "application/dicom", "image/")
SHARE_SEEN = 0.9
# Every visible canvas is looked at in 24 × 24 points; overlays on the same place count with what lies below.
WATCH = """
(() => {
  const small = new OffscreenCanvas(24, 24), pen = small.getContext("2d", { willReadFrequently: true });
  window.seen = []; window.longTasks = [];
  const note = (entry) => window.longTasks.push([entry.startTime, entry.duration]);
  new PerformanceObserver((list) => list.getEntries().forEach(note))
    .observe({ entryTypes: ["longtask"] });
  setInterval(() => {
    for (const canvas of document.querySelectorAll("canvas")) {
      const box = canvas.getBoundingClientRect();
      if (box.width < 200 || box.height < 150) continue;
      pen.clearRect(0, 0, 24, 24);
      try { pen.drawImage(canvas, 0, 0, 24, 24); } catch { continue; }
      const data = pen.getImageData(0, 0, 24, 24).data;
      let lit = 0;
      for (let n = 0; n < data.length; n += 4) if (data[n + 3] > 200 && data[n] + data[n + 1] + data[n + 2] > 90) lit++;
      window.seen.push([performance.now(), [box.left, box.top].map(Math.round).join(), lit]);
    }
  }, 200);
})();
"""


@dataclass
class Visit:
    """One page and its traffic."""

    page: Page
    session: Any
    kinds: dict[str, tuple[str, str]] = field(default_factory=dict)
    transferred: dict[str, float] = field(default_factory=lambda: {"script": 0.0, "pixels": 0.0, "all": 0.0})
    urls: set[str] = field(default_factory=set)
    requests: list[Request] = field(default_factory=list)

    def note(self, event: dict[str, Any]) -> None:
        response = event["response"]
        self.urls.add(response["url"])
        self.kinds[event["requestId"]] = (event["type"], response.get("mimeType", ""))

    def count(self, event: dict[str, Any]) -> None:
        kind, mime = self.kinds.get(event["requestId"], ("", ""))
        size = float(event["encodedDataLength"])
        self.transferred["all"] += size
        if kind == "Script" or mime == "application/wasm":
            self.transferred["script"] += size
        elif kind in {"Fetch", "XHR"} and mime.startswith(PIXELS):
            self.transferred["pixels"] += size

    def script_mb(self) -> float:
        """Scripts and WebAssembly as sent, those that a worker asked for too (the page's own traffic lacks them)."""
        wanted = (".js", ".wasm")
        of_workers = {r.url: r for r in self.requests if r.url not in self.urls and r.url.endswith(wanted)}
        return (self.transferred["script"] + sum(r.sizes()["responseBodySize"] for r in of_workers.values())) / 1e6

    def seen(self, planes: int) -> float:
        """Seconds from navigation until this many canvases showed their image."""
        looks: dict[str, list[tuple[float, int]]] = {}
        for at, place, lit in self.page.evaluate("() => window.seen"):
            looks.setdefault(place, []).append((at, lit))
        times = []
        for series in looks.values():
            final = max(lit for _, lit in series[-5:])
            if final >= 24:
                times.append(next(at for at, lit in series if lit >= SHARE_SEEN * final))
        if len(times) < planes:
            raise RuntimeError(f"{len(times)} images are seen, {planes} were expected.")
        return float(sorted(times)[planes - 1]) / 1000


class Chromium:
    """A browser with an empty cache."""

    def __init__(self, context: BrowserContext, profile: Path) -> None:
        self.context, self.profile = context, profile

    def visit(self, *, throttled: bool) -> Visit:
        """An empty page, its traffic counted from now on."""
        page = self.context.new_page()
        page.set_default_timeout(300_000)
        session = self.context.new_cdp_session(page)
        visit = Visit(page, session)
        session.on("Network.responseReceived", visit.note)
        session.on("Network.loadingFinished", visit.count)
        page.on("requestfinished", lambda request: visit.requests.append(request))
        session.send("Network.enable")
        if throttled:
            rate = LINE_BITS / 8
            session.send("Network.emulateNetworkConditions", {
                "offline": False, "latency": LINE_MS, "downloadThroughput": rate, "uploadThroughput": rate,
            })  # fmt: skip
        return visit

    def renderer_mb(self) -> float:
        """PSS of the largest renderer."""
        most = 0.0
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                line = (folder / "cmdline").read_bytes().decode(errors="replace")
                if "--type=renderer" in line and self._is_mine(int(folder.name)):
                    most = max(most, sizes_of(int(folder.name))["Pss"])
        return most

    def _is_mine(self, pid: int) -> bool:
        """Whether one of its parents is the browser of this profile."""
        while pid > 1:
            if str(self.profile) in Path(f"/proc/{pid}/cmdline").read_text(errors="replace"):
                return True
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        return False


@contextlib.contextmanager
def chromium() -> Iterator[Chromium]:
    """Debian's Chromium, headless, software GL."""
    profile = Path(tempfile.mkdtemp(prefix="voxloop-chromium-"))
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    try:
        with sync_playwright() as playwright:
            context = playwright.chromium.launch_persistent_context(
                profile, executable_path=executable, args=FLAGS, viewport={"width": 1600, "height": 1000},
                service_workers="block",
            )  # fmt: skip
            context.add_init_script(WATCH)
            yield Chromium(context, profile)
            context.close()
    finally:
        shutil.rmtree(profile, ignore_errors=True)
