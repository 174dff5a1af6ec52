"""Reviewing by keyboard: differences from the prediction and from other readers, checked or reverted by lesion."""

from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from annotation.masks.answers import save_answers
from annotation.masks.services import begin, save_message, store_prediction
from annotation.masks.states import EMPTY
from annotation.reviews.claims import claim_round
from annotation.reviews.models import ReviewRound
from annotation.reviews.services import submit_assignment
from annotation.work.models import Assignment
from annotation.work.schema import parse_schema
from tests.chromium import shoot
from tests.factories.world import SHAPE, World, first_of, publish
from tests.journeys.viewer import Viewer
from voxloop.volume.labelmap import changed_chunks, encode_message

MIDDLE = (SHAPE[2] // 2, SHAPE[1] // 2, SHAPE[0] // 2)


def boxes(*cubes: tuple[int, int, int, int]) -> np.ndarray:
    """Cubes of segment 1: (z, y, x, half side)."""
    labels = np.zeros(SHAPE, np.uint8)
    for z, y, x, half in cubes:
        labels[z - half : z + half + 1, y - half : y + half + 1, x - half : x + half + 1] = 1
    return labels


PREDICTED = boxes((20, 12, 12, 3), (20, 24, 28, 5))
DRAWN = boxes((20, 24, 28, 6), (30, 36, 44, 2))


def hand_in(world: World, assignment: Assignment, who: str, labels: np.ndarray) -> ReviewRound:
    begin(assignment_id=assignment.pk, actor=world[who])
    head = assignment.heads.filter(layer="findings").first()
    changed = changed_chunks(PREDICTED if head else np.zeros(SHAPE, np.uint8), labels)
    save_message(
        assignment_id=assignment.pk,
        layer="findings",
        message=encode_message("findings", SHAPE, changed, []),
        if_match=str(head.revision_id) if head else EMPTY,
        key=uuid4(),
        actor=world[who],
    )
    save_answers(assignment_id=assignment.pk, values={"diagnosis": "covid19", "quality": "good"}, actor=world[who])
    return submit_assignment(assignment_id=assignment.pk, actor=world[who], acknowledged=["mask_outside_lung"])


@pytest.fixture
def assignment(live_world: World) -> Assignment:
    assignment = first_of(publish(live_world))
    layer = parse_schema(live_world.campaign.schema.definition).layer("findings")
    store_prediction(scan=assignment.scan, layer=layer, labels_zyx=PREDICTED, model_id=uuid4(), model_name="m1")
    return assignment


@pytest.fixture
def submitted(live_world: World, assignment: Assignment) -> ReviewRound:
    return hand_in(live_world, assignment, "annotator", DRAWN)


HAS_COLOUR = """([pane, colour]) => {
    const marks = document.querySelector(`[data-testid=${pane}] canvas.marks`);
    const { data } = marks.getContext("2d").getImageData(0, 0, marks.width, marks.height);
    for (let p = 0; p < data.length; p += 4) {
        if (data[p + 3] > 200 && colour.every((value, n) => Math.abs(data[p + n] - value) < 8)) return true;
    }
    return false;
}"""


def open_review(world: World, page: Page, submitted: ReviewRound) -> Viewer:
    found = claim_round(round_id=submitted.pk, actor=world["reviewer"])
    page.goto(f"/view/{found.review_id}/")
    viewer = Viewer(page).wait_ready()
    page.wait_for_function("() => voxloop.differences.list.length > 0")
    return viewer


def kinds(viewer: Viewer) -> list[str]:
    return [part["kind"] for part in viewer.facts("differences")["list"]]


def test_a_reviewer_checks_and_takes_back_by_keys(live_world: World, submitted: ReviewRound, new_page: Any) -> None:
    page = new_page("reviewer")
    viewer = open_review(live_world, page, submitted)
    assert sorted(kinds(viewer)) == ["added", "changed", "removed"]
    # The largest difference is shown first.
    first = viewer.facts("differences")["list"][0]
    page.wait_for_function("ijk => voxloop.cross.every((v, n) => v === ijk[n])", arg=first["ijk"])
    assert (first["kind"], viewer.facts("differences")["index"]) == ("changed", 0)
    page.keyboard.press("d")
    expect(page.get_by_test_id("differences-left")).to_have_text("3 of 3 to check")
    page.keyboard.press("Shift+A")
    expect(page.get_by_test_id("differences-left")).to_have_text("2 of 3 to check")
    shoot(page, "viewer-differences")
    page.set_viewport_size({"width": 1366, "height": 768})
    shoot(page, "viewer-differences-1366")
    page.set_viewport_size({"width": 1600, "height": 1000})
    second = viewer.facts("differences")
    assert second["index"] == 1
    assert viewer.facts("cross") == second["list"][1]["ijk"]

    drawn, counts = viewer.mask_hash(), viewer.counts()
    assert second["list"][1]["kind"] == "removed"
    page.keyboard.press("Shift+R")
    page.wait_for_function("() => voxloop.differences.list.length === 2")
    assert viewer.counts()["1"] == counts["1"] + 7**3
    page.keyboard.press("Control+z")
    page.wait_for_function("() => voxloop.differences.list.length === 3")
    assert viewer.mask_hash() == drawn
    page.keyboard.press("Control+Shift+Z")
    page.wait_for_function("() => voxloop.differences.list.length === 2")
    viewer.wait_saved()

    # Another browser continues where this one was.
    for _ in range(200):
        submitted.refresh_from_db()
        if submitted.looked_at:
            break
        page.wait_for_timeout(25)
    page.close()
    page = new_page("reviewer")
    page.goto(f"/view/{submitted.review_id}/")
    viewer = Viewer(page).wait_ready()
    page.wait_for_function("() => voxloop.differences.list.length === 2")
    assert [part["checked"] for part in viewer.facts("differences")["list"]] == [True, False]
    page.keyboard.press("Shift+S")
    page.keyboard.press("Shift+P")
    expect(page.get_by_test_id("cine-speed")).to_be_visible()
    assert not (faults := viewer.clipped()), "\n".join(faults)
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Approved")
    submitted.refresh_from_db()
    assert submitted.signature is not None
    assert (submitted.signature["looked_at"], len(submitted.looked_at)) == (1, 1)
    assert submitted.state == "corrected"
    see_the_correction(new_page("annotator"), submitted)


def see_the_correction(page: Page, submitted: ReviewRound) -> None:
    """The author finds it in the work list, and sees what it added and took away."""
    page.goto("/worklist/?show=done")
    expect(page.get_by_text("with corrections by reviewer")).to_be_visible()
    page.goto(f"/view/{submitted.annotation_id}/")
    viewer = Viewer(page).wait_ready()
    expect(page.get_by_test_id("tab-review")).to_have_attribute("aria-selected", "true")
    page.wait_for_function("() => voxloop.differences.list.length === 1")
    expect(page.get_by_test_id("differences-left")).to_have_text("1 lesion was corrected")
    [part] = viewer.facts("differences")["list"]
    assert (part["kind"], part["added"], part["removed"]) == ("added", 7**3, 0)
    page.wait_for_function(HAS_COLOUR, arg=["pane-axial", [9, 211, 108]])
    shoot(page, "viewer-correction-for-its-author")


def test_a_remark_by_one_key_is_pinned_and_goes_with_the_return(
    live_world: World, submitted: ReviewRound, new_page: Any
) -> None:
    page = new_page("reviewer")
    viewer = open_review(live_world, page, submitted)
    page.keyboard.press("Shift+J")
    page.keyboard.press("Shift+L")
    voxel = viewer.facts("cross")
    page.get_by_test_id("tab-comments").click()
    expect(page.get_by_test_id("draft")).to_contain_text("Marked too large.")
    # Differences and outlines are drawn on oblique planes too.
    page.keyboard.press("p")
    page.get_by_test_id("pane-axial").focus()
    page.keyboard.press("Shift+O")
    for _ in range(5):
        page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_test_id("slice-coronal")).to_have_text("oblique")
    for colour in ([255, 120, 218], [49, 223, 254]):  # removed, pre-annotation
        page.wait_for_function(HAS_COLOUR, arg=["pane-coronal", colour])
    shoot(page, "viewer-oblique-difference")
    page.keyboard.press("Shift+0")
    page.keyboard.press("r")
    expect(page.get_by_role("dialog")).to_contain_text("Returned")
    comment = submitted.comments.get()
    assert [comment.text, comment.i, comment.j, comment.k] == ["Marked too large.", *voxel]


