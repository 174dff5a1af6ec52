"""Every tool and every operation on a segment, by mouse and keyboard: exactly the voxels before, after a reload too."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from playwright.sync_api import Page

from annotation.masks.selectors import head_of
from annotation.masks.services import store_prediction
from annotation.work.models import Assignment
from annotation.work.schema import parse_schema
from tests.chromium import shoot
from tests.factories.world import SHAPE, World, first_of, publish
from tests.journeys.viewer import Viewer

MIDDLE = (SHAPE[2] // 2, SHAPE[1] // 2, SHAPE[0] // 2)
Step = Callable[["Hands"], None]


class Hands(Viewer):
    """A viewer, and the gestures of each tool."""

    def settle(self, before: int) -> None:
        """Wait until the history has grown and no operation is running."""
        self.page.wait_for_function("n => voxloop.history.undoDepth > n && !voxloop.working", arg=before)

    def spot(self, dx: int, dy: int) -> tuple[float, float]:
        return self.at((MIDDLE[0] + dx, MIDDLE[1] + dy, MIDDLE[2]))

    def click(self, tool: str, dx: int = 0, dy: int = 0) -> None:
        self.page.keyboard.press(tool)
        self.page.mouse.click(*self.spot(dx, dy))

    def polygon(self, tool: str, corners: list[tuple[int, int]]) -> None:
        self.page.keyboard.press(tool)
        for corner in corners:
            self.page.mouse.click(*self.spot(*corner))
        self.page.keyboard.press("Enter")

    def drag_round(self, tool: str, corners: list[tuple[int, int]]) -> None:
        self.page.keyboard.press(tool)
        self.page.mouse.move(*self.spot(*corners[0]))
        self.page.mouse.down()
        for corner in corners[1:]:
            self.page.mouse.move(*self.spot(*corner), steps=5)
        self.page.mouse.up()

    def keys(self, *names: str) -> None:
        for name in names:
            self.page.keyboard.press(name)

    def press_button(self, testid: str) -> None:
        self.page.get_by_test_id(testid).click()

    def choose(self, testid: str, value: str) -> None:
        self.page.get_by_test_id(testid).select_option(value)

    def slide(self, testid: str, value: float) -> None:
        self.page.get_by_test_id(testid).fill(str(value))


SQUARE = [(-16, -16), (-10, -16), (-10, -10), (-16, -10)]
LEFT_HALF = [(-20, -20), (0, -20), (0, 20), (-20, 20)]

DRAWING: dict[str, Step] = {
    "threshold": lambda h: (h.page.mouse.move(*h.spot(0, 0)), h.keys("Alt+t"), h.click("t", 5, 0))[-1],
    "grow": lambda h: h.click("g"),
    "sphere": lambda h: h.click("b", 12, 12),
    "circle": lambda h: h.click("n", -14, 12),
    "erase": lambda h: h.click("e", 12, 12),
    "lasso by points": lambda h: h.polygon("o", SQUARE),
    "lasso by drag": lambda h: h.drag_round("o", [(10, -16), (16, -16), (16, -10), (10, -10)]),
    "lasso by keyboard": lambda h: (
        h.click("v", -18, 0),
        h.keys("o", "Enter", *["ArrowRight"] * 4, "Enter", *["Alt+ArrowDown"] * 4, "Enter", "Enter"),
    )[-1],
    "scissors inside": lambda h: h.polygon("u", LEFT_HALF),
    "scissors outside": lambda h: (
        h.keys("u"),
        h.press_button("cut-outside"),
        h.polygon("u", [(-6, -20), (8, -20), (8, 20), (-6, 20)]),
    )[-1],
}

OPERATIONS: dict[str, Step] = {
    "fill holes": lambda h: h.keys("Shift+U"),
    "interpolate": lambda h: h.keys("Alt+j"),
    "islands": lambda h: h.press_button("op-islands"),
    "smooth": lambda h: h.press_button("op-smooth"),
    "grow the segment": lambda h: h.press_button("op-grow"),
    "shrink the segment": lambda h: h.keys("Shift+G"),
    "subtract an overlay": lambda h: (h.choose("combine-with", "prediction/"), h.press_button("op-subtract"))[-1],
    "copy everything": lambda h: h.press_button("op-copy"),
    "grow again": lambda h: h.keys("Alt+g"),
    "clear": lambda h: h.press_button("op-clear"),
    "add an overlay": lambda h: h.press_button("op-union"),
    "keep what lies near another segment": lambda h: (
        h.choose("combine-with", "/2"),
        h.slide("margin-mm", 10),
        h.press_button("op-intersect"),
    )[-1],
    "remove a lesion": lambda h: (h.page.mouse.move(*h.spot(14, 14)), h.keys("Shift+E"))[-1],
    "copy a lesion": lambda h: (h.page.mouse.move(*h.spot(14, 14)), h.keys("Alt+l"))[-1],
    "convert a lesion": lambda h: (h.page.mouse.move(*h.spot(14, 14)), h.keys("Alt+n"))[-1],
    "convert": lambda h: h.press_button("op-convert"),
}


@pytest.fixture
def assignment(live_world: World) -> Assignment:
    found = first_of(publish(live_world))
    labels = np.zeros(SHAPE, np.uint8)
    z, y, x = MIDDLE[::-1]
    labels[z - 6 : z + 7, y - 6 : y + 7, x - 6 : x + 7] = 1
    labels[z - 1 : z + 2, y - 1 : y + 2, x - 1 : x + 2] = 0  # a hole
    labels[z + 8, y - 6 : y + 7, x - 6 : x + 7] = 1  # drawn two slices further
    labels[z, y - 18, x - 18] = 1  # an island
    labels[z - 2 : z + 3, y + 12 : y + 17, x + 12 : x + 17] = 2
    layer = parse_schema(live_world.campaign.schema.definition).layer("findings")
    store_prediction(scan=found.scan, layer=layer, labels_zyx=labels, model_id=uuid4(), model_name="m7")
    return found


@pytest.fixture
def hands(assignment: Assignment, new_page: Any) -> Hands:
    page: Page = new_page("annotator")
    page.goto(f"/view/{assignment.pk}/")
    found = Hands(page).wait_ready()
    found.go_to(MIDDLE)
    return Hands(page)


def work_through(hands: Hands, steps: dict[str, Step], assignment: Assignment) -> None:
    """Each step changes the mask; undone and redone at once, and all of them undone after a reload."""
    page = hands.page
    hashes, depth = [hands.mask_hash()], 0
    for name, step in steps.items():
        step(hands)
        try:
            hands.settle(depth)
        except Exception as error:
            shoot(page, f"tool-{name}")
            raise AssertionError(f"{name} changed nothing") from error
        depth += 1
        assert hands.facts("history")["undoDepth"] == depth, f"{name} is one stroke"
        after = hands.mask_hash()
        assert after != hashes[-1], name
        page.keyboard.press("Control+z")
        page.wait_for_function("n => voxloop.history.undoDepth === n", arg=depth - 1)
        assert hands.mask_hash() == hashes[-1], f"undo of {name}"
        page.keyboard.press("Control+Shift+Z")
        page.wait_for_function("n => voxloop.history.undoDepth === n", arg=depth)
        assert hands.mask_hash() == after, f"redo of {name}"
        hashes.append(after)
    hands.wait_saved()
    head = head_of(assignment.pk, "findings")
    assert head is not None
    assert head.voxel_counts == hands.counts()
    page.reload()
    hands.wait_ready()
    assert hands.mask_hash() == hashes[-1], "after the reload"
    for name, before in zip(reversed(steps), reversed(hashes[:-1]), strict=True):
        page.keyboard.press("Control+z")
        depth -= 1
        page.wait_for_function("n => voxloop.history.undoDepth === n", arg=depth)
        assert hands.mask_hash() == before, f"undo of {name} after the reload"


def test_every_drawing_tool(hands: Hands, assignment: Assignment) -> None:
    hands.page.get_by_test_id("pane-axial").focus()
    work_through(hands, DRAWING, assignment)


def test_every_operation_on_a_segment(hands: Hands, assignment: Assignment) -> None:
    hands.keys("g")
    hands.press_button("more-operations")
    hands.page.get_by_test_id("pane-axial").focus()
    shoot(hands.page, "viewer-operations")
    work_through(hands, OPERATIONS, assignment)
