"""Custom keys, the command palette, settings across browsers, and work by keyboard alone."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from annotation.masks.answers import save_answers
from annotation.masks.selectors import newest_answers
from annotation.masks.services import store_import
from annotation.masks.store import load_labels
from annotation.reviews.claims import claim_round
from annotation.reviews.comments import add_comment
from annotation.reviews.services import submit_assignment
from annotation.work.models import Assignment
from annotation.work.schema import parse_schema
from annotation.work.standard import CHEST_CT
from tests.browser.test_pages import faults
from tests.chromium import Watched, shoot
from tests.factories.world import SHAPE, World, first_of, publish
from tests.journeys.viewer import Viewer
from voxloop.volume.quantities import lobar_score

CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
MIDDLE = (SHAPE[2] // 2, SHAPE[1] // 2, SHAPE[0] // 2)


@pytest.fixture
def assignment(live_world: World) -> Assignment:
    return first_of(publish(live_world))


def open_viewer(page: Page, assignment: Assignment) -> Viewer:
    page.goto(f"/view/{assignment.pk}/")
    return Viewer(page).wait_ready()


def test_a_key_is_set_anew_and_follows_to_another_browser(assignment: Assignment, new_page: Any) -> None:
    page = new_page("annotator")
    open_viewer(page, assignment)
    page.keyboard.press("?")
    said = page.get_by_test_id("keys-said")
    page.get_by_role("button", name="Key of Eraser").click()
    page.keyboard.press("Control+t")
    expect(said).to_contain_text("cannot be used")
    page.keyboard.press("h")
    expect(said).to_contain_text("H is also Mask, shown or hidden")
    shoot(page, "viewer-keys")
    page.get_by_test_id("keys-swap").click()
    expect(said).to_contain_text("Eraser is now H")
    expect(page.get_by_test_id("key-of-mask")).to_contain_text("E")
    with page.expect_response(lambda answer: "/me/settings" in answer.url) as saved:
        page.keyboard.press("Escape")
    assert saved.value.ok
    page.keyboard.press("h")
    expect(page.get_by_test_id("tool-erase")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("tool-erase").locator("kbd")).to_have_attribute("data-key", "H")
    expect(page.get_by_test_id("toggle-mask")).to_have_attribute("title", "Mask, shown or hidden (E)")
    expect(page.get_by_test_id("toggle-mask").locator("kbd")).to_have_text("E")

    other = new_page("annotator")
    open_viewer(other, assignment)
    other.keyboard.press("e")
    expect(other.get_by_test_id("toggle-mask")).to_have_attribute("aria-pressed", "false")
    other.keyboard.press("?")
    other.get_by_test_id("keys-reset").click()
    other.keyboard.press("Escape")
    other.keyboard.press("e")
    expect(other.get_by_test_id("tool-erase")).to_have_attribute("aria-pressed", "true")


def test_the_palette_finds_by_other_words_and_remembers(assignment: Assignment, new_page: Any) -> None:
    page = new_page("annotator")
    open_viewer(page, assignment)
    page.get_by_test_id("tool-erase").focus()
    page.keyboard.press("Control+k")
    page.keyboard.type("contrast bone")
    found = page.get_by_role("listbox", name="Commands").get_by_role("option")
    expect(found).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("window-bone")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("tool-erase")).to_be_focused()
    page.keyboard.press("/")
    expect(found.first).to_contain_text("Bone")
    shoot(page, "viewer-palette")


def test_lobes_give_shares_and_the_severity_score(live_world: World, assignment: Assignment, new_page: Any) -> None:
    lobes = np.broadcast_to((np.arange(SHAPE[2]) * 5 // SHAPE[2] + 1).astype(np.uint8), SHAPE).copy()
    layer = parse_schema(CHEST_CT).layer("anatomy")
    store_import(scan=assignment.scan, layer=layer, labels_zyx=lobes, actor=live_world["datamanager"])
    page = new_page("annotator")
    viewer = open_viewer(page, assignment)
    expect(page.get_by_test_id("ct-severity")).to_contain_text("0 / 25")
    viewer.go_to(MIDDLE)
    viewer.stroke("g", MIDDLE)
    expect(page.get_by_test_id("ct-severity")).not_to_contain_text("0 / 25")
    viewer.wait_saved()
    head = assignment.heads.get(layer="findings").revision
    mask = load_labels(head, SHAPE) == 1
    score = lobar_score(mask, lobes)
    expect(page.get_by_test_id("ct-severity")).to_contain_text(f"{score.total} / 25 {score.word}")
    expect(page.get_by_test_id("lung-share")).to_contain_text(f"{100 * mask.mean():.1f}")
    for lobe, share in enumerate(score.share_percent, start=1):
        expect(page.get_by_test_id(f"part-{lobe}")).to_have_attribute("data-percent", f"{share:.2f}")
    page.get_by_role("button", name="Show Right lower lobe").click()
    page.get_by_role("button", name="Show Left lower lobe").click()
    shoot(page, "viewer-anatomy")
    page.keyboard.press("Control+z")
    expect(page.get_by_test_id("ct-severity")).to_contain_text("0 / 25")


def test_a_scan_is_labelled_answered_and_submitted_by_keyboard_alone(
    assignment: Assignment, new_page: Any, watched: Watched
) -> None:
    watched.expected.append("ERR_FAILED")
    page = new_page("annotator")
    open_viewer(page, assignment)
    keys = page.keyboard
    # The first stop of the Tab key leads past seventy others.
    keys.press("Tab")
    expect(page.get_by_test_id("skip-image")).to_be_focused()
    keys.press("Enter")
    expect(page.get_by_test_id("pane-axial")).to_be_focused()
    keys.press("g")
    keys.press("Enter")
    page.wait_for_function("() => voxloop.strokes.length === 1")
    # Answers lost by the network are restored after a reload.
    page.route("**/answers", lambda route: route.abort())
    keys.press("Shift+Q")
    expect(page.get_by_test_id("answer-diagnosis-covid19")).to_be_focused()
    keys.press("1")
    expect(page.get_by_test_id("answer-diagnosis-covid19")).to_be_checked()
    keys.press("Enter")
    expect(page.get_by_test_id("answer-quality-good")).to_be_focused()
    keys.press("2")
    shoot(page, "viewer-questions")
    # Something is marked, so the scan is not confirmed as empty.
    keys.press("Enter")
    expect(page.get_by_test_id("answer-other_findings-effusion")).to_be_focused()
    page.wait_for_function("() => voxloop.saveState.kind === 'saved'")
    page.unroute("**/answers")
    open_viewer(page, assignment)
    keys.press("Control+k")
    keys.type("show questions")
    keys.press("Enter")
    expect(page.get_by_test_id("answer-diagnosis-covid19")).to_be_checked()
    expect(page.get_by_test_id("answer-quality-limited")).to_be_checked()
    expect(page.get_by_test_id("tab-questions")).to_be_focused()
    keys.press("Control+Enter")
    page.wait_for_url(lambda url: "/view/" in url and str(assignment.pk) not in url)
    assignment.refresh_from_db()
    assert assignment.state == "submitted"
    assert newest_answers(assignment) == {"diagnosis": "covid19", "quality": "limited"}


class Looker:
    """Checks a state in both themes and collects accessibility faults."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def __call__(self, page: Page, state: str) -> None:
        shoot(page, f"viewer-state-{state.replace(' ', '-')}")
        self.found += [f"{state}: {fault}" for fault in faults(page)]
        # Only contrast can differ in the light theme.
        page.emulate_media(reduced_motion="reduce")
        page.evaluate("document.documentElement.dataset.theme = 'light'")
        self.found += [f"{state}, light: {fault}" for fault in faults(page, CONTRAST)]
        page.evaluate("document.documentElement.dataset.theme = 'dark'")


