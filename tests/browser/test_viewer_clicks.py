"""Click to segment: a press proposes, more presses correct, Enter takes it as one stroke, Escape drops it."""

from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from playwright.sync_api import expect

from annotation.masks.selectors import head_of
from annotation.masks.services import store_prediction
from annotation.work.models import Assignment
from annotation.work.schema import parse_schema
from tests.api.test_interactive import server
from tests.chromium import Watched, shoot
from tests.factories.world import SHAPE, World, ball, first_of, publish
from tests.journeys.viewer import Viewer

__all__ = ["server"]  # a fixture

MIDDLE = (SHAPE[2] // 2, SHAPE[1] // 2, SHAPE[0] // 2)
TRUTH = int(ball(SHAPE).sum())


@pytest.fixture
def assignment(live_world: World) -> Assignment:
    return first_of(publish(live_world))


def opened(assignment: Assignment, new_page: Any) -> Viewer:
    page = new_page("annotator")
    page.goto(f"/view/{assignment.pk}/")
    viewer = Viewer(page).wait_ready()
    viewer.go_to(MIDDLE)
    page.keyboard.press("y")
    return viewer


def proposed(viewer: Viewer, prompts: int) -> dict[str, Any]:
    """The proposal once it reflects this many points."""
    viewer.page.wait_for_function("n => voxloop.proposal?.prompts === n", arg=prompts)
    return dict(viewer.facts("proposal"))


def test_a_press_proposes_and_enter_takes_it_as_one_stroke(assignment: Assignment, new_page: Any) -> None:
    viewer = opened(assignment, new_page)
    page = viewer.page
    expect(page.get_by_test_id("proposal")).to_contain_text("the image alone")
    expect(page.get_by_label("Tool settings")).to_contain_text("No model has given its probability")
    page.mouse.click(*viewer.at(MIDDLE))
    found = proposed(viewer, 1)
    assert (found["source"], found["refusal"]) == ("image", None)
    assert abs(found["added"] - TRUTH) < 0.15 * TRUTH
    assert viewer.counts() == {}, "a proposal changes nothing"
    shoot(page, "viewer-click")

    page.keyboard.press("Enter")
    page.wait_for_function("() => Object.keys(voxloop.counts()).length === 1")
    assert viewer.counts() == {"1": found["added"]}
    page.wait_for_function("() => voxloop.proposal === null")
    drawn = viewer.mask_hash()
    page.keyboard.press("Control+z")
    page.wait_for_function("() => Object.keys(voxloop.counts()).length === 0")
    page.keyboard.press("Control+Shift+Z")
    page.wait_for_function("() => Object.keys(voxloop.counts()).length === 1")
    assert viewer.mask_hash() == drawn
    viewer.wait_saved()
    head = head_of(assignment.pk, "findings")
    assert head is not None
    page.reload()
    viewer.wait_ready()
    assert viewer.mask_hash() == drawn


def test_points_correct_the_proposal_and_escape_drops_it(assignment: Assignment, new_page: Any) -> None:
    viewer = opened(assignment, new_page)
    page = viewer.page
    page.mouse.click(*viewer.at(MIDDLE))
    first = proposed(viewer, 1)
    edge = (MIDDLE[0] + 7, MIDDLE[1], MIDDLE[2])
    page.keyboard.down("Alt")
    page.mouse.click(*viewer.at(edge))
    page.keyboard.up("Alt")
    assert proposed(viewer, 2)["added"] < first["added"]
    page.keyboard.press("Backspace")
    assert proposed(viewer, 1)["added"] == first["added"]
    page.get_by_test_id("click-excludes").click()
    page.mouse.click(*viewer.at(edge))
    assert proposed(viewer, 2)["added"] < first["added"]
    page.keyboard.press("Escape")
    page.wait_for_function("() => voxloop.proposal === null")
    page.keyboard.press("Enter")
    assert viewer.counts() == {}


def test_a_box_and_the_keyboard_alone(assignment: Assignment, new_page: Any) -> None:
    viewer = opened(assignment, new_page)
    page = viewer.page
    x, y = viewer.at((MIDDLE[0] - 11, MIDDLE[1] - 11, MIDDLE[2]))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(*viewer.at((MIDDLE[0] + 5, MIDDLE[1] + 5, MIDDLE[2])), steps=4)
    page.mouse.move(*viewer.at((MIDDLE[0] + 11, MIDDLE[1] + 11, MIDDLE[2])), steps=4)
    page.mouse.up()
    assert abs(proposed(viewer, 0)["added"] - TRUTH) < 0.2 * TRUTH
    page.keyboard.press("Escape")
    viewer.go_to(MIDDLE)
    page.keyboard.press("Shift+Y")
    assert abs(proposed(viewer, 1)["added"] - TRUTH) < 0.15 * TRUTH
    page.keyboard.press("Enter")
    page.wait_for_function("() => Object.keys(voxloop.counts()).length === 1")


def test_a_box_on_an_oblique_plane_holds_what_was_dragged(assignment: Assignment, new_page: Any) -> None:
    viewer = opened(assignment, new_page)
    page = viewer.page
    page.mouse.move(*viewer.at(MIDDLE))
    page.keyboard.press("Shift+O")
    for _ in range(6):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+O")
    expect(page.get_by_test_id("slice-coronal")).to_have_text("oblique")
    page.keyboard.press("y")
    x, y = page.evaluate("ijk => voxloop.toScreen('coronal', ijk)", list(MIDDLE))
    page.mouse.move(x - 55, y - 110)
    page.mouse.down()
    page.mouse.move(x + 55, y + 110, steps=6)
    shoot(page, "viewer-box-oblique")
    page.mouse.up()
    assert abs(proposed(viewer, 0)["added"] - TRUTH) < 0.2 * TRUTH


def test_the_models_probability_is_asked_where_there_is_one(
    live_world: World, assignment: Assignment, new_page: Any
) -> None:
    layer = parse_schema(live_world.campaign.schema.definition).layer("findings")
    store_prediction(
        scan=assignment.scan,
        layer=layer,
        labels_zyx=np.zeros(SHAPE, np.uint8),
        model_id=uuid4(),
        model_name="m7",
        probability=(ball(SHAPE)[:, ::2, ::2].astype(np.uint8) * np.uint8(240), (1, 2, 2)),
        segment=1,
    )
    viewer = opened(assignment, new_page)
    viewer.page.mouse.click(*viewer.at(MIDDLE))
    found = proposed(viewer, 1)
    assert found["source"] == "model"
    assert abs(found["added"] - TRUTH) < 0.15 * TRUTH
    expect(viewer.page.get_by_test_id("proposal")).to_contain_text("model m7")


def test_an_interactive_server_is_asked_and_its_licence_told(
    assignment: Assignment, new_page: Any, server: Any, settings: Any
) -> None:
    settings.INTERACTIVE_NAME, settings.INTERACTIVE_LICENCE = "nnInteractive", "Weights: CC BY-NC-SA 4.0."
    viewer = opened(assignment, new_page)
    page = viewer.page
    expect(page.get_by_label("Tool settings")).to_contain_text("CC BY-NC-SA 4.0")
    page.get_by_text("Ask nnInteractive").click()
    page.mouse.click(*viewer.at(MIDDLE))
    found = proposed(viewer, 1)
    assert (found["source"], found["added"]) == ("server", TRUTH)
    page.keyboard.press("Enter")
    page.wait_for_function("() => Object.keys(voxloop.counts()).length === 1")
    assert viewer.counts() == {"1": TRUTH}


def test_where_the_server_fails_the_browser_proposes(
    assignment: Assignment, new_page: Any, server: Any, watched: Watched
) -> None:
    watched.expected.append("409")
    server.mood = "refuses"
    viewer = opened(assignment, new_page)
    viewer.page.get_by_text("Ask Interactive model").click()
    viewer.page.mouse.click(*viewer.at(MIDDLE))
    assert proposed(viewer, 1)["source"] == "image"
    expect(viewer.page.get_by_label("Tool settings")).to_contain_text("refused (503)")
