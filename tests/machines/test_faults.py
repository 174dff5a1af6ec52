"""Failures of single machines: at most a clear refusal, and no loss. The faults use the data of the loop: its people,
its scans, the annotator's open scan."""

import json
import time
import urllib.error

import pytest
from playwright.sync_api import Browser

from tests.chromium import Watched, log_in, open_context
from tests.factories.world import PASSWORD
from tests.journeys.client import Api
from tests.journeys.viewer import Viewer
from tests.machines.machines import Machines
from tests.machines.reader import Reader, an_import_ends, draw_during, fetch, upload
from tests.product import wait_for

pytestmark = pytest.mark.timeout(900)


@pytest.mark.fault("many machines: PostgreSQL is killed")
def test_the_database_is_restarted_while_people_save(loop: Machines) -> None:
    reader = Reader.at_the_open_scan(loop)

    def restart() -> None:
        loop.kill("database")
        time.sleep(3)
        loop.start("database")

    draw_during(reader, restart)
    # Every machine reports it as a database failure, never as a 500.
    assert set(reader.statuses) <= {503}
    wait_for("the workers", lambda: an_import_ends(loop, 31), 120)


@pytest.mark.fault("many machines: one of two web machines is killed")
def test_one_of_two_web_machines_goes_away(loop: Machines) -> None:
    """The proxy uses the other one: nobody is refused."""
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
    # Both workers and beat have reconnected by themselves.
    assert an_import_ends(loop, 33)


@pytest.mark.fault("many machines: both workers are killed, one comes back")
def test_a_worker_is_killed_in_the_middle_of_its_job(loop: Machines) -> None:
    """The other worker takes over its job when the lease has expired."""
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
    """Saving goes on (masks are in the database); voxels are refused with a code until it is back."""
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
    """In the browser strokes are kept, shown as kept, and saved when the servers are back."""
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
        loop.start("database")
        loop.start("web-2")
        viewer.wait_saved()
        page.reload()
        viewer.wait_ready()
        assert viewer.mask_hash() == drawn
        watched.check()
    finally:
        profile.close()