def test_readers_are_compared_by_judges_only(live_world: World, submitted: ReviewRound, new_page: Any) -> None:
    first = submitted.annotation
    other = Assignment.objects.create(
        campaign=first.campaign, batch=first.batch, scan=first.scan, person=live_world["annotator2"], reader=2
    )
    page = new_page("annotator2")
    page.goto(f"/view/{other.pk}/")
    Viewer(page).wait_ready()
    assert not [
        o
        for o in page.evaluate("() => JSON.parse(document.getElementById('context').textContent).overlays")
        if o["key"].startswith("reader")
    ]
    hand_in(live_world, other, "annotator2", boxes((20, 24, 28, 4)))

    page = new_page("reviewer")
    viewer = open_review(live_world, page, submitted)
    viewer.page.get_by_test_id("against-reader-2").check()
    page.wait_for_function("() => voxloop.differences.against === 'reader-2' && voxloop.differences.list.length === 2")
    assert kinds(viewer) == ["changed", "added"]
    page.get_by_test_id("outline-reader-2").click()
    page.keyboard.press("Shift+V")
    expect(page.get_by_test_id("heat")).to_have_attribute("aria-pressed", "true")
    viewer.go_to(MIDDLE)
    shoot(page, "viewer-readers")
    page.keyboard.press("Shift+D")
    page.wait_for_function("() => voxloop.differences.against !== 'reader-2'")
