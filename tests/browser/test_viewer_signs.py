"""Nothing ends unseen or by a slip: what was looked at, signing as a moment, and the ways back."""

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.reviews.claims import claim_round
from annotation.reviews.models import ReviewRound
from annotation.reviews.services import submit_assignment
from annotation.work.models import Assignment, Campaign
from annotation.work.seen import read_seen
from tests.chromium import Watched, shoot
from tests.factories.world import PASSWORD, SHAPE, World, first_of, label, publish
from tests.journeys.viewer import Viewer
from voxloop.kernel.clock import now


@pytest.fixture
def assignment(live_world: World) -> Assignment:
    row = first_of(publish(live_world, size=1))
    label(live_world, row)
    return row


@pytest.fixture
def review(live_world: World, assignment: Assignment) -> ReviewRound:
    """A round that the reviewer has claimed."""
    found = submit_assignment(
        assignment_id=assignment.pk, actor=live_world["annotator"], acknowledged=["mask_outside_lung"]
    )
    return claim_round(round_id=found.pk, actor=live_world["reviewer"])


def open_review(page: Page, review: ReviewRound) -> Viewer:
    page.goto(f"/view/{review.review_id}/")
    return Viewer(page).wait_ready()


def page_through(page: Page) -> None:
    """Every axial slice, each until it counts as seen."""
    Viewer(page).go_to((4, 4, 0))
    for z in range(SHAPE[0]):
        page.wait_for_function("z => voxloop.slices().axial === z && voxloop.isSeen(z)", arg=z)
        page.keyboard.press("ArrowUp")
    assert Viewer(page).facts("slicesSeen") == SHAPE[0]


def test_a_hand_in_without_a_look_is_asked_about_and_comes_back(assignment: Assignment, new_page: Any) -> None:
    Campaign.objects.update(seen_policy="warn")
    page = new_page("annotator")
    page.goto(f"/view/{assignment.pk}/")
    Viewer(page).wait_ready()
    page.get_by_test_id("tab-questions").click()
    check = page.get_by_test_id("checklist").locator("[data-code=not_seen]")
    expect(check).to_have_attribute("data-ok", "false")
    page.keyboard.press("Control+Enter")
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text("Slices seen")
    shoot(page, "viewer-not-seen")
    asked.get_by_role("button", name="Submit with these warnings").click()
    expect(page.get_by_role("dialog")).to_contain_text("There is no further scan")
    found = ReviewRound.objects.get()
    assert any("slices seen" in reason for reason in found.reasons)
    # The work list says so too, and takes it back.
    page.get_by_role("link", name="Back to my work").click()
    toast = page.locator("[data-news]")
    expect(toast).to_contain_text(f"{assignment.scan.code} handed in")
    shoot(page, "worklist-handed-in")
    toast.get_by_role("button", name="Take back").click()
    page.wait_for_url(f"**/view/{assignment.pk}/")
    Viewer(page).wait_ready()
    found.refresh_from_db()
    assert found.state == "taken_back"
    page_through(page)
    page.get_by_test_id("tab-questions").click()
    expect(check).to_have_attribute("data-ok", "true")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("dialog")).to_contain_text("There is no further scan")
    assignment.refresh_from_db()
    assert assignment.state == "submitted"
    assert read_seen(assignment.seen, SHAPE[0]).slices == SHAPE[0]
    page.goto("/worklist/?show=submitted")
    page.get_by_role("button", name=f"Take {assignment.scan.code} back").click()
    expect(page.get_by_role("status")).to_contain_text("is yours again")


def test_an_approval_is_two_keys_and_is_undone(review: ReviewRound, new_page: Any) -> None:
    Campaign.objects.update(seen_policy="warn")
    page = new_page("reviewer")
    open_review(page, review)
    page.keyboard.press("a")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Approve {review.annotation.scan.code}")
    expect(page.get_by_test_id("signed")).to_contain_text("reviewer")
    expect(page.get_by_test_id("signed")).to_contain_text("approve them as reference")
    expect(page.get_by_test_id("signed-seen")).to_contain_text("Slices seen")
    shoot(page, "viewer-signing")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    review.refresh_from_db()
    assert review.state == "claimed"
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    with page.expect_navigation():
        page.get_by_test_id("take-back").click()
    Viewer(page).wait_ready()
    review.refresh_from_db()
    assert (review.state, review.signature) == ("claimed", None)
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("take-back")).to_be_visible()
    review.refresh_from_db()
    assert review.state == "approved"
    assert review.signature is not None
    assert review.signature["seen"]["of"] == SHAPE[0]


