"""Going through the lesions that a model proposed: one key a lesion, after a reload and in another tab the same."""

from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from annotation.masks.selectors import head_of
from annotation.masks.services import store_prediction
from annotation.reviews.claims import claim_round
from annotation.reviews.models import ReviewRound
from annotation.reviews.services import return_round
from annotation.work.models import Assignment, Campaign
from annotation.work.schema import parse_schema
from tests.chromium import shoot
from tests.factories.world import SHAPE, World, ball, first_of, publish
from tests.journeys.viewer import Viewer

MIDDLE = (SHAPE[2] // 2, SHAPE[1] // 2, SHAPE[0] // 2)
INVENTED = ((8, 8, 8), (46, 38, 30))


def predicted() -> np.ndarray:
    """The ball that is there, and two lesions that are not, the second the smaller one."""
    labels = ball(SHAPE, 8.0).astype(np.uint8)
    for half, (i, j, k) in zip((3, 2), INVENTED, strict=True):
        labels[k - half : k + half + 1, j - half : j + half + 1, i - half : i + half + 1] = 1
    return labels


@pytest.fixture
def assignment(live_world: World) -> Assignment:
    Campaign.objects.update(blank_share=0.0)
    found = first_of(publish(live_world))
    layer = parse_schema(live_world.campaign.schema.definition).layer("findings")
    labels = predicted()
    probability = np.where(labels > 0, 120, 0).astype(np.uint8)
    probability[ball(SHAPE, 8.0)] = 240
    store_prediction(
        scan=found.scan,
        layer=layer,
        labels_zyx=labels,
        model_id=uuid4(),
        model_name="m1",
        probability=(probability, (1, 1, 1)),
        segment=1,
    )
    return found


def opened(page: Page, assignment: Assignment) -> Viewer:
    page.goto(f"/view/{assignment.pk}/")
    viewer = Viewer(page).wait_ready()
    page.wait_for_function("() => voxloop.proposed.fates.length === 3")
    return viewer


def wait_for(page: Page, *fates: str) -> None:
    page.wait_for_function("fates => voxloop.proposed.fates.join() === fates", arg=",".join(fates))


def test_an_invented_lesion_costs_one_key(live_world: World, assignment: Assignment, new_page: Any) -> None:
    page = new_page("annotator")
    viewer = opened(page, assignment)
    # It opens on the first lesion.
    page.wait_for_function("ijk => voxloop.cross.every((v, n) => v === ijk[n])", arg=list(MIDDLE))
    expect(page.get_by_test_id("proposed-line")).to_contain_text("3 undecided")
    page.keyboard.press("Shift+C")
    expect(page.get_by_test_id("notice").last).to_contain_text("Nobody has commented on this scan.")
    page.keyboard.press("Alt+w")
    expect(page.get_by_test_id("proposed-left")).to_have_text("3 undecided")
    rows = page.get_by_test_id("proposed").locator("tbody tr")
    expect(rows.nth(0)).to_contain_text("94 %")
    expect(rows.nth(1)).to_contain_text("47 %")
    assert viewer.clipped() == []
    shoot(page, "viewer-proposed")

    page.keyboard.press("Alt+a")
    wait_for(page, "accepted", "proposed", "proposed")
    page.wait_for_function("k => voxloop.cross[2] === k", arg=INVENTED[0][2])
    before = viewer.mask_hash()
    # One key, one entry of the history.
    page.keyboard.press("Alt+x")
    wait_for(page, "accepted", "dropped", "proposed")
    page.wait_for_function("k => voxloop.cross[2] === k", arg=INVENTED[1][2])
    page.keyboard.press("Control+z")
    wait_for(page, "accepted", "proposed", "proposed")
    assert viewer.mask_hash() == before
    page.keyboard.press("Control+Shift+Z")
    wait_for(page, "accepted", "dropped", "proposed")

    page.get_by_test_id("drop-proposed").click()
    wait_for(page, "accepted", "dropped", "dropped")
    expect(page.get_by_test_id("proposed-left")).to_have_text("all decided")
    viewer.wait_saved()
    page.reload()
    viewer.wait_ready()
    wait_for(page, "accepted", "dropped", "dropped")
    # Another browser knows it from the server alone.
    elsewhere = new_page("annotator")
    opened(elsewhere, assignment)
    wait_for(elsewhere, "accepted", "dropped", "dropped")
    elsewhere.close()

    # What is zoomed into by keys stays in sight, and the next lesion comes into sight.
    page.bring_to_front()
    for _ in range(6):
        page.keyboard.press("+")
    x, y = viewer.at(tuple(viewer.facts("cross")))
    box = page.get_by_test_id("pane-axial").bounding_box()
    assert box is not None
    assert box["x"] < x < box["x"] + box["width"]
    assert box["y"] < y < box["y"] + box["height"]


def test_a_lesion_is_grown_anew_and_its_stroke_stepped(assignment: Assignment, new_page: Any) -> None:
    page = new_page("annotator")
    viewer = opened(page, assignment)
    page.keyboard.press("Alt+w")
    page.keyboard.press("Alt+r")
    wait_for(page, "accepted", "proposed", "proposed")
    expect(page.get_by_test_id("notice")).to_contain_text("Regrown")
    page.keyboard.press("Control+z")
    wait_for(page, "proposed", "proposed", "proposed")
    viewer.go_to(MIDDLE)
    page.keyboard.press("Alt+x")  # the chosen one is still the first
    wait_for(page, "dropped", "proposed", "proposed")
    page.keyboard.press("Control+z")
    wait_for(page, "proposed", "proposed", "proposed")
    page.keyboard.press("g")
    page.get_by_test_id("planar").focus()
    page.keyboard.press("Space")
    page.mouse.move(*viewer.at(MIDDLE))
    expect(page.get_by_test_id("switched")).to_have_text("this slice")
    page.keyboard.press("s")
    expect(page.get_by_test_id("switched")).to_have_count(0)


def test_handing_in_with_undecided_lesions_leads_to_them(assignment: Assignment, new_page: Any) -> None:
    Campaign.objects.update(proposed_policy="block")
    page = new_page("annotator")
    opened(page, assignment)
    page.get_by_test_id("tab-questions").click()
    for answer in ("diagnosis-covid19", "quality-good", "co_rads-4"):
        page.get_by_test_id(f"answer-{answer}").check()
    check = page.get_by_test_id("checklist").locator("[data-code=lesions_undecided]")
    expect(check).to_contain_text("3 lesions by the model are undecided (Alt W)")
    page.keyboard.press("Control+Enter")
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text("3 lesions by the model are undecided (Alt W).")
    expect(asked.get_by_role("button", name="Submit with these warnings")).to_have_count(0)
    shoot(page, "viewer-undecided")
    asked.get_by_role("button", name="Go to it").click()
    expect(page.get_by_test_id("tab-lesions")).to_have_attribute("aria-selected", "true")
    for key, fates in (
        ("Alt+a", ("accepted", "proposed", "proposed")),
        ("Alt+x", ("accepted", "dropped", "proposed")),
        ("Alt+x", ("accepted", "dropped", "dropped")),
    ):
        page.keyboard.press(key)
        wait_for(page, *fates)
    page.get_by_test_id("tab-questions").click()
    expect(check).to_have_attribute("data-ok", "true")
    expect(check).to_contain_text("All 3 lesions by the model are decided")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(lambda url: str(assignment.pk) not in url)
    assert ReviewRound.objects.get(annotation=assignment).masks.get().lesions == {
        "accepted": 1,
        "changed": 0,
        "dropped": 2,
        "left": 0,
        "new": 0,
    }


def hand_in_with_a_question(page: Page, assignment: Assignment) -> ReviewRound:
    """What was measured outlives a reload, the panel was made wider, and a question is handed in."""
    viewer = opened(page, assignment)
    viewer.go_to(MIDDLE)
    page.keyboard.press("m")
    x, y = viewer.at(MIDDLE)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y, steps=3)
    page.mouse.up()
    page.wait_for_function("() => voxloop.measurements.length === 1")
    page.keyboard.press("Shift+M")
    page.keyboard.press("Enter")
    for _ in range(200):
        assignment.refresh_from_db()
        if len(assignment.marks) == 2:
            break
        page.wait_for_timeout(50)
    page.reload()
    viewer.wait_ready()
    page.wait_for_function("() => voxloop.measurements.length === 1 && voxloop.regions.length === 1")
    # Wider by keys, and as wide after a reload.
    edge = page.get_by_test_id("panel-edge")
    width = page.locator(".rightside").bounding_box()
    edge.focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    assert width is not None
    page.wait_for_function(
        "width => Math.abs(document.querySelector('.rightside').getBoundingClientRect().width - width) < 2",
        arg=width["width"] + 64,
    )
    viewer.go_to(MIDDLE)
    page.keyboard.press("Alt+c")
    page.get_by_role("dialog").get_by_role("textbox").fill("Vessel or lesion?")
    page.keyboard.press("Control+Enter")
    page.get_by_test_id("tab-comments").click()
    expect(page.get_by_test_id("draft")).to_contain_text("Goes with the hand-in")
    shoot(page, "viewer-question")
    page.get_by_test_id("tab-questions").click()
    page.get_by_test_id("answer-diagnosis-covid19").check()
    page.get_by_test_id("answer-quality-good").check()
    page.get_by_test_id("answer-co_rads-4").check()
    page.keyboard.press("Control+Enter")
    page.wait_for_url(lambda url: str(assignment.pk) not in url)
    round_ = ReviewRound.objects.get(annotation=assignment)
    comment = round_.comments.get()
    assert (comment.text, (comment.i, comment.j, comment.k)) == ("Vessel or lesion?", MIDDLE)
    assert round_.masks.get().lesions == {"accepted": 0, "changed": 0, "dropped": 0, "left": 3, "new": 0}
    return round_


def test_questions_and_measurements_go_with_the_work(live_world: World, assignment: Assignment, new_page: Any) -> None:
    page = new_page("annotator")
    round_ = hand_in_with_a_question(page, assignment)
    found = claim_round(round_id=round_.pk, actor=live_world["reviewer"])
    judge = new_page("reviewer")
    judge.goto(f"/view/{found.review_id}/")
    Viewer(judge).wait_ready()
    judge.wait_for_function("() => voxloop.measurements.length === 1 && voxloop.measurements[0].isForeign")
    shoot(judge, "viewer-foreign-marks")
    pinned = (5, 6, 7)
    return_round(
        round_id=round_.pk,
        actor=live_world["reviewer"],
        comments=[{"text": "Missed here.", "ijk": list(pinned)}],
    )
    round_.comments.filter(author=live_world["annotator"]).update(state="resolved")
    page.goto(f"/view/{assignment.pk}/")
    Viewer(page).wait_ready()
    # Returned work opens on its pinned comment.
    page.wait_for_function("ijk => voxloop.cross.every((v, n) => v === ijk[n])", arg=list(pinned))
    expect(page.get_by_test_id("tab-comments")).to_have_attribute("aria-selected", "true")
    assert head_of(assignment.pk, "findings") is not None
