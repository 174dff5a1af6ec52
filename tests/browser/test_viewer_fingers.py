"""Fingers and pen over a pane, sent by the DevTools protocol; and the ceiling of the growing brush."""

from typing import Any

import pytest
from playwright.sync_api import CDPSession, expect

from annotation.work.models import Assignment
from tests.chromium import shoot
from tests.factories.world import SHAPE, World, first_of, publish
from tests.journeys.viewer import Viewer

MIDDLE = (SHAPE[2] // 2, SHAPE[1] // 2, SHAPE[0] // 2)
Point = tuple[float, float]


@pytest.fixture
def assignment(live_world: World) -> Assignment:
    return first_of(publish(live_world))


@pytest.fixture
def viewer(assignment: Assignment, new_page: Any) -> Viewer:
    page = new_page("annotator", has_touch=True)
    page.goto(f"/view/{assignment.pk}/")
    found = Viewer(page).wait_ready()
    found.go_to(MIDDLE)
    return found


def touch(session: CDPSession, kind: str, *points: Point) -> None:
    touches = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)]
    session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})


def scale(viewer: Viewer) -> float:
    (x0, _), (x1, _) = viewer.at((10, 24, 20)), viewer.at((20, 24, 20))
    return abs(x1 - x0)


def test_one_finger_paints_and_two_move_and_zoom_without_a_stroke(viewer: Viewer) -> None:
    page = viewer.page
    session = page.context.new_cdp_session(page)
    page.keyboard.press("b")
    x, y = viewer.at(MIDDLE)
    touch(session, "touchStart", (x, y))
    touch(session, "touchMove", (x + 30, y))
    touch(session, "touchEnd")
    page.wait_for_function("() => voxloop.history.undoDepth === 1")
    drawn, before = viewer.mask_hash(), scale(viewer)

    touch(session, "touchStart", (x - 40, y))
    touch(session, "touchStart", (x - 40, y), (x + 40, y))
    for step in (20, 40, 60):
        touch(session, "touchMove", (x - 40 - step, y + step), (x + 40 + step, y + step))
    touch(session, "touchEnd", (x - 100, y + 60))
    touch(session, "touchMove", (x - 60, y + 90))  # the remaining finger draws nothing
    touch(session, "touchEnd")
    assert scale(viewer) > 2 * before
    assert viewer.at(MIDDLE)[1] > y + 20, "the image went along"
    assert viewer.mask_hash() == drawn
    assert viewer.facts("history")["undoDepth"] == 1

    # The second finger comes late: the stroke of the first is undone.
    x, y = viewer.at(MIDDLE)
    marked = viewer.counts()["1"]
    touch(session, "touchStart", (x - 90, y))
    touch(session, "touchMove", (x - 60, y + 20))
    page.wait_for_function("n => voxloop.counts()['1'] > n", arg=marked)
    touch(session, "touchStart", (x - 60, y + 20), (x + 40, y))
    touch(session, "touchEnd")
    page.keyboard.press("v")
    page.wait_for_function("() => voxloop.history.undoDepth === 1")
    expect(page.get_by_test_id("undo")).to_be_enabled()
    assert viewer.mask_hash() == drawn


def test_a_pen_draws_by_its_pressure(viewer: Viewer) -> None:
    page = viewer.page
    session = page.context.new_cdp_session(page)
    page.keyboard.press("b")
    x, y = viewer.at(MIDDLE)
    taken = []
    for depth, force in enumerate((0.1, 1.0), start=1):
        event = {"x": x, "y": y, "button": "left", "clickCount": 1, "pointerType": "pen", "force": force}
        session.send("Input.dispatchMouseEvent", {"type": "mousePressed", **event})
        session.send("Input.dispatchMouseEvent", {"type": "mouseReleased", **event})
        page.wait_for_function("n => voxloop.history.undoDepth === n", arg=depth)
        taken.append(viewer.counts()["1"])
        page.keyboard.press("Control+z")
        page.wait_for_function("n => voxloop.history.undoDepth === n", arg=depth - 1)
        if depth == 1:
            page.keyboard.press("Control+Shift+Z")
            page.wait_for_function("() => voxloop.history.undoDepth === 1")
    light, firm = taken
    assert 8 * light < firm


def test_a_stroke_over_the_ceiling_takes_nothing_and_says_so(viewer: Viewer) -> None:
    page = viewer.page
    page.keyboard.press("g")
    page.get_by_test_id("ceiling").fill("0")
    page.mouse.move(*viewer.at(MIDDLE))
    expect(page.get_by_test_id("hud")).to_contain_text("over the ceiling")
    shoot(page, "viewer-ceiling")
    page.mouse.down()
    page.mouse.up()
    page.get_by_test_id("ceiling").fill("12")
    page.mouse.click(*viewer.at(MIDDLE))
    page.wait_for_function("() => voxloop.counts()['1'] > 1000 && voxloop.history.undoDepth > 0")
    assert viewer.facts("history")["undoDepth"] == 1
