"""Handing in and judging: questions, interlocks with a jump, submit, pinned comments, return, correction, signature."""

import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.masks.selectors import newest_answers
from annotation.reviews.claims import claim_round
from annotation.reviews.comments import add_reply
from annotation.reviews.models import CommentsSeen, Reply, ReviewRound
from annotation.reviews.services import return_round, submit_assignment
from annotation.work.models import Assignment
from tests.chromium import Watched, shoot
from tests.factories.world import PASSWORD, SHAPE, World, first_of, label, publish
from tests.journeys.viewer import Viewer
from tests.product import wait_for
from voxloop.accounts.models import User
from voxloop.kernel.errors import Invalid

MIDDLE = (SHAPE[2] // 2, SHAPE[1] // 2, SHAPE[0] // 2)


@pytest.fixture
def assignment(live_world: World) -> Assignment:
    return first_of(publish(live_world))


@pytest.fixture
def submitted(live_world: World, assignment: Assignment) -> ReviewRound:
    label(live_world, assignment)
    return submit_assignment(
        assignment_id=assignment.pk, actor=live_world["annotator"], acknowledged=["mask_outside_lung"]
    )


def test_a_scan_is_answered_and_submitted_and_the_next_one_opens(assignment: Assignment, new_page: Any) -> None:
    page = new_page("annotator")
    page.goto(f"/view/{assignment.pk}/")
    viewer = Viewer(page).wait_ready()
    viewer.go_to(MIDDLE)
    viewer.stroke("g", MIDDLE)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("dialog")).to_contain_text("questions have no answer")
    shoot(page, "viewer-interlocks")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("tab-questions")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_test_id("answer-diagnosis-covid19")).to_be_focused()

    page.get_by_test_id("answer-diagnosis-no_signs").check()
    expect(page.get_by_test_id("answer-co_rads-4")).to_have_count(0)
    page.get_by_test_id("answer-quality-good").check()
    expect(page.get_by_test_id("checklist")).to_contain_text("marked as infectious")
    page.get_by_test_id("answer-diagnosis-covid19").check()
    expect(page.get_by_test_id("checklist").locator("[data-code=findings_agree]")).to_have_attribute("data-ok", "true")
    # A conditional question is shown, works by keyboard, and blocks submission until answered.
    page.get_by_test_id("answer-co_rads-1").focus()
    page.keyboard.press("4")
    page.get_by_test_id("answer-other_findings-effusion").focus()
    page.keyboard.press("5")
    page.keyboard.press("6")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("dialog")).to_contain_text("2 questions have no answer")
    page.get_by_role("dialog").get_by_role("button", name="Go to it").click()
    size = page.get_by_test_id("answer-nodule_mm")
    expect(size).to_be_focused()
    page.keyboard.type("450")
    expect(size).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("alert").filter(has_text="1 to 300")).to_be_visible()
    shoot(page, "viewer-conditional-questions")
    page.keyboard.press("Control+a")
    page.keyboard.type("12.5")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("answer-other_finding")).to_be_focused()
    page.keyboard.type("hiatal hernia")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(lambda url: "/view/" in url and str(assignment.pk) not in url)
    assignment.refresh_from_db()
    assert assignment.state == "submitted"
    assert newest_answers(assignment) == {
        "diagnosis": "covid19",
        "quality": "good",
        "co_rads": "4",
        "other_findings": ["nodule", "other"],
        "nodule_mm": 12.5,
        "other_finding": "hiatal hernia",
    }


def test_a_scan_is_blocked_with_a_reason(assignment: Assignment, new_page: Any) -> None:
    page = new_page("annotator")
    page.goto(f"/view/{assignment.pk}/")
    Viewer(page).wait_ready()
    page.get_by_test_id("block").click()
    expect(page.get_by_test_id("dialog-done")).to_be_disabled()
    page.get_by_test_id("dialog-text").fill("Burnt-in text on every slice")
    page.get_by_test_id("dialog-done").click()
    page.wait_for_url(lambda url: str(assignment.pk) not in url)
    assignment.refresh_from_db()
    assert (assignment.state, assignment.reason) == ("blocked", "Burnt-in text on every slice")


def open_review(page: Page, submitted: ReviewRound) -> None:
    """Claim the round as the queue does, and open it."""
    found = claim_round(round_id=submitted.pk, actor=User.objects.get(username="reviewer"))
    page.goto(f"/view/{found.review_id}/")