def test_every_state_of_drawing_is_accessible(assignment: Assignment, new_page: Any, watched: Watched) -> None:
    watched.expected += ["ERR_FAILED", "409"]
    look = Looker()
    page = new_page("annotator")
    viewer = open_viewer(page, assignment)
    for key, state in (("?", "keys"), ("/", "palette"), ("Control+Enter", "interlocks")):
        page.keyboard.press(key)
        expect(page.get_by_role("dialog")).to_be_visible()
        look(page, state)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    for button, state in (("settings", "settings"), ("skip", "skip"), ("block", "block")):
        page.get_by_test_id(button).click()
        look(page, state)
        page.keyboard.press("Escape")
        expect(page.get_by_test_id(button)).to_be_focused()
    viewer.go_to(MIDDLE)
    page.route("**/mask*", lambda route: route.abort())
    viewer.stroke("g", MIDDLE)
    page.wait_for_function("() => voxloop.saveState.kind === 'offline'")
    expect(page.get_by_role("status").filter(has_text="Offline. Strokes are kept")).to_be_attached()
    look(page, "offline")
    page.unroute("**/mask*")
    other = page.context.new_page()
    open_viewer(other, assignment)
    expect(other.get_by_test_id("other-tab")).to_be_visible()
    look(other, "read only")
    other.close()
    viewer.wait_saved()
    # 200 % zoom on a laptop: everything is reachable, nothing is wider than the window.
    page.set_viewport_size({"width": 683, "height": 384})
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    for name in ("submit", "undo", "tab-history", "checklist", "tool-grow"):
        page.get_by_test_id(name).scroll_into_view_if_needed()
        box = page.get_by_test_id(name).bounding_box()
        assert box is not None
        assert (box["x"] >= 0, box["x"] + box["width"] <= 683, 0 <= box["y"] < 384) == (True, True, True), name
    look(page, "200 per cent")
    assert not look.found, "\n".join(look.found)


def test_every_state_of_a_review_is_accessible(
    live_world: World, assignment: Assignment, new_page: Any, watched: Watched, settings: Any
) -> None:
    settings.SIGNATURE_LASTS = timedelta(0)
    watched.expected += ["403"]
    look = Looker()
    page = new_page("annotator")
    viewer = open_viewer(page, assignment)
    viewer.go_to(MIDDLE)
    viewer.stroke("g", MIDDLE)
    viewer.wait_saved()
    page.close()
    save_answers(
        assignment_id=assignment.pk, values={"diagnosis": "covid19", "quality": "good"}, actor=live_world["annotator"]
    )
    submitted = submit_assignment(
        assignment_id=assignment.pk, actor=live_world["annotator"], acknowledged=["mask_outside_lung"]
    )
    claimed = claim_round(round_id=submitted.pk, actor=live_world["reviewer"])
    add_comment(round_id=submitted.pk, actor=live_world["annotator"], text="Unsure", ijk=MIDDLE)
    page = new_page("reviewer")
    page.goto(f"/view/{claimed.review_id}/")
    Viewer(page).wait_ready()
    look(page, "review")
    page.keyboard.press("Shift+C")
    page.get_by_role("button", name="Reply to comment 1").click()
    look(page, "reply")
    page.keyboard.press("Escape")
    page.keyboard.press("Alt+c")
    look(page, "comment")
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("password")).to_be_focused()
    look(page, "signature")
    assert not look.found, "\n".join(look.found)
