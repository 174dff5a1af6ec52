"""A batch taken offline, drawn on without a network, and synchronised afterwards."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.masks.models import MaskRevision
from annotation.masks.selectors import newest_answers
from annotation.reviews.services import submit_assignment
from annotation.work.models import Assignment
from annotation.work.services import expire_leases, reclaim_assignment
from tests.browser.test_viewer_never_loses import server_hash
from tests.chromium import Watched, close_quietly, log_in, open_context, shoot
from tests.factories.world import PASSWORD, SHAPE, World, label, publish
from tests.faults import FaultyLine
from tests.journeys.viewer import Viewer

MIDDLE, CORNER = (SHAPE[2] // 2, SHAPE[1] // 2, SHAPE[0] // 2), (8, 8, SHAPE[0] // 2)


@pytest.fixture
def rows(live_world: World) -> list[Assignment]:
    return list(publish(live_world).assignments.order_by("position"))


@pytest.fixture
def line(live_server: Any) -> Iterator[FaultyLine]:
    with FaultyLine(live_server.url) as found:
        yield found


@pytest.fixture
def page(rows: list[Assignment], browser: Any, line: FaultyLine, watched: Watched) -> Iterator[Page]:
    watched.expected += ["net::ERR_", "status of 404", "status of 409", "Failed to load resource"]
    context = open_context(browser, line.url, watched)
    found = context.new_page()
    log_in(found, "annotator", PASSWORD)
    yield found
    close_quietly(context)


def take_along(page: Page, scans: int) -> None:
    page.goto("/worklist/")
    panel = page.locator("[data-offline-batch]")
    panel.get_by_role("button", name="Take offline").click()
    expect(panel).to_contain_text("this browser has room for")
    shoot(page, "worklist-take-offline")
    panel.get_by_role("button", name=f"Take {scans} scans along").click()
    expect(panel).to_contain_text(f"{scans} scans", timeout=60_000)
    expect(panel).to_contain_text("In this browser until")
    expect(page.locator(".offline-mark")).to_have_count(scans)


def open_scan(page: Page, row: Assignment) -> Viewer:
    page.goto("/worklist/")
    page.locator(f"tr[data-href='/view/{row.pk}/'] a").first.click()
    viewer = Viewer(page).wait_ready()
    viewer.go_to(MIDDLE)
    return viewer


@pytest.mark.fault("the browser is offline for two scans")
def test_two_scans_are_drawn_without_a_network_and_handed_in(
    page: Page, line: FaultyLine, rows: list[Assignment]
) -> None:
    take_along(page, len(rows))
    assert {row.state for row in Assignment.objects.filter(pk__in=[row.pk for row in rows])} == {"open"}
    line.down()
    page.context.set_offline(True)

    hashes = {}
    for row, tools in ((rows[0], "bn"), (rows[2], "b")):
        viewer = open_scan(page, row)
        for tool, voxel in zip(tools, (MIDDLE, CORNER), strict=False):
            viewer.stroke(tool, voxel)
        page.get_by_test_id("tab-questions").click()
        page.get_by_label("COVID-19").check()
        page.get_by_label("Good").check()
        hashes[row.pk] = viewer.mask_hash()
        expect(page.get_by_test_id("save-state")).to_have_attribute("data-state", "offline")
    shoot(page, "viewer-offline-batch")
    page.get_by_test_id("submit").click()
    with_warnings = page.get_by_role("button", name="Submit with these warnings")
    expect(page.get_by_role("heading", name="Kept for later").or_(with_warnings)).to_be_visible()
    if with_warnings.is_visible():
        with_warnings.click()
    expect(page.get_by_role("heading", name="Kept for later")).to_be_visible()
    page.goto(f"/campaigns/{rows[0].campaign.slug}/guidelines/")
    expect(page.get_by_role("heading", name="This page was not taken along")).to_be_visible()
    page.goto("/worklist/")
    waiting = page.locator("[data-waiting]")
    expect(waiting).to_contain_text("2 strokes, answers; sent by itself when there is a connection")
    expect(waiting).to_contain_text("1 stroke, answers, to be handed in")
    shoot(page, "worklist-offline")
    assert not MaskRevision.objects.filter(assignment__in=rows).exists()

    # The open page notices the connection and sends by itself.
    line.up()
    page.context.set_offline(False)
    expect(page.locator("[data-done=home]")).to_have_count(2, timeout=30_000)
    shoot(page, "worklist-home")
    for row in (rows[0], rows[2]):
        row.refresh_from_db()
        assert server_hash(row) == hashes[row.pk]
        assert newest_answers(row) == {"diagnosis": "covid19", "quality": "good"}
        ids = [stroke["id"] for save in MaskRevision.objects.filter(assignment=row) for stroke in save.strokes]
        assert len(ids) == len(set(ids)) == (2 if row == rows[0] else 1)
    assert [rows[0].state, rows[2].state] == ["open", "submitted"]


@pytest.mark.fault("a batch taken along is stopped, gone on with, wiped")
def test_stopped_gone_on_removed_and_wiped_with_the_log_out(
    page: Page, line: FaultyLine, rows: list[Assignment], live_world: World
) -> None:
    page.goto("/worklist/")
    panel = page.locator("[data-offline-batch]")
    panel.get_by_role("button", name="Take offline").click()
    line.delay_s = 0.15
    panel.get_by_role("button", name="scans along").click()
    page.locator(".offline-mark").or_(panel.locator("p", has_text=rows[1].scan.code)).first.wait_for(timeout=30_000)
    panel.get_by_role("button", name="Stop").click()
    line.delay_s = 0
    expect(panel).to_contain_text("Stopped. Go on whenever you like.")
    panel.get_by_role("button", name="Go on").click()
    panel.get_by_role("button", name="scans along").click()
    expect(panel).to_contain_text("In this browser until", timeout=60_000)
    panel.get_by_role("button", name="Remove").click()
    expect(panel.get_by_role("button", name="Take offline")).to_be_visible()
    assert page.evaluate("async () => (await caches.keys()).length") == 0
    page.wait_for_function("async () => (await navigator.serviceWorker.getRegistrations()).length === 0")
    assert {row.state for row in Assignment.objects.filter(pk__in=[row.pk for row in rows])} == {"queued"}

    take_along(page, len(rows))
    viewer = open_scan(page, rows[0])
    line.down()
    viewer.stroke("b", MIDDLE)
    line.up()
    page.on("dialog", lambda dialog: dialog.accept())
    reclaim_assignment(assignment_id=rows[0].pk, actor=live_world["coordinator"], why="on leave")
    page.goto("/worklist/")
    waiting = page.locator("[data-waiting]")
    expect(waiting).to_contain_text("no longer yours")
    with page.expect_download() as coming:
        waiting.get_by_role("button", name="Download the mask").click()
    assert coming.value.suggested_filename == f"{rows[0].scan.code}-findings.nii.gz"

    page.locator("summary", has_text="annotator").click()
    page.get_by_role("button", name="Log out").click()
    ask = page.get_by_role("dialog", name="Log out")
    expect(ask).to_contain_text("1 stroke")
    shoot(page, "worklist-log-out")
    ask.get_by_role("button", name="Keep it here and log out").click()
    page.wait_for_url("**/accounts/login/**")
    assert page.evaluate("async () => (await caches.keys()).length") == 0
    log_in(page, "annotator2", PASSWORD)
    page.goto("/worklist/")
    expect(page.locator("[data-waiting]")).to_be_hidden()


@pytest.mark.fault("the offline hold has ended, the scan is free")
def test_strokes_of_a_hold_that_has_ended_go_in_where_the_scan_is_still_free(
    page: Page, line: FaultyLine, rows: list[Assignment]
) -> None:
    take_along(page, len(rows))
    line.down()
    viewer = open_scan(page, rows[0])
    viewer.stroke("b", MIDDLE)
    hashed = viewer.mask_hash()
    Assignment.objects.update(lease_until="2020-01-01T00:00:00Z")
    assert expire_leases() == len(rows)
    line.up()
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/worklist/")
    expect(page.locator("[data-done=home]")).to_have_count(1, timeout=30_000)
    rows[0].refresh_from_db()
    assert (rows[0].state, server_hash(rows[0])) == ("open", hashed)


@pytest.mark.fault("handed in elsewhere while the wish to hand in waits")
def test_a_wish_to_hand_in_goes_when_the_scan_is_handed_in_already(
    page: Page, line: FaultyLine, rows: list[Assignment], live_world: World
) -> None:
    take_along(page, len(rows))
    line.down()
    viewer = open_scan(page, rows[0])
    viewer.stroke("b", MIDDLE)
    page.get_by_test_id("tab-questions").click()
    page.get_by_label("COVID-19").check()
    page.get_by_label("Good").check()
    page.get_by_test_id("submit").click()
    with_warnings = page.get_by_role("button", name="Submit with these warnings")
    expect(page.get_by_role("heading", name="Kept for later").or_(with_warnings)).to_be_visible()
    if with_warnings.is_visible():
        with_warnings.click()
    expect(page.get_by_role("heading", name="Kept for later")).to_be_visible()
    label(live_world, rows[0], is_empty=True)
    submit_assignment(assignment_id=rows[0].pk, actor=live_world["annotator"], acknowledged=["not_seen"])
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/worklist/")  # the viewer's page would ask by itself
    waiting = page.locator("[data-waiting]")
    expect(waiting).to_contain_text("1 stroke, answers, to be handed in")
    line.up()
    page.reload()
    expect(waiting).to_contain_text("can no longer be changed", timeout=30_000)
    line.down()
    page.reload()  # without a line, what waits is listed
    expect(waiting).to_contain_text("1 stroke, answers; sent by itself")
