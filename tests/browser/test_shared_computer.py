"""A computer that others use, too: after a log-out, however it came, the browser holds nothing of the scans."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from annotation.masks.models import MaskRevision
from annotation.work.models import Assignment
from tests.chromium import Watched, log_in, open_context, shoot
from tests.factories.world import PASSWORD, SHAPE, World, publish
from tests.journeys.viewer import Viewer
from tests.product import wait_for

MIDDLE = (SHAPE[2] // 2, SHAPE[1] // 2, SHAPE[0] // 2)
# All browser storage that a page of this origin can read, as text.
WHAT_IS_KEPT = """async () => {
  const read = (asked) => new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result); asked.onerror = () => reject(asked.error);
  });
  const text = (_, value) => value instanceof Uint8Array ? new TextDecoder('latin1').decode(value) : value;
  const databases = {};
  for (const { name } of await indexedDB.databases()) {
    const database = await read(indexedDB.open(name));
    const stores = [...database.objectStoreNames];
    const rows = [];
    for (const store of stores) rows.push(...await read(database.transaction(store).objectStore(store).getAll()));
    databases[name] = rows.map((row) => JSON.stringify(row, text));
    database.close();
  }
  const folder = await navigator.storage.getDirectory();
  const files = [];
  for await (const name of folder.keys()) files.push(name);
  return {
    databases, caches: await caches.keys(), local: Object.keys(localStorage),
    session: Object.keys(sessionStorage).filter((key) => key !== 'htmx-current-path-for-history'),
    workers: (await navigator.serviceWorker.getRegistrations()).length, files,
  };
}"""
MASKS = "**/api/v1/assignments/*/mask**"
NOTHING = {"databases": {}, "caches": [], "local": [], "session": [], "workers": 0, "files": []}
FROM_CACHE = """async (url) => {
  try { return (await fetch(url, { cache: 'only-if-cached', mode: 'same-origin' })).status; } catch { return 0; }
}"""


@pytest.fixture
def rows(live_world: World) -> list[Assignment]:
    return list(publish(live_world).assignments.order_by("position"))


@pytest.fixture
def page(rows: list[Assignment], browser: Any, live_server: Any, watched: Watched) -> Iterator[Page]:
    watched.expected += ["net::ERR_", "status of 401", "status of 403", "status of 404", "Failed to load resource"]
    context = open_context(browser, live_server.url, watched)
    found = context.new_page()
    found.on("dialog", lambda dialog: dialog.accept())
    log_in(found, "annotator", PASSWORD)
    yield found
    context.close()


def open_scan(page: Page, row: Assignment) -> Viewer:
    page.goto(f"/view/{row.pk}/")
    viewer = Viewer(page).wait_ready()
    viewer.go_to(MIDDLE)
    return viewer


def log_out(page: Page) -> None:
    page.locator("summary", has_text="annotator").click()
    page.get_by_role("button", name="Log out", exact=True).click()


def test_a_second_visit_fetches_no_pixels_and_a_log_out_leaves_nothing(page: Page, rows: list[Assignment]) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    viewer = open_scan(page, rows[0])
    viewer.stroke("b", MIDDLE)
    expect(page.get_by_test_id("save-state")).to_have_attribute("data-state", "saved")
    pixels = [url for url in asked if "/volume/" in url]
    assert any("/volume/pack" in url for url in pixels)
    assert any("/volume/preview" in url for url in pixels)
    asked.clear()
    open_scan(page, rows[0])
    assert [url for url in asked if "/volume/pack" in url or "/volume/preview" in url or "/volume/limit" in url] == []

    page.goto("/worklist/")
    kept = page.evaluate(WHAT_IS_KEPT)
    assert {name.split(":")[0] for name in kept["databases"]} >= {"voxloop-voxels", "voxloop-editor"}
    written = str(kept["databases"])
    assert rows[0].scan.code not in written
    assert "sphere" not in written
    assert all(
        part.startswith('"VXS1')
        for name, parts in kept["databases"].items()
        for part in parts
        if name.startswith("voxloop-voxels") and not part.startswith("{")
    )

    log_out(page)
    page.wait_for_url("**/accounts/login/**")
    assert page.evaluate(WHAT_IS_KEPT) == NOTHING
    assert {page.evaluate(FROM_CACHE, url) for url in [*pixels, f"/view/{rows[0].pk}/", "/worklist/"]} <= {0, 504}
    page.go_back()
    expect(page.get_by_role("textbox", name="Name")).to_be_visible()
    assert rows[0].scan.code not in page.content()


def leave_unsent(page: Page, assignment: Assignment) -> None:
    """Draw what the server does not get, and ask to log out."""
    viewer = open_scan(page, assignment)
    page.route(MASKS, lambda route: route.abort())
    viewer.stroke("b", MIDDLE)
    expect(page.get_by_test_id("save-state")).to_have_attribute("data-state", "offline")
    page.goto("/people/me/")
    log_out(page)


def test_unsent_strokes_are_told_and_stay_sealed_for_the_one_whose_they_are(page: Page, rows: list[Assignment]) -> None:
    leave_unsent(page, rows[0])
    ask = page.get_by_role("dialog", name="Log out")
    expect(ask).to_contain_text("1 stroke")
    shoot(page, "log-out-unsent")
    ask.get_by_role("button", name="Stay logged in").click()
    log_out(page)
    ask.get_by_role("button", name="Keep it here and log out").click()
    page.wait_for_url("**/accounts/login/**")
    kept = page.evaluate(WHAT_IS_KEPT)
    written = str(kept["databases"])
    assert [rows[0].scan.code in written, "grow" in written, kept["caches"], kept["local"]] == [False, False, [], []]
    assert not any(name.startswith("voxloop-voxels") for name in kept["databases"])

    log_in(page, "annotator2", PASSWORD)
    page.goto("/worklist/")
    expect(page.locator("[data-waiting]")).to_be_hidden()
    page.locator("summary", has_text="annotator2").click()
    page.get_by_role("button", name="Log out", exact=True).click()
    page.wait_for_url("**/accounts/login/**")
    page.unroute(MASKS)
    log_in(page, "annotator", PASSWORD)
    page.goto("/worklist/")
    wait_for("the stroke to come home", MaskRevision.objects.filter(assignment=rows[0]).exists, 30)


def test_unsent_strokes_that_are_thrown_away_are_gone(page: Page, rows: list[Assignment]) -> None:
    leave_unsent(page, rows[0])
    page.get_by_role("dialog", name="Log out").get_by_role("button", name="Throw it away and log out").click()
    page.wait_for_url("**/accounts/login/**")
    assert page.evaluate(WHAT_IS_KEPT) == NOTHING


def test_a_log_in_that_the_server_ended_leaves_nothing_to_the_next_person(page: Page, rows: list[Assignment]) -> None:
    viewer = open_scan(page, rows[0])
    Session.objects.all().delete()
    viewer.stroke("b", MIDDLE)
    page.goto("/accounts/login/")
    log_in(page, "annotator2", PASSWORD)
    page.goto("/worklist/")
    page.wait_for_function(
        "async () => !(await indexedDB.databases()).some(({ name }) => name.startsWith('voxloop-voxels'))"
    )
    kept = page.evaluate(WHAT_IS_KEPT)
    written = str(kept["databases"])
    assert [rows[0].scan.code in written, "grow" in written, kept["caches"]] == [False, False, []]
    # The stroke waits, encrypted, for its author.
    assert kept["databases"]["voxloop-editor:annotator"]
    page.locator("summary", has_text="annotator2").click()
    page.get_by_role("button", name="Log out", exact=True).click()
    page.wait_for_url("**/accounts/login/**")
    log_in(page, "annotator", PASSWORD)
    page.goto("/worklist/")
    wait_for("the stroke to come home", MaskRevision.objects.filter(assignment=rows[0]).exists, 30)
