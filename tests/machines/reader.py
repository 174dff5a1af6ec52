"""Programs that use the product while a machine goes away: a reader that draws, a data manager that imports."""

import http.client
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.journeys.client import Api, pack_series
from tests.machines.machines import Machines
from tests.product import wait_for
from voxloop.volume.labelmap import MEDIA_TYPE, changed_chunks, decode_message, encode_message

STROKE = {
    "tool": "sphere",
    "ijk": [24, 24, 10],
    "radius_mm": 8.0,
    "params": {},
    "removed": 0,
    "at": "2026-01-01T00:00:00Z",
}


@dataclass
class Reader:
    """An annotator's client that draws rows of voxels and retries as the viewer does."""

    api: Api
    assignment: str
    labels: Any
    head: str
    acknowledged: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    @classmethod
    def at_the_open_scan(cls, machines: Machines) -> "Reader":
        api = Api(machines.url, "annotator")
        row = api.call("GET", "/assignments/?state=open")["results"][0]
        reader = cls(api, row["id"], None, "")
        reader.labels, reader.head = reader.stored()
        return reader

    def request(self, method: str, body: bytes | None = None, **headers: str) -> tuple[Any, bytes]:
        request = urllib.request.Request(
            f"{self.api.url}/api/v1/assignments/{self.assignment}/mask?layer=findings",
            data=body,
            method=method,
            headers={"Authorization": f"Token {self.api.token}", "Accept": MEDIA_TYPE, **headers},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.headers, answer.read()

    def stored(self) -> tuple[Any, str]:
        headers, body = self.request("GET")
        return decode_message(body).labels(), headers["ETag"].strip('"')

    def draw(self, stroke: int) -> None:
        """One stroke, retried with the same key until acknowledged."""
        before = self.labels.copy()
        z = stroke % before.shape[0]
        self.labels[z, stroke % 50 : stroke % 50 + 9, 20:29] = 1 + stroke % 3
        added = int((self.labels != before).sum())
        stroke_facts = STROKE | {"id": str(uuid4()), "segment": 1 + stroke % 3, "added": added}
        message = encode_message("findings", before.shape, changed_chunks(before, self.labels), [stroke_facts])
        headers = {
            "Content-Type": MEDIA_TYPE,
            "If-Match": f'"{self.head}"',
            "Idempotency-Key": str(uuid4()),
            "Accept": "application/json",
        }
        self.head = str(wait_for("the save", lambda: self.try_save(message, headers), 120, 0.2))
        self.acknowledged.append(self.head)

    def try_save(self, message: bytes, headers: dict[str, str]) -> str:
        """The new revision, or "" when it must be retried; records the status in `statuses`."""
        try:
            _, body = self.request("PUT", message, **headers)
        except urllib.error.HTTPError as error:
            self.statuses.append(error.code)
            if error.code < 500:
                error.add_note(error.read().decode(errors="replace"))
                raise
            return ""
        except (OSError, http.client.HTTPException):
            return ""
        return str(json.loads(body)["revision"])

    def check(self) -> None:
        """Check that acknowledged strokes are stored once, and nothing else is."""
        labels, head = self.stored()
        assert head == self.head
        assert (labels == self.labels).all()
        rows = self.api.call("GET", f"/assignments/{self.assignment}/history?layer=findings")["revisions"]
        kept = [row["id"] for row in rows if row["id"] in self.acknowledged]
        assert sorted(kept) == sorted(self.acknowledged)
        assert len(set(kept)) == len(kept)


def draw_during(reader: Reader, fault: Callable[[], None], strokes: int = 14) -> None:
    """Draw strokes in a thread during the fault. The fault runs in this thread, because processes end with the thread
    that started them."""
    failed: list[BaseException] = []

    def draw() -> None:
        try:
            for stroke in range(strokes):
                reader.draw(stroke)
        except BaseException as error:
            failed.append(error)

    drawing = threading.Thread(target=draw)
    drawing.start()
    wait_for("the first strokes", lambda: len(reader.acknowledged) >= 3 or failed, 60, 0.01)
    fault()
    drawing.join()
    assert failed == []
    reader.draw(strokes)
    reader.check()


def upload(manager: Api, machines: Machines, seed: int) -> Any:
    """Send one new phantom scan of site a."""
    folder = machines.folder / f"sent-{seed}"
    folder.mkdir()
    data, _ = pack_series("a", range(1000 + seed, 1001 + seed), folder)
    return manager.upload(f"a-{seed}.zip", data, site="a", campaign="chest-ct")


def an_import_ends(machines: Machines, seed: int) -> bool:
    """Whether a new scan gets through web, broker, worker, store and database."""
    manager = Api(machines.url, "datamanager")
    job = upload(manager, machines, seed)
    state = wait_for(
        "an import",
        lambda: (found := manager.call("GET", f"/jobs/{job['id']}/")["state"]) not in ("queued", "running") and found,
        240,
        1,
    )
    return bool(state == "succeeded")


def fetch(api: Api, path: str) -> bytes:
    request = urllib.request.Request(f"{api.url}/api/v1{path}", headers={"Authorization": f"Token {api.token}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return bytes(answer.read())
