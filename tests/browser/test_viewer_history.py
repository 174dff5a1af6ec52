"""Earlier revisions: shown without changing the live mask, and restored; who set a voxel."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.masks.selectors import head_of
from annotation.work.models import Assignment
from tests.chromium import shoot
from tests.factories.world import SHAPE, World, first_of, publish
from tests.journeys.viewer import Viewer

Z = SHAPE[0] // 2
MIDDLE, CORNER, SIDE = (SHAPE[2] // 2, SHAPE[1] // 2, Z), (8, 8, Z), (44, 38, Z)


@pytest.fixture
def assignment(live_world: World) -> Assignment:
    return first_of(publish(live_world))


def test_the_slider_shows_restores_and_names(new_page: Any, assignment: Assignment) -> None:
    page: Page = new_page("annotator")
    page.goto(f"/view/{assignment.pk}/")
    viewer = Viewer(page).wait_ready()
    viewer.go_to(MIDDLE)
    masks = []
    for voxel in (MIDDLE, CORNER, SIDE):
        viewer.stroke("b", voxel)
        viewer.wait_saved()
        masks.append(viewer.mask_hash())

    page.keyboard.press("Shift+H")
    rows = page.get_by_test_id("revisions").get_by_role("listitem")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("annotator")
    expect(rows.first).to_contain_text("sphere")
    slider = page.get_by_test_id("revision")
    expect(slider).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    facts = page.get_by_test_id("revision-facts")
    expect(facts).to_have_attribute("data-shown", "true")
    expect(slider).to_have_attribute("aria-valuetext", "Revision 1 of 3, annotator, " + rows.last.inner_text()[:5])
    assert viewer.mask_hash() == masks[2]
    shoot(page, "viewer-history")

    page.get_by_test_id("restore-revision").click()
    page.wait_for_function("() => voxloop.strokes[0].tool === 'restore'")
    assert viewer.mask_hash() == masks[0]
    page.keyboard.press("Control+z")
    page.wait_for_function("() => voxloop.history.redoDepth === 1")
    assert viewer.mask_hash() == masks[2]
    page.keyboard.press("Control+y")
    page.wait_for_function("() => voxloop.history.redoDepth === 0")
    viewer.wait_saved()
    head = head_of(assignment.pk, "findings")
    assert head is not None
    assert [stroke["tool"] for stroke in head.strokes][-1] == "redo"
    assert viewer.mask_hash() == masks[0]

    page.mouse.move(*viewer.at(MIDDLE))
    page.keyboard.press("Shift+W")
    expect(page.get_by_test_id("notice")).to_contain_text("Infectious opacity, by annotator")
    expect(page.get_by_test_id("notice")).to_contain_text("sphere")
    page.mouse.move(*viewer.at((2, 44, Z)))
    page.keyboard.press("Shift+W")
    expect(page.get_by_test_id("notice")).to_contain_text("nobody has ever marked it")
