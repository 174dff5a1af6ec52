"""The editor's worker in a real browser, with its real IndexedDB, against a server that reads with `voxloop.volume`.

Every tool: the labels before, after, undone, redone, after a reload, undone again; and what the server got.
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.chromium import Watched, open_context
from voxloop.embedded.bootstrap import ensure_frontend
from voxloop.volume.growing import grow
from voxloop.volume.labelmap import apply_chunks, decode_message, encode_message, split_labelmap

ROOT = Path(__file__).parents[2]
SHAPE = (40, 96, 100)
SPACING = (2.5, 0.7, 0.7)

HARNESS = """
window.editor = new class {
  #worker = new Worker(WORKER, { type: 'module' });
  #waiting = new Map();
  #next = 1;
  events = [];
  constructor() {
    this.#worker.onmessage = ({ data }) => {
      if ('event' in data) { this.events.push(data); return; }
      const { resolve, reject } = this.#waiting.get(data.id);
      if ('error' in data) reject(new Error(data.error)); else resolve(data.value);
    };
  }
  call(call, ...args) {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, call, args });
    });
  }
  async start(options) {
    await this.call('create', options);
    const hu = await (await fetch('/hu')).arrayBuffer();
    await this.call('putSlices', 0, new Int16Array(hu));
    const message = await (await fetch('/overlay')).arrayBuffer();
    await this.call('putOverlay', 'prediction', new Uint8Array(message));
    return this.call('open');
  }
  async stroke(tool, places) {
    await this.call('beginStroke', tool);
    const results = [];
    for (const ijk of places) results.push(await this.call('dab', ijk));
    await this.call('endStroke');
    return results;
  }
  async hash(depth) {
    const slices = [];
    for (let z = 0; z < depth; z++) slices.push((await this.call('sliceLabels', 'axial', z)).data);
    const digest = await crypto.subtle.digest('SHA-256', await new Blob(slices).arrayBuffer());
    return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }
}();
"""


class Server:
    """Serves the page, the worker and one mask that keeps to docs/formats.md."""

    def __init__(self) -> None:
        ensure_frontend(ROOT)
        self.dist = ROOT / "frontend" / "dist" / "viewer"
        manifest = json.loads((self.dist / "manifest.json").read_text())
        assets = [name for part in manifest.values() for name in part.get("assets", ())]
        self.worker = next(name for name in assets if "editor.worker" in name)
        rng = np.random.default_rng(7)
        grid = np.ogrid[tuple(slice(0, n) for n in SHAPE)]
        distance2 = sum(((g - c) * s) ** 2 for g, c, s in zip(grid, (20, 48, 50), SPACING, strict=True))
        self.hu = (np.where(distance2 < 64, -150, -860) + rng.normal(0, 25, SHAPE)).astype("<i2")
        self.prediction = np.zeros(SHAPE, np.uint8)
        self.prediction[10:14, 10:30, 10:30] = 2
        self.prediction[30:33, 60:70, 60:80] = 1
        self.labels = np.zeros(SHAPE, np.uint8)
        self.labels[5:12, 20:40, 20:40] = 1
        self.labels[7:9, 25:30, 25:30] = 0  # a hole
        self.labels[38, 90:92, 90:92] = 1  # an island
        self.labels[17, 22:38, 22:38] = 1  # drawn some slices further
        self.revision = "r0"
        self.saved: dict[str, str] = {}
        self.strokes: list[dict[str, Any]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.get(self)

            def do_PUT(self) -> None:
                server.put(self)

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def get(self, request: BaseHTTPRequestHandler) -> None:
        script = f"const WORKER = '/assets/{Path(self.worker).name}';{HARNESS}"
        pages = {
            "/": (f"<!doctype html><title>editor</title><script>{script}</script>".encode(), "text/html"),
            "/hu": (self.hu.tobytes(), "application/octet-stream"),
            "/overlay": (
                encode_message("findings", SHAPE, split_labelmap(self.prediction)),
                "application/octet-stream",
            ),
            "/mask": (encode_message("findings", SHAPE, split_labelmap(self.labels)), "application/vnd.voxloop.mask"),
            "/favicon.ico": (b"", "image/x-icon"),
        }
        if request.path.startswith("/assets/"):
            pages[request.path] = ((self.dist / request.path[1:]).read_bytes(), "text/javascript")
        body, kind = pages[request.path]
        self.answer(request, 200, body, kind)

    def put(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        key = request.headers["Idempotency-Key"]
        if key not in self.saved:
            if request.headers["If-Match"] != f'"{self.revision}"':
                self.answer(request, 412, b'{"code": "stale_revision"}', "application/problem+json")
                return
            message = decode_message(body, SHAPE)
            apply_chunks(self.labels, message.chunks)
            self.strokes.extend(message.strokes)
            self.revision = self.saved[key] = f"r{len(self.saved) + 1}"
        answer = json.dumps({"revision": self.saved[key]}).encode()
        self.answer(request, 201, answer, "application/json")

    def answer(self, request: BaseHTTPRequestHandler, status: int, body: bytes, kind: str) -> None:
        request.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": str(len(body)), "ETag": f'"{self.revision}"'}
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()


@pytest.fixture
def context(browser: Browser, server: Server, watched: Watched) -> Iterator[BrowserContext]:
    made = open_context(browser, server.url, watched)
    yield made
    made.close()


def start(page: Page) -> dict[str, Any]:
    page.goto("/")
    options = {
        "volume": {"shapeZyx": SHAPE, "spacingMmZyx": SPACING, "backgroundHu": -860},
        "assignment": "a1",
        "layer": "findings",
        "maskUrl": "/mask",
        "headers": {},
        "editable": True,
        "autosaveMs": 100,
    }
    opened: dict[str, Any] = page.evaluate("options => editor.start(options)", options)
    return opened


def call(page: Page, name: str, *arguments: Any) -> Any:
    return page.evaluate("([name, given]) => editor.call(name, ...given)", [name, list(arguments)])


def hash_of(page: Page) -> str:
    found: str = page.evaluate("depth => editor.hash(depth)", SHAPE[0])
    return found


PAINT = {"segment": 3, "overwrite": True, "locked": []}
STROKES = {
    "sphere": ({"tool": "sphere", "radiusMm": 6, **PAINT}, [[30, 30, 8], [60, 40, 20]]),
    "circle": ({"tool": "circle", "radiusMm": 9, "plane": "coronal", **PAINT}, [[30, 30, 8]]),
    "threshold": (
        {"tool": "threshold", "radiusMm": 9, "threshold": {"lo": -300, "hi": 0}, "planar": False, **PAINT},
        [[50, 48, 20]],
    ),
    "grow": ({"tool": "grow", "radiusMm": 12, **PAINT}, [[50, 48, 20]]),
    "erase": ({"tool": "erase", "radiusMm": 5, "planar": False, "segments": None, "locked": []}, [[25, 25, 6]]),
}
OPERATIONS = {
    "copy": {"overlay": "prediction", "at": None, "into": None, "overwrite": False, "locked": []},
    "copy a lesion": {
        "op": "copy",
        "overlay": "prediction",
        "at": [62, 62, 31],
        "into": 4,
        "overwrite": False,
        "locked": [],
    },
    "fill-holes": {"segment": 1, "perSlice": False, "overwrite": False, "locked": []},
    "remove-islands": {"segment": 1, "underMl": 0.5},
    "remove-lesion": {"at": [22, 22, 6]},
    "lasso": {"plane": "axial", "slices": [9, 11], "points": [[50, 50], [70, 52], [60, 80]], **PAINT},
    "scissors": {
        "plane": "axial",
        "slices": [0, 39],
        "points": [[0, 0], [30, 0], [30, 95], [0, 95]],
        "outside": True,
        "segments": None,
        "locked": [],
    },
    "interpolate": {"plane": "axial", **PAINT, "segment": 1},
    "resize": {"mm": 2, **PAINT, "segment": 1},
    "smooth": {"mm": 3, **PAINT, "segment": 1},
    "subtract": {"segment": 1, "overlay": "prediction", "with": None},
    "intersect": {"segment": 1, "overlay": "prediction", "with": 2},
    "union": {"segment": 1, "overlay": "prediction", "with": 2, "marginMm": 1.5},
    "union with a segment of the mask": {"op": "union", "segment": 6, "overlay": None, "with": 1},
    "subtract with a margin": {"op": "subtract", "segment": 1, "overlay": "prediction", "with": None, "marginMm": 3},
    "convert a lesion": {"op": "convert", "from": None, "to": 5, "at": [22, 22, 6]},
    "convert": {"from": 1, "to": 5, "at": None},
    "clear": {"segment": 1},
}


@pytest.mark.parametrize("name", [*STROKES, *OPERATIONS])
def test_every_tool_survives_undo_redo_and_reload(name: str, context: BrowserContext, server: Server) -> None:
    page = context.new_page()
    start(page)
    before = hash_of(page)
    if name in STROKES:
        results = page.evaluate("([tool, places]) => editor.stroke(tool, places)", list(STROKES[name]))
        assert sum(result["added"] + result["removed"] for result in results) > 0
    else:
        result = call(page, "apply", {"op": name, **OPERATIONS[name]})
        assert result["added"] + result["removed"] > 0
    after = hash_of(page)
    assert after != before
    call(page, "undo")
    assert hash_of(page) == before
    call(page, "redo")
    assert hash_of(page) == after
    page.close()  # whatever was under way dies with the tab
    page = context.new_page()
    opened = start(page)
    assert opened["history"]["undoDepth"] == 1
    assert hash_of(page) == after
    call(page, "undo")
    assert hash_of(page) == before
    call(page, "redo")
    call(page, "flush")
    assert hash_of(page) == after
    counts = {segment["segment"]: segment["voxels"] for segment in call(page, "stats")["segments"]}
    labels, voxels = np.unique(server.labels, return_counts=True)
    assert counts == {int(n): int(v) for n, v in zip(labels, voxels, strict=True) if n not in (0, 255)}
    assert [stroke["tool"] for stroke in server.strokes][1:] == ["undo", "redo", "undo", "redo"]
    assert len({stroke["id"] for stroke in server.strokes}) == 5


def test_the_grown_lesion_is_the_one_that_python_grows(context: BrowserContext, server: Server) -> None:
    page = context.new_page()
    start(page)
    expected = server.labels.copy()
    grown = grow(server.hu, SPACING, expected, 3, (20, 48, 50), 12.0, background_hu=-860)
    grown.apply(expected, 3)
    results = page.evaluate("([tool, places]) => editor.stroke(tool, places)", list(STROKES["grow"]))
    assert results[0]["added"] == int(grown.added.sum()) > 1000
    assert results[0]["grow"]["seedHu"] == grown.seed_hu
    call(page, "flush")
    np.testing.assert_array_equal(server.labels, expected)


def test_the_second_tab_is_read_only_until_it_takes_over(context: BrowserContext, server: Server) -> None:
    first, second = context.new_page(), context.new_page()
    start(first)
    first.evaluate("([tool, places]) => editor.stroke(tool, places)", list(STROKES["sphere"]))
    opened = start(second)
    assert opened["save"]["kind"] == "read-only"
    assert opened["save"]["reason"] == "other-tab"
    drawn = hash_of(first)
    call(second, "takeOver")
    assert hash_of(second) == drawn
    second.evaluate("([tool, places]) => editor.stroke(tool, places)", list(STROKES["erase"]))
    call(second, "flush")
    assert [stroke["tool"] for stroke in server.strokes] == ["sphere", "erase"]
    words = first.evaluate("editor.events.filter(e => e.event === 'save-state').map(e => e.detail.reason).at(-1)")
    assert words == "taken-over"
