"""A flipped byte on the wire or on disk: the reader sees what is damaged, and never a wrong grey."""

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.chromium import Watched, shoot
from tests.factories.files import file_of
from tests.factories.world import SHAPE, World, first_of, label, publish
from tests.journeys.viewer import Viewer


@pytest.mark.fault("a damaged slice in the browser")
def test_a_damaged_slice_is_told_and_shown_as_missing(
    live_world: World, new_page: Any, watched: Watched, settings: Any
) -> None:
    assignment = first_of(publish(live_world))
    label(live_world, assignment)
    slices = assignment.scan.index["pack"]["slices"]
    bad = SHAPE[0] // 2
    flipped: list[str] = []

    def flip(route: Route) -> None:
        """Damage one slice in the server's responses; `flipped` counts how often."""
        answer = route.fetch()
        body = bytearray(answer.body())
        body[slices[bad][0] + 20] ^= 1
        flipped.append(route.request.url)
        route.fulfill(response=answer, body=bytes(body))

    # On the wire, once: requested again, unnoticed by the reader.
    page: Page = new_page("annotator")
    page.route("**/volume/pack?*", flip, times=1)
    page.goto(f"/view/{assignment.pk}/")
    viewer = Viewer(page).wait_ready()
    assert len(flipped) == 1
    assert viewer.facts("fullSlices") == SHAPE[0]
    expect(page.get_by_test_id("damaged-slices")).to_have_count(0)
    page.close()

    # On the wire, every time: the other slices are shown; this one is reported, striped, and blocks submission.
    page = new_page("annotator")
    page.route("**/volume/pack?*", flip)
    page.goto(f"/view/{assignment.pk}/")
    viewer = Viewer(page).wait_ready()
    _is_missing(page, viewer, bad)
    page.close()

    # On disk: the server names the slice, and the others are requested separately.
    watched.expected += ["status of 409"]
    path = file_of(settings.STORAGE_URL, assignment.scan.pack_key)
    data = bytearray(path.read_bytes())
    data[slices[bad][0] + 20] ^= 1
    path.write_bytes(bytes(data))
    page = new_page("annotator")
    page.goto(f"/view/{assignment.pk}/")
    viewer = Viewer(page).wait_ready()
    _is_missing(page, viewer, bad)


def _is_missing(page: Page, viewer: Viewer, bad: int) -> None:
    assert viewer.facts("fullSlices") == SHAPE[0] - 1
    expect(page.get_by_test_id("damaged-slices")).to_contain_text(f"Slice {bad + 1} is damaged")
    expect(page.get_by_test_id("submit")).to_be_disabled()
    viewer.go_to((SHAPE[2] // 2, SHAPE[1] // 2, bad))
    expect(page.get_by_test_id("hu")).to_contain_text("(damaged)")
    shoot(page, "viewer-damaged-slice")
