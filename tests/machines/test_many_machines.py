"""The processes of docker/compose.yaml really run: the whole loop, then what happens when one of them goes away.

The faults work on what the loop has left: its people, its scans, the annotator's open scan.
"""

import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser

from tests.chromium import Watched, log_in, open_context
from tests.factories.world import PASSWORD
from tests.journeys.story import Api, pack_series, tell_the_story
from tests.journeys.viewer import Viewer
from tests.machines.machines import Machines
from tests.product import wait_for
from voxloop.volume.labelmap import MEDIA_TYPE, changed_chunks, decode_message, encode_message

pytestmark = pytest.mark.timeout(900)

STROKE = {
    "tool": "sphere", "ijk": [24, 24, 10], "radius_mm": 8.0, "params": {}, "removed": 0, "at": "2026-01-01T00:00:00Z",
}  # fmt: skip


@pytest.fixture(scope="module")
def loop(machines: Machines, tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Machines:
    """The machines after the whole loop was told on them."""
    watched = Watched()
    folder = tmp_path_factory.mktemp("story")
    try:
        tell_the_story(machines, lambda name: None, folder, browser, watched, ignore_https_errors=True)
        watched.check()
    except BaseException as error:
        error.add_note(machines.logs())
        raise
    return machines


def test_the_loop_closes_on_many_machines(loop: Machines) -> None:
    """Told in the fixture; here: two workers and both web machines had their part in it."""
    assert list(loop.releases.glob("[!.]*/SHA256SUMS"))
    for machine in ("web-1", "web-2", "worker-1", "worker-2", "ml-1", "beat"):
        process = loop.processes[machine].running
        assert process is not None
        assert process.poll() is None, machine


@dataclass
class Reader:
    """An annotator's program that draws a voxel row after the other and retries as the viewer does."""

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
            f"{self.api.url}/api/v1/assignments/{self.assignment}/mask?layer=findings", data=body, method=method,
            headers={"Authorization": f"Token {self.api.token}", "Accept": MEDIA_TYPE, **headers},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.headers, answer.read()

    def stored(self) -> tuple[Any, str]:
        headers, body = self.request("GET")
        return decode_message(body).labels(), headers["ETag"].strip('"')

    def draw(self, stroke: int) -> None:
        """One stroke, saved with one key until it is told what became of it."""
        before = self.labels.copy()
        z = stroke % before.shape[0]
        self.labels[z, stroke % 50 : stroke % 50 + 9, 20:29] = 1 + stroke % 3
        added = int((self.labels != before).sum())
        stroke_facts = STROKE | {"id": str(uuid4()), "segment": 1 + stroke % 3, "added": added}
        message = encode_message("findings", before.shape, changed_chunks(before, self.labels), [stroke_facts])
        headers = {
            "Content-Type": MEDIA_TYPE, "If-Match": f'"{self.head}"', "Idempotency-Key": str(uuid4()),
            "Accept": "application/json",
        }  # fmt: skip
        self.head = str(wait_for("the save", lambda: self.try_save(message, headers), 120, 0.2))
        self.acknowledged.append(self.head)

    def try_save(self, message: bytes, headers: dict[str, str]) -> str:
        """The new revision, or "" when it has to be tried again; what was answered then is kept in `statuses`."""
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
        """What was acknowledged is there, once, and nothing else is."""
        labels, head = self.stored()
        assert head == self.head
        assert (labels == self.labels).all()
        rows = self.api.call("GET", f"/assignments/{self.assignment}/history?layer=findings")["revisions"]
        kept = [row["revision"] for row in rows if row["revision"] in self.acknowledged]
        assert sorted(kept) == sorted(self.acknowledged)
        assert len(set(kept)) == len(kept)


def draw_during(reader: Reader, fault: Callable[[], None], strokes: int = 14) -> None:
    """Strokes one after the other while the fault happens beside them."""
    failed: list[BaseException] = []

    def go() -> None:
        try:
            fault()
        except BaseException as error:
            failed.append(error)

    beside = threading.Thread(target=go)
    for stroke in range(strokes):
        if stroke == 3:
            beside.start()
        reader.draw(stroke)
    beside.join()
    assert failed == []
    reader.draw(strokes)
    reader.check()


@pytest.mark.fault("many machines: PostgreSQL is killed")
def test_the_database_is_restarted_while_people_save(loop: Machines) -> None:
    reader = Reader.at_the_open_scan(loop)

    def restart() -> None:
        loop.kill("database")
        time.sleep(3)
        (loop.folder / "postgres" / "postmaster.pid").unlink(missing_ok=True)
        loop.start("database")

    draw_during(reader, restart)
    # Told as what it is by whichever machine was asked, never as a fault of the product.
    assert set(reader.statuses) <= {503}
    wait_for("the workers", lambda: an_import_ends(loop, 31), 120)


@pytest.mark.fault("many machines: one of two web machines is killed")
def test_one_of_two_web_machines_goes_away(loop: Machines) -> None:
    """The proxy asks the other one: nobody is refused."""
    reader = Reader.at_the_open_scan(loop)

    def replace() -> None:
        loop.kill("web-1")
        time.sleep(4)
        loop.start("web-1")
        wait_for("web-1", lambda: loop.listens("web-1", 8000), 60)

    draw_during(reader, replace)
    assert reader.statuses == []


@pytest.mark.fault("many machines: RabbitMQ is killed")
def test_the_broker_is_killed_and_no_job_is_lost(loop: Machines) -> None:
    manager = Api(loop.url, "datamanager")
    loop.kill("broker")
    try:
        job = upload(manager, loop, 32)
        assert job["state"] == "queued"
    finally:
        loop.start("broker")
    wait_for("the broker", lambda: loop.listens("broker", 5672), 90)
    wait_for("the import", lambda: manager.call("GET", f"/jobs/{job['id']}/")["state"] == "succeeded", 240, 1)
    # Both workers and beat have found the way back by themselves.
    assert an_import_ends(loop, 33)


@pytest.mark.fault("many machines: both workers are killed, one comes back")
def test_a_worker_is_killed_in_the_middle_of_its_job(loop: Machines) -> None:
    """Its job is taken up by the other one when the lease has run out."""
    manager = Api(loop.url, "datamanager")
    job = upload(manager, loop, 34)
    wait_for("the start", lambda: manager.call("GET", f"/jobs/{job['id']}/")["state"] != "queued", 60, 0.05)
    for name in ("worker-1", "worker-2"):
        loop.kill(name)
    loop.start("worker-2")
    try:
        wait_for("the import", lambda: manager.call("GET", f"/jobs/{job['id']}/")["state"] == "succeeded", 240, 1)
    finally:
        loop.start("worker-1")


@pytest.mark.fault("many machines: S3 is cut off")
def test_the_store_is_cut_off_and_comes_back(loop: Machines) -> None:
    """Saving goes on (masks lie in the database); voxels are refused in words, and are there again afterwards."""
    reader = Reader.at_the_open_scan(loop)
    manager = Api(loop.url, "datamanager")
    scan = manager.call("GET", "/scans/?state=ready")["results"][0]
    pack = f"/scans/{scan['id']}/volume/pack"
    loop.kill("s3")
    try:
        with pytest.raises(urllib.error.HTTPError) as refused:
            fetch(manager, pack)
        assert refused.value.code == 503
        assert json.loads(refused.value.read())["code"] == "storage_away"
        assert refused.value.headers["Retry-After"]
        for stroke in range(5):
            reader.draw(stroke)
    finally:
        loop.start("s3")
    wait_for("the store", lambda: loop.listens("s3", 9000), 30)
    assert len(fetch(manager, pack)) > 1000
    reader.check()
    assert an_import_ends(loop, 35)


@pytest.mark.fault("many machines: web and database go while somebody draws")
def test_an_annotator_draws_on_while_a_web_machine_and_the_database_go_away(loop: Machines, browser: Browser) -> None:
    """In the browser: strokes are kept, said to be kept, and saved when the servers are back."""
    watched = Watched(expected=["Failed to load resource", "net::ERR", "503", "502"])
    profile = open_context(browser, loop.url, watched, ignore_https_errors=True)
    try:
        page = profile.new_page()
        log_in(page, "annotator", PASSWORD)
        page.goto("/worklist/")
        page.get_by_role("link", name="Open scan").first.click()
        viewer = Viewer(page).wait_ready()
        target = (40, 56, 20)
        viewer.go_to(target)
        viewer.stroke("b", target)
        viewer.wait_saved()
        loop.kill("web-2")
        loop.kill("database")
        viewer.stroke("b", (target[0] + 6, target[1], target[2]))
        drawn = viewer.mask_hash()
        page.wait_for_function("() => window.voxloop.saveState.kind !== 'saved'", timeout=30_000)
        (loop.folder / "postgres" / "postmaster.pid").unlink(missing_ok=True)
        loop.start("database")
        loop.start("web-2")
        viewer.wait_saved()
        page.reload()
        viewer.wait_ready()
        assert viewer.mask_hash() == drawn
        watched.check()
    finally:
        profile.close()


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
        240, 1,
    )  # fmt: skip
    return bool(state == "succeeded")


def fetch(api: Api, path: str) -> bytes:
    request = urllib.request.Request(f"{api.url}/api/v1{path}", headers={"Authorization": f"Token {api.token}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return bytes(answer.read())