def test_a_returned_scan_comes_back_with_its_pin_and_is_talked_about(
    submitted: ReviewRound, assignment: Assignment, new_page: Any, watched: Watched
) -> None:
    page = new_page("reviewer")
    open_review(page, submitted)
    viewer = Viewer(page).wait_ready()
    page.keyboard.press("r")
    expect(page.get_by_test_id("notice")).to_contain_text("at least one comment")
    viewer.go_to(MIDDLE)
    page.keyboard.press("c")
    page.mouse.click(*viewer.at(MIDDLE))
    page.get_by_test_id("dialog-text").fill("This is a vessel")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_test_id("draft")).to_contain_text("This is a vessel")
    page.keyboard.press("d")
    shoot(page, "viewer-review")
    page.keyboard.press("r")
    expect(page.get_by_role("dialog")).to_contain_text("Returned")
    expect(page.get_by_role("link", name="Back to the reviews")).to_be_focused()

    page = new_page("annotator")
    page.goto(f"/view/{assignment.pk}/")
    Viewer(page).wait_ready()
    expect(page.get_by_test_id("state")).to_contain_text("Returned, round 2")
    # It opens where there is something to do.
    expect(page.get_by_test_id("tab-comments")).to_have_attribute("aria-selected", "true")
    page.wait_for_function("middle => voxloop.cross.every((v, n) => v === middle[n])", arg=list(MIDDLE))
    page.keyboard.press("Shift+C")
    expect(page.get_by_test_id("comment")).to_be_focused()
    expect(page.get_by_test_id("new")).to_have_count(1)
    # A reply without a network waits in the browser, survives a reload, and is sent once.
    watched.expected.append("ERR_FAILED")
    page.route("**/replies", lambda route: route.abort())
    page.get_by_role("button", name="Reply to comment 1").click()
    page.keyboard.type("No, it is a nodule")
    page.keyboard.press("Control+Enter")
    wait_for("them to count as read", CommentsSeen.objects.filter(person__username="annotator").exists)  # by answering
    expect(page.get_by_test_id("waiting")).to_contain_text("Not sent yet")
    expect(page.get_by_test_id("comment")).to_be_focused()
    page.unroute("**/replies")
    page.goto(f"/view/{assignment.pk}/")
    Viewer(page).wait_ready()
    page.get_by_test_id("tab-comments").click()
    expect(page.get_by_test_id("reply")).to_contain_text("No, it is a nodule")
    expect(page.get_by_test_id("waiting")).to_have_count(0)
    expect(page.get_by_test_id("new")).to_have_count(0)
    page.get_by_role("button", name="Change the reply").click()
    page.get_by_test_id("write").fill("No, a nodule")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_test_id("reply")).to_contain_text("No, a nodule")
    shoot(page, "viewer-thread")
    page.get_by_role("button", name="Resolve").click()
    expect(page.get_by_test_id("comment")).to_contain_text("Resolved")
    page.get_by_role("button", name="Reopen").click()
    expect(page.get_by_role("button", name="Resolve")).to_be_visible()
    assert list(Reply.objects.values_list("author__username", "text")) == [("annotator", "No, a nodule")]


def open_returned(submitted: ReviewRound, assignment: Assignment, new_page: Any) -> Page:
    """The annotator's page of a scan that came back with one comment, which is shown."""
    reviewer = User.objects.get(username="reviewer")
    claim_round(round_id=submitted.pk, actor=reviewer)
    return_round(round_id=submitted.pk, actor=reviewer, comments=[{"text": "This is a vessel", "ijk": MIDDLE}])
    page: Page = new_page("annotator")
    page.goto(f"/view/{assignment.pk}/")
    Viewer(page).wait_ready()
    page.keyboard.press("Shift+C")
    return page


