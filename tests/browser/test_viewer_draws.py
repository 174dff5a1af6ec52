"""Drawing in the viewer by mouse and keyboard: every tool undone, redone, kept over a reload, safe offline."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.masks.selectors import head_of
from annotation.work.models import Assignment
from tests.chromium import Watched, shoot
from tests.factories.world import SHAPE, World, first_of, publish
from tests.journeys.viewer import Viewer

MIDDLE = (SHAPE[2] // 2, SHAPE[1] // 2, SHAPE[0] // 2)
CORNER = (8, 8, SHAPE[0] // 2)


@pytest.fixture
def assignment(live_world: World) -> Assignment:
    return first_of(publish(live_world))


@pytest.fixture
def viewer(assignment: Assignment, new_page: Any) -> Viewer:
    page: Page = new_page("annotator")
    page.goto(f"/view/{assignment.pk}/")
    found = Viewer(page).wait_ready()
    found.go_to(MIDDLE)
    return found


def open_again(viewer: Viewer) -> None:
    viewer.page.reload()
    viewer.wait_ready()


@pytest.mark.parametrize(("key", "name"), [("g", "Region-growing brush"), ("b", "Sphere brush"), ("n", "Circle brush")])
def test_a_stroke_is_undone_redone_and_kept_over_a_reload(viewer: Viewer, key: str, name: str) -> None:
    empty = viewer.mask_hash()
    viewer.stroke(key, MIDDLE)
    expect(viewer.page.get_by_role("button", name=name)).to_have_attribute("aria-pressed", "true")
    drawn, counts = viewer.mask_hash(), viewer.counts()
    assert set(counts) == {"1"}
    assert viewer.page.evaluate("() => crossOriginIsolated")  # page and worker share the voxels

    viewer.page.keyboard.press("Control+z")
    viewer.page.wait_for_function("() => Object.keys(voxloop.counts()).length === 0")
    assert viewer.mask_hash() == empty
    viewer.page.keyboard.press("Control+Shift+Z")
    viewer.page.wait_for_function("() => Object.keys(voxloop.counts()).length === 1")
    assert viewer.mask_hash() == drawn

    viewer.wait_saved()
    open_again(viewer)
    assert (viewer.mask_hash(), viewer.counts()) == (drawn, counts)
    viewer.page.keyboard.press("Control+z")
    viewer.page.wait_for_function("() => Object.keys(voxloop.counts()).length === 0")
    assert viewer.mask_hash() == empty


def test_without_a_secure_connection_strokes_are_drawn_and_kept(
    assignment: Assignment, new_page: Any, live_server: Any, settings: Any, watched: Watched
) -> None:
    watched.expected.append("Cross-Origin-Opener-Policy")  # the browser warns that the header is ignored without https
    settings.ALLOWED_HOSTS = ["*"]
    page = new_page("annotator", base_url=live_server.url.replace("localhost", "plain.test"))
    page.goto(f"/view/{assignment.pk}/")
    viewer = Viewer(page).wait_ready()
    assert page.evaluate("() => [isSecureContext, crossOriginIsolated]") == [False, False]
    viewer.go_to(MIDDLE)
    viewer.stroke("g", MIDDLE)
    viewer.wait_saved()
    drawn = viewer.counts()
    open_again(viewer)
    assert set(drawn) == {"1"}
    assert viewer.counts() == drawn
    page.keyboard.press("Control+z")
    page.wait_for_function("() => Object.keys(voxloop.counts()).length === 0")


def test_what_is_erased_stays_erased(viewer: Viewer) -> None:
    viewer.stroke("g", MIDDLE)
    grown = viewer.counts()["1"]
    viewer.stroke("e", MIDDLE)
    left = viewer.counts().get("1", 0)
    assert left < grown

    viewer.page.keyboard.press("g")
    edge = (MIDDLE[0] + 7, MIDDLE[1], MIDDLE[2])
    viewer.page.mouse.click(*viewer.at(edge))
    viewer.page.wait_for_timeout(500)
    assert viewer.counts().get("1", 0) < grown
    viewer.page.mouse.move(*viewer.at(MIDDLE))
    expect(viewer.page.get_by_test_id("hud")).to_contain_text("Erased before: the sphere brush brings it back")


def test_the_first_drag_on_an_inactive_pane_paints(viewer: Viewer) -> None:
    page = viewer.page
    page.keyboard.press("b")
    expect(page.get_by_test_id("pane-axial")).to_have_class("pane active")
    x, y = page.evaluate("ijk => window.voxloop.toScreen('coronal', ijk)", list(MIDDLE))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y, steps=4)
    page.mouse.up()
    page.wait_for_function("() => voxloop.counts()['1'] > 0")
    expect(page.get_by_test_id("pane-coronal")).to_have_class("pane active")


def test_save_paint_save_count(viewer: Viewer, assignment: Assignment) -> None:
    """The live mask is never replaced by the server's."""
    viewer.stroke("b", MIDDLE)
    viewer.wait_saved()
    first = viewer.counts()["1"]
    viewer.page.keyboard.press("n")
    viewer.stroke("n", CORNER)
    viewer.wait_saved()
    both = viewer.counts()["1"]
    assert both > first
    head = head_of(assignment.pk, "findings")
    assert head is not None
    assert head.voxel_counts == {"1": both}


