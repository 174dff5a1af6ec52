"""Display in the viewer: planes, geometry, windows, lesions, both rendering backends, accessibility."""

import re
from typing import Any

import numpy as np
import pytest
from imagecodecs import png_decode
from playwright.sync_api import Page, expect

from annotation.work.models import Assignment
from tests.browser.test_pages import faults
from tests.chromium import Watched, shoot
from tests.factories.world import SHAPE, World, first_of, label, publish, volume_of
from tests.journeys.viewer import Viewer

MIDDLE = (SHAPE[2] // 2, SHAPE[1] // 2, SHAPE[0] // 2)


@pytest.fixture
def assignment(live_world: World) -> Assignment:
    found = first_of(publish(live_world))
    label(live_world, found)
    return found


def open_viewer(new_page: Any, assignment: Assignment, query: str = "") -> Viewer:
    page: Page = new_page("annotator")
    page.goto(f"/view/{assignment.pk}/{query}")
    return Viewer(page).wait_ready()


def test_what_is_shown_is_what_was_stored(live_world: World, assignment: Assignment, new_page: Any) -> None:
    viewer = open_viewer(new_page, assignment)
    hu_zyx = volume_of(live_world.scans.index(assignment.scan))
    for i, j, k in (MIDDLE, (3, 5, 7), (50, 40, 39)):
        shown = viewer.page.evaluate("([i, j, k]) => voxloop.huAt(i, j, k)", [i, j, k])
        assert shown == int(hu_zyx[k, j, i])
    for plane in ("axial", "coronal", "sagittal"):
        x, y = viewer.page.evaluate("([p, v]) => voxloop.toScreen(p, v)", [plane, list(MIDDLE)])
        assert viewer.page.evaluate("([p, x, y]) => voxloop.toVoxel(p, x, y)", [plane, x, y]) == list(MIDDLE)
    assert viewer.facts("times")["usable"] <= viewer.facts("times")["complete"]
    shoot(viewer.page, "viewer")


def test_planes_follow_the_crosshair(assignment: Assignment, new_page: Any) -> None:
    viewer = open_viewer(new_page, assignment)
    page = viewer.page
    page.keyboard.press("v")
    x, y = page.evaluate("voxel => voxloop.toScreen('sagittal', voxel)", [0, 10, 30])
    page.mouse.click(x, y)
    assert viewer.facts("cross")[1:] == [10, 30]
    expect(page.get_by_test_id("slice-axial")).to_have_text(f"31 / {SHAPE[0]}")
    expect(page.get_by_test_id("slice-coronal")).to_have_text(f"11 / {SHAPE[1]}")
    page.mouse.wheel(0, 100)
    page.wait_for_function("() => voxloop.cross[0] !== 28")


def test_windows_by_key_and_a_pane_alone(assignment: Assignment, new_page: Any) -> None:
    viewer = open_viewer(new_page, assignment)
    page = viewer.page
    page.keyboard.press("Shift+2")
    expect(page.get_by_test_id("window-values")).to_contain_text("W 400")
    page.keyboard.press("f")
    expect(page.get_by_test_id("pane-coronal")).to_be_hidden()
    page.keyboard.press("f")
    expect(page.get_by_test_id("pane-coronal")).to_be_visible()
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Command").fill("bone")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("window-values")).to_contain_text("W 1800")


def test_the_lesion_list_leads_to_the_lesion(assignment: Assignment, new_page: Any) -> None:
    viewer = open_viewer(new_page, assignment)
    page = viewer.page
    expect(page.get_by_test_id("lesions").locator("tbody tr")).to_have_count(1)
    page.keyboard.press("v")
    page.mouse.click(*viewer.at((4, 4, viewer.facts("cross")[2])))
    page.keyboard.press("j")
    page.wait_for_function("() => voxloop.cross[0] > 20 && voxloop.cross[1] > 16")
    expect(page.get_by_test_id("lesions").locator("tr[aria-selected=true]")).to_have_count(1)


def grey_of(page: Page) -> np.ndarray[Any, Any]:
    """Grey values of the axial pane as they are on screen, rows × columns."""
    pixels: np.ndarray[Any, Any] = png_decode(page.get_by_test_id("pane-axial").screenshot())
    return pixels[..., 0].astype(np.float64)


def test_cornerstone_draws_the_same_image_at_the_same_place(assignment: Assignment, new_page: Any) -> None:
    drawn = {}
    for kind, name in (("cpu", "canvas"), ("gpu", "cornerstone-gpu")):
        viewer = open_viewer(new_page, assignment, f"?rendering={kind}")
        viewer.page.wait_for_function("name => voxloop.backend === name", arg=name, timeout=60_000)
        for key in ("h", "x"):
            viewer.page.keyboard.press(key)
        viewer.page.mouse.move(2, 2)
        viewer.page.wait_for_timeout(1500)
        drawn[name] = grey_of(viewer.page)
        shoot(viewer.page, f"viewer-{name}")
    ours, theirs = drawn["canvas"], drawn["cornerstone-gpu"]
    height, width = ours.shape
    inside = np.s_[40 : height - 40, 40 : width - 40]
    # Equal within a few grey values: bilinear on bytes versus linear on HU.
    assert np.abs(ours[inside] - theirs[inside]).mean() < 6
    bright, as_bright = (np.argwhere(image[inside] > 180).mean(axis=0) for image in (ours, theirs))
    assert np.abs(bright - as_bright).max() < 1.5


def test_the_viewer_is_accessible(assignment: Assignment, new_page: Any) -> None:
    viewer = open_viewer(new_page, assignment)
    page = viewer.page
    found: list[str] = []
    for tab in ("segments", "lesions", "questions", "comments", "history"):
        page.get_by_test_id(f"tab-{tab}").click()
        found += [f"{tab}: {fault}" for fault in faults(page)]
    page.keyboard.press("?")
    found += [f"keys: {fault}" for fault in faults(page)]
    page.keyboard.press("Escape")
    # In the light theme, which stays with the person, the images stay black.
    page.emulate_media(reduced_motion="reduce")
    page.keyboard.press("/")
    page.keyboard.type("theme light")
    with page.expect_response(lambda answer: "/me/settings" in answer.url):
        page.keyboard.press("Enter")
    page.reload()
    viewer.wait_ready()
    for tab in ("segments", "questions"):
        page.get_by_test_id(f"tab-{tab}").click()
        found += [f"{tab}, light: {fault}" for fault in faults(page)]
    page.get_by_test_id("settings").click()
    expect(page.get_by_test_id("theme-light")).to_have_attribute("aria-pressed", "true")
    found += [f"settings, light: {fault}" for fault in faults(page)]
    shoot(page, "viewer-light-settings")
    expect(page.locator(".side")).to_have_css("background-color", "rgb(255, 255, 255)")
    expect(page.get_by_test_id("pane-axial")).to_have_css("background-color", "rgb(0, 0, 0)")
    page.emulate_media(color_scheme="dark")
    page.get_by_test_id("theme-system").click()
    expect(page.locator(".side")).to_have_css("background-color", "rgb(20, 22, 25)")
    assert not found, "\n".join(found)


def test_the_page_holds_on_a_laptop(assignment: Assignment, new_page: Any) -> None:
    viewer = open_viewer(new_page, assignment)
    page = viewer.page
    page.set_viewport_size({"width": 1366, "height": 768})
    page.get_by_test_id("tab-comments").click()
    assert page.evaluate("() => [document.scrollingElement.scrollLeft, document.scrollingElement.scrollTop]") == [0, 0]
    for name in ("submit", "undo", "tab-history"):
        box = page.get_by_test_id(name).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 1366
        assert box["y"] + box["height"] <= 768
    shoot(page, "viewer-1366")


def test_a_script_that_did_not_come_is_asked_for_again(assignment: Assignment, new_page: Any, watched: Watched) -> None:
    """Keys, settings and the tabs behind the first one come after the page: on a line that fails meanwhile, later."""
    watched.expected.append("net::ERR_FAILED")
    page: Page = new_page("annotator")
    later = re.compile(r"/assets/(sheets|tabs)-")
    page.route(later, lambda route: route.abort())
    page.goto(f"/view/{assignment.pk}/")
    Viewer(page).wait_ready()
    page.get_by_test_id("tab-history").click()
    expect(page.get_by_role("tabpanel")).to_contain_text("Loading")
    page.unroute(later)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.get_by_role("tabpanel")).not_to_contain_text("Loading")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