def test_a_comment_that_is_refused_is_dropped_or_mended_and_the_scan_handed_in(
    submitted: ReviewRound, assignment: Assignment, new_page: Any, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.expected += ["ERR_FAILED", "status of 422"]
    page = open_returned(submitted, assignment, new_page)
    for words in ("replies", "submit"):
        page.route(f"**/{words}", lambda route: route.abort())
    for words in ("It is a nodule", "Nonsense", "Round, so a nodule: nonsense"):
        page.get_by_role("button", name="Reply to comment 1").click()
        page.keyboard.type(words)
        page.keyboard.press("Control+Enter")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Kept for later")).to_be_visible()

    def refuse(*, text: str, **facts: Any) -> Reply:
        if "nonsense" in text.lower():
            raise Invalid("This is no way to speak.", code="bad_comment")
        return add_reply(text=text, **facts)

    monkeypatch.setattr("annotation.reviews.comments.add_reply", refuse)
    for words in ("replies", "submit"):
        page.unroute(f"**/{words}")
    page.goto("/worklist/")
    waiting = page.locator("[data-waiting]")
    expect(waiting).to_contain_text("The server does not take 2 comments: change or drop them. Then the scan is")
    refused = waiting.locator("[data-refused]")
    expect(refused).to_have_text([re.compile("Nonsense.*no way to speak"), re.compile("Round.*no way to speak")])
    shoot(page, "worklist-refused-comments")
    refused.nth(0).get_by_role("button", name="Drop").click()
    expect(refused).to_have_count(1)
    refused.get_by_role("button", name="Change").click()
    page.get_by_label("Change the comment").fill("Round, so a nodule")
    page.keyboard.press("Control+Enter")
    expect(waiting).to_contain_text("saved and handed in")
    assignment.refresh_from_db()
    assert assignment.state == "submitted"
    assert sorted(Reply.objects.values_list("text", flat=True)) == ["It is a nodule", "Round, so a nodule"]


def test_a_refused_reply_is_told_before_handing_in(
    submitted: ReviewRound, assignment: Assignment, new_page: Any, watched: Watched
) -> None:
    watched.expected += ["status of 422"]
    page = open_returned(submitted, assignment, new_page)
    refusal = {"code": "bad_comment", "detail": "This is no way to speak."}
    page.route("**/replies", lambda route: route.fulfill(status=422, json=refusal))
    page.get_by_role("button", name="Reply to comment 1").click()
    page.keyboard.type("Nonsense")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_test_id("waiting")).to_contain_text("no way to speak")
    page.get_by_test_id("tab-segments").click()
    page.keyboard.press("Control+Enter")
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text("1 comment of yours was refused and only this browser has it.")
    shoot(page, "viewer-refused-before-submit")
    asked.get_by_role("button", name="Go to it").click()
    expect(page.get_by_test_id("waiting")).to_be_focused()
    page.unroute("**/replies")
    page.get_by_role("button", name="Send again").click()
    expect(page.get_by_test_id("reply")).to_contain_text("Nonsense")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(lambda url: str(assignment.pk) not in url)
    assignment.refresh_from_db()
    assert assignment.state == "submitted"
    assert Reply.objects.get().text == "Nonsense"


def test_a_reviewer_signs_a_correction(submitted: ReviewRound, new_page: Any, watched: Watched, settings: Any) -> None:
    settings.SIGNATURE_LASTS = timedelta(0)
    watched.expected.append("403")
    page = new_page("reviewer")
    open_review(page, submitted)
    viewer = Viewer(page).wait_ready()
    viewer.go_to(MIDDLE)
    page.get_by_test_id("tab-questions").click()
    page.get_by_test_id("answer-quality-limited").check()
    expect(page.get_by_test_id("approve")).to_contain_text("Correct and approve")
    page.get_by_test_id("answer-quality-good").check()
    expect(page.get_by_test_id("approve")).not_to_contain_text("Correct")
    viewer.stroke("e", MIDDLE)
    expect(page.get_by_test_id("approve")).to_contain_text("Correct and approve")
    page.keyboard.press("Control+z")  # another revision, the same voxels
    expect(page.get_by_test_id("approve")).not_to_contain_text("Correct")
    page.keyboard.press("Control+Shift+Z")
    expect(page.get_by_test_id("approve")).to_contain_text("Correct and approve")
    page.get_by_test_id("tab-questions").click()
    page.get_by_test_id("answer-quality-limited").check()
    page.get_by_test_id("approve").click()
    page.get_by_test_id("sign").click()
    page.get_by_test_id("password").fill("not the password")
    page.get_by_test_id("sign").click()
    expect(page.get_by_role("dialog")).to_contain_text("This is not the password")
    page.get_by_test_id("password").fill(PASSWORD)
    page.get_by_test_id("sign").click()
    expect(page.get_by_role("dialog")).to_contain_text("Approved")
    submitted.refresh_from_db()
    assert submitted.state == "corrected"
    assert submitted.answers is not None
    assert submitted.answers.values == {"diagnosis": "covid19", "quality": "limited"}
