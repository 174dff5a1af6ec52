"""Time at a scan arrives with what ends the work on it: handing in, leaving the page, or the line when it is back."""

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.work.models import Assignment
from tests.chromium import Watched
from tests.factories.world import World, first_of, label, publish
from tests.journeys.viewer import Viewer
from voxloop.kernel.clock import now


@pytest.fixture
def assignment(live_world: World) -> Assignment:
    """Labelled work, opened a while ago."""
    row = first_of(publish(live_world))
    label(live_world, row)
    Assignment.objects.filter(pk=row.pk).update(opened_at=now() - timedelta(minutes=5))
    return row


def seconds(row: Assignment) -> int:
    return Assignment.objects.values_list("active_seconds", flat=True).get(pk=row.pk)


def work_a_moment(page: Page) -> None:
    """Active for a little more than a second."""
    page.mouse.move(400, 300)
    page.wait_for_timeout(1200)
    page.mouse.move(420, 320)


def test_a_scan_left_or_handed_in_within_seconds_has_its_time(assignment: Assignment, new_page: Any) -> None:
    page = new_page("annotator")
    page.goto(f"/view/{assignment.pk}/")
    Viewer(page).wait_ready()
    work_a_moment(page)
    page.goto("/worklist/")
    for _ in range(100):  # the request outlives its page
        if seconds(assignment):
            break
        page.wait_for_timeout(100)
    page.goto(f"/view/{assignment.pk}/")
    Viewer(page).wait_ready()
    left = seconds(assignment)
    assert 1 <= left <= 300
    work_a_moment(page)
    page.keyboard.press("Control+Enter")
    page.wait_for_url(lambda url: str(assignment.pk) not in url)
    assert left < seconds(assignment) <= 300


def test_time_without_a_network_is_sent_when_there_is_one(
    assignment: Assignment, new_page: Any, watched: Watched
) -> None:
    watched.expected.append("ERR_FAILED")
    page = new_page("annotator")
    for part in ("beat", "submit"):
        page.route(f"**/{part}", lambda route: route.abort())
    page.goto(f"/view/{assignment.pk}/")
    Viewer(page).wait_ready()
    work_a_moment(page)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Kept for later")).to_be_visible()
    assert seconds(assignment) == 0
    for part in ("beat", "submit"):
        page.unroute(f"**/{part}")
    page.goto("/worklist/")
    expect(page.locator("[data-waiting]")).to_contain_text("saved and handed in")
    assert seconds(assignment) >= 1
