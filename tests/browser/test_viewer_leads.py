"""Navigation in the viewer: lesions, the scout, the other scan of the subject."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.scans.models import Scan
from annotation.work.models import Assignment
from tests.browser.test_viewer_looks import MIDDLE, open_viewer
from tests.browser.test_viewer_sees import drag
from tests.chromium import shoot
from tests.factories.world import SHAPE, World, approve, first_of, label, publish
from tests.journeys.viewer import Viewer


@pytest.fixture
def assignment(live_world: World) -> Assignment:
    found = first_of(publish(live_world))
    label(live_world, found)
    return found


def scout_leads_to_a_slice(page: Page, viewer: Viewer) -> None:
    """The head is up: the lesion of slices 13 to 29 is shown in the right position; a click at a quarter from the top
    goes to three quarters of the slices."""
    scout = page.get_by_test_id("scout")
    box, lesion = scout.bounding_box(), page.get_by_test_id("scout-lesion").bounding_box()
    panes = page.locator(".panes").bounding_box()
    assert box is not None
    assert panes is not None
    assert box["x"] >= panes["x"] + panes["width"]
    assert lesion is not None
    slice_px = box["height"] / SHAPE[0]
    assert lesion["y"] - box["y"] == pytest.approx((SHAPE[0] - 29) * slice_px, abs=1)
    assert lesion["height"] == pytest.approx(17 * slice_px, abs=1)
    expect(page.get_by_test_id("scout-chosen")).to_have_count(1)
    drag(page, (box["x"] + 10, box["y"] + box["height"] / 2), (box["x"] + 10, box["y"] + box["height"] / 4))
    expect(scout).to_have_attribute("aria-valuenow", str(int(SHAPE[0] * 0.75) + 1))
    assert viewer.facts("cross")[2] == int(SHAPE[0] * 0.75)
    assert viewer.facts("strokes") == []
    scout.focus()
    page.keyboard.press("ArrowDown")
    assert viewer.facts("cross")[2] == int(SHAPE[0] * 0.75) - 1
    page.keyboard.press("Home")
    assert viewer.facts("cross")[2] == SHAPE[0] - 1
    page.keyboard.press("Shift+Z")
    expect(scout).to_have_count(0)
    page.keyboard.press("Shift+Z")
    expect(scout).to_be_visible()


def test_lesions_tell_their_figures_and_the_surface_leads_to_them(assignment: Assignment, new_page: Any) -> None:
    viewer = open_viewer(new_page, assignment)
    page = viewer.page
    page.get_by_test_id("tab-lesions").click()
    viewer.go_to((4, 4, 2))
    page.keyboard.press("j")
    facts = page.get_by_test_id("lesion-facts")
    expect(facts).to_contain_text("17 × 17 × 43 mm")
    expect(facts).to_contain_text("13 to 29")
    expect(page.get_by_test_id("histogram").locator("title")).to_contain_text("lower bound")
    shoot(page, "viewer-lesions")
    scout_leads_to_a_slice(page, viewer)
    # The ball is in the middle of the 3D pane: a click there goes to it.
    surface = page.get_by_test_id("pane-surface")
    page.wait_for_function("() => Number(document.querySelector('[data-testid=pane-surface]').dataset.triangles) > 500")
    viewer.go_to((4, 4, 2))
    box = surface.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_function("k => Math.abs(voxloop.cross[2] - k) <= 2", arg=MIDDLE[2])
    # A stroke adds triangles; rotating by keys redraws.
    before = int(surface.get_attribute("data-triangles") or 0)
    viewer.go_to((10, 10, MIDDLE[2]))
    viewer.stroke("b", (10, 10, MIDDLE[2]))
    page.wait_for_function(
        "n => Number(document.querySelector('[data-testid=pane-surface]').dataset.triangles) > n", arg=before
    )
    surface.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    shoot(page, "viewer-surface")


def test_the_other_scan_of_the_subject_stands_beside(live_world: World, new_page: Any) -> None:
    publish(live_world, size=6)
    first, second = Assignment.objects.filter(scan__site=live_world.sites["a"]).order_by("position")[:2]
    Scan.objects.filter(pk=second.scan_id).update(subject=first.scan.subject_id)
    label(live_world, second)
    approve(live_world, second)
    viewer = open_viewer(new_page, first)
    page = viewer.page
    viewer.go_to((28, 24, 15))
    page.keyboard.press("Shift+X")
    other = page.get_by_test_id("pane-prior")
    expect(other).to_contain_text(second.scan.code)
    expect(page.get_by_test_id("pane-coronal")).to_be_hidden()
    expect(other).to_have_attribute("data-slice", "15")
    expect(other).to_have_attribute("data-full", str(SHAPE[0]))
    viewer.go_to((28, 24, 18))
    expect(other).to_have_attribute("data-slice", "18")
    # Both show the active plane at the same position in mm, with the same window.
    page.keyboard.press("q")
    expect(page.get_by_test_id("pane-sagittal")).to_be_visible()
    expect(page.get_by_test_id("pane-axial")).to_be_hidden()
    expect(other).to_contain_text(f"Sagittal 29 / {SHAPE[2]}")
    page.get_by_test_id("compare-coronal").click()
    expect(page.get_by_test_id("pane-coronal")).to_be_visible()
    expect(other).to_have_attribute("data-plane", "coronal")
    expect(other).to_have_attribute("data-slice", "24")
    page.keyboard.press("Shift+2")
    expect(other).to_contain_text("L 50 W 400")
    page.keyboard.press("Shift+1")
    page.get_by_test_id("pane-coronal").focus()
    page.keyboard.press("ArrowDown")
    expect(other).to_have_attribute("data-slice", "25")
    expect(page.get_by_test_id("slice-coronal")).to_have_text(f"26 / {SHAPE[1]}")
    shoot(page, "viewer-prior-coronal")
    page.get_by_test_id("compare-axial").click()
    viewer.go_to((28, 24, 18))
    # Scrolled separately it keeps its offset; unlinked, it stays.
    other.focus()
    page.keyboard.press("ArrowUp")
    expect(other).to_have_attribute("data-slice", "19")
    viewer.go_to((28, 24, 20))
    expect(other).to_have_attribute("data-slice", "21")
    shoot(page, "viewer-prior")
    assert not (faults := viewer.clipped()), "\n".join(faults)
    page.get_by_test_id("prior-link").click()
    viewer.go_to((28, 24, 25))
    expect(other).to_have_attribute("data-slice", "21")
    page.get_by_test_id("layout-four").click()
    expect(page.get_by_test_id("pane-coronal")).to_be_visible()
    expect(other).to_have_count(0)