def test_growing_on_healthy_lung_says_why_it_paints_nothing(viewer: Viewer) -> None:
    page = viewer.page
    page.keyboard.press("g")
    page.mouse.move(*viewer.at(CORNER))
    expect(page.get_by_test_id("hud")).to_contain_text("healthy lung")
    page.mouse.down()
    page.mouse.up()
    assert viewer.counts() == {}


def test_the_preview_tells_what_the_stroke_takes(viewer: Viewer) -> None:
    page = viewer.page
    page.keyboard.press("g")
    page.mouse.move(*viewer.at(MIDDLE))
    expect(page.get_by_test_id("hud")).to_contain_text("+")
    expect(page.get_by_test_id("this-stroke")).to_contain_text("Would add")
    told = page.get_by_test_id("hud").locator("b").inner_text()
    page.mouse.down()
    page.mouse.up()
    page.wait_for_function("() => voxloop.counts()['1'] > 0")
    expect(page.get_by_test_id("total-ml")).to_contain_text(told.strip("+ mL"))


def test_a_locked_or_hidden_segment_is_not_painted(viewer: Viewer) -> None:
    page = viewer.page
    page.get_by_role("button", name="Lock Infectious opacity").click()
    page.keyboard.press("b")
    page.mouse.click(*viewer.at(MIDDLE))
    expect(page.get_by_test_id("hud")).to_contain_text("is locked")
    page.get_by_role("button", name="Unlock Infectious opacity").click()
    page.get_by_role("button", name="Hide Infectious opacity").click()
    page.mouse.click(*viewer.at(MIDDLE))
    expect(page.get_by_test_id("hud")).to_contain_text("is hidden")
    assert viewer.counts() == {}


def test_painting_by_keyboard_alone(viewer: Viewer) -> None:
    page = viewer.page
    page.mouse.move(5, 5)
    page.get_by_test_id("pane-axial").focus()
    for key in ("b", "2", "ArrowDown", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    page.wait_for_function("() => voxloop.counts()['2'] > 0")
    assert viewer.facts("cross") == [MIDDLE[0] + 1, MIDDLE[1], MIDDLE[2] - 1]


@pytest.mark.fault("the network is gone while drawing")
def test_strokes_wait_in_the_browser_while_the_network_is_gone(
    viewer: Viewer, watched: Watched, assignment: Assignment
) -> None:
    page = viewer.page
    watched.expected.append("ERR_INTERNET_DISCONNECTED")
    page.context.set_offline(True)
    viewer.stroke("b", MIDDLE)
    expect(page.get_by_test_id("save-state")).to_have_attribute("data-state", "offline")
    expect(page.get_by_test_id("save-state")).to_contain_text("1 stroke kept in this browser")
    shoot(page, "viewer-offline")
    drawn = viewer.counts()
    page.context.set_offline(False)
    viewer.wait_saved()
    head = head_of(assignment.pk, "findings")
    assert head is not None
    assert head.voxel_counts == drawn


def test_a_drag_of_several_dabs_takes_more_and_less_by_keys(viewer: Viewer) -> None:
    page = viewer.page
    page.keyboard.press("g")
    viewer.set_radius(8)
    page.mouse.move(*viewer.at(MIDDLE))
    page.mouse.down()
    for step in (3, 6):
        page.mouse.move(*viewer.at((MIDDLE[0] + step, MIDDLE[1], MIDDLE[2])))
    page.mouse.up()
    page.wait_for_function("() => voxloop.strokes.length === 1")
    drawn, counts = viewer.mask_hash(), viewer.counts()["1"]
    for key, sign in (("Alt+,", ">"), ("Alt+.", "<")):
        page.keyboard.press(key)
        page.wait_for_function(f"n => voxloop.counts()['1'] {sign} n", arg=counts)
        expect(page.get_by_test_id("notice")).to_contain_text("bounds of 3 dabs")
        shoot(page, f"stepped-drag-{key[-1] == ','}")
        page.keyboard.press("Control+z")
        page.wait_for_function("n => voxloop.counts()['1'] === n", arg=counts)
        assert viewer.mask_hash() == drawn
