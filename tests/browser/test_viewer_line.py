"""The line goes while the viewer opens: what did not come is asked for again when the line is back."""

import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.chromium import Watched
from tests.factories.world import World, first_of, label, publish
from tests.journeys.viewer import Viewer


def test_the_surface_comes_when_the_line_is_back(live_world: World, new_page: Any, watched: Watched) -> None:
    watched.expected += ["net::ERR_FAILED"]
    assignment = first_of(publish(live_world))
    label(live_world, assignment)
    page: Page = new_page("annotator")
    page.route("**/surface.worker-*.js", lambda route: route.abort())
    with page.expect_request("**/surface.worker-*.js"):
        page.goto(f"/view/{assignment.pk}/")
    Viewer(page).wait_ready()
    expect(page.get_by_test_id("pane-surface")).not_to_have_attribute("data-triangles", re.compile("."))
    page.unroute("**/surface.worker-*.js")
    # Said again and again: the page may not have heard of the failure yet.
    page.evaluate("() => setInterval(() => window.dispatchEvent(new Event('online')), 300)")
    expect(page.get_by_test_id("pane-surface")).to_have_attribute(
        "data-triangles", re.compile(r"^[1-9]"), timeout=60_000
    )