def test_a_return_is_undone_with_its_comments_until_it_is_sealed(
    review: ReviewRound, new_page: Any, watched: Watched
) -> None:
    page = new_page("reviewer")
    open_review(page, review)
    page.get_by_test_id("tab-comments").click()
    page.get_by_role("button", name="comment at the crosshair").click()
    page.get_by_test_id("dialog-text").fill("Too large")
    page.get_by_test_id("dialog-done").click()
    page.keyboard.press("r")
    with page.expect_navigation():
        page.get_by_test_id("take-back").click()
    Viewer(page).wait_ready()
    review.refresh_from_db()
    assert (review.state, review.comments.get().is_draft) == ("claimed", True)
    # The words are there still: the next return goes with them. This one is refused to be undone, in words.
    page.keyboard.press("r")
    expect(page.get_by_test_id("take-back")).to_be_visible()
    expect(page.get_by_test_id("state")).to_have_text("Returned")
    expect(page.get_by_test_id("return")).to_have_count(0)
    expect(page.get_by_test_id("approve")).to_have_count(0)
    ReviewRound.objects.update(ended_at=now() - timedelta(seconds=14))
    watched.expected.append("409")
    page.get_by_test_id("take-back").click()
    expect(page.get_by_role("alert")).to_contain_text("This verdict is sealed")
    expect(page.get_by_test_id("take-back")).to_have_count(0)
    shoot(page, "viewer-return-sealed")
    assert not review.comments.get().is_draft


def test_the_offer_to_undo_ends_with_its_time(review: ReviewRound, new_page: Any) -> None:
    page = new_page("reviewer")
    open_review(page, review)

    def soon_over(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "undo_seconds": 1})

    page.route("**/approve", soon_over)
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Approved")
    expect(page.get_by_test_id("take-back")).to_have_count(0)
    page.get_by_role("link", name="Back to the reviews").click()
    expect(page.locator("[data-news]")).to_have_count(0)


def test_a_campaign_that_asks_every_time_asks_every_time(review: ReviewRound, new_page: Any, watched: Watched) -> None:
    Campaign.objects.update(signature_policy="always")
    watched.expected.append("403")
    page = new_page("reviewer")
    page.goto("/reviews/")
    expect(page.locator("#chosen")).to_contain_text("it asks for your password every time")
    open_review(page, review)
    page.keyboard.press("a")
    expect(page.get_by_test_id("password")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("This is not the password")
    review.refresh_from_db()
    assert review.state == "claimed"
    page.get_by_test_id("password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("take-back")).to_be_visible()


def test_nothing_is_approved_before_all_of_it_is_there(review: ReviewRound, new_page: Any) -> None:
    page = new_page("reviewer")
    held: list[Any] = []
    page.route("**/volume/pack*", lambda route: held.append(route))
    page.goto(f"/view/{review.review_id}/")
    page.wait_for_function("() => window.voxloop && voxloop.phase === 'preview' && voxloop.maskReady")
    expect(page.get_by_test_id("approve")).to_be_disabled()
    page.keyboard.press("a")
    expect(page.get_by_test_id("notice")).to_contain_text("still loading")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.unroute_all(behavior="ignoreErrors")
    page.reload()
    Viewer(page).wait_ready()
    expect(page.get_by_test_id("approve")).to_be_enabled()


def test_a_notice_goes_with_the_stroke_that_it_spoke_of(assignment: Assignment, new_page: Any) -> None:
    page = new_page("annotator")
    page.goto(f"/view/{assignment.pk}/")
    viewer = Viewer(page).wait_ready()
    viewer.go_to((SHAPE[2] // 2, SHAPE[1] // 2, SHAPE[0] // 2))
    viewer.stroke("b", (4, 4, SHAPE[0] // 2))
    page.keyboard.press("Alt+i")
    expect(page.get_by_test_id("notice")).to_be_visible()
    page.keyboard.press("Control+z")
    expect(page.get_by_test_id("notice")).to_have_count(0)
