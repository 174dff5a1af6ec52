"""A minimal server for the editor: stores one mask and its saves."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np

from voxloop.embedded.bootstrap import ensure_frontend
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
  async stroke(tool, voxels) {
    await this.call('beginStroke', tool);
    const results = [];
    for (const ijk of voxels) results.push(await this.call('dab', ijk));
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
    """Serves the page, the worker and one mask as in docs/formats.md."""

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
            self.strokes.extend(dict(stroke) for stroke in message.strokes)
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
