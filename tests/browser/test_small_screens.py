"""A phone's width: nothing lies over another, nothing is cut off; and what a refused form leaves."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.work.models import Assignment, Campaign
from annotation.work.services import skip_assignment
from annotation.work.states import AssignmentState
from tests.browser.test_pages import campaign_at_work
from tests.chromium import Watched, shoot
from tests.factories.world import World, first_of, label, publish
from tests.journeys.viewer import Viewer

__all__ = ["campaign_at_work"]  # a fixture of this file's tests
PHONE = {"width": 390, "height": 844}
# Elements with words of their own that lie over one another, or whose words are cut.
OVER = """selector => {
    const shown = [...document.querySelectorAll(selector)]
        .filter(one => one.getClientRects().length && one.innerText.trim())
    const boxes = shown.map(one => [one.innerText.trim(), (() => {
        const range = document.createRange(); range.selectNodeContents(one); return range.getBoundingClientRect() })()])
    const found = []
    for (const [n, [words, a]] of boxes.entries())
        for (const [others, b] of boxes.slice(n + 1))
            if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
                found.push(`${words} over ${others}`)
    return found
}"""
CUT = """selector => [...document.querySelectorAll(selector)]
    .filter(one => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX !== 'visible')
    .map(one => one.innerText)"""
OUT = """([inner, outer]) => [...document.querySelectorAll(inner)].map(one => {
    if (!one.getClientRects().length) return null
    const a = one.getBoundingClientRect(), b = one.closest(outer).getBoundingClientRect()
    return a.left < b.left - 0.5 || a.right > b.right + 0.5 ? [one.innerText, a.left, a.right, b.left, b.right] : null
}).filter(Boolean)"""


def test_the_work_list_on_a_phone(campaign_at_work: World, new_page: Any) -> None:
    page = new_page("annotator", viewport=PHONE)
    page.goto("/worklist/")
    expect(page.locator(".wl tbody tr").first).to_be_visible()
    assert page.evaluate(OVER, ".wl th, .wl td") == []
    assert page.evaluate(CUT, ".wl td, .wl th") == []
    assert page.evaluate(OUT, [".wl td", ".panel"]) == []
    page.locator(".wl summary").first.click()
    expect(page.get_by_role("button", name="Skip with a reason")).to_be_visible()
    shoot(page, "phone-worklist")


@pytest.mark.parametrize(
    ("person", "path"),
    [
        ("reviewer", "/reviews/"),
        ("coordinator", "/campaigns/chest-ct/batches/"),
        ("coordinator", "/campaigns/chest-ct/"),
        ("annotator", "/campaigns/chest-ct/guidelines/"),
    ],
)
def test_pages_on_a_phone(campaign_at_work: World, new_page: Any, person: str, path: str) -> None:
    page = new_page(person, viewport=PHONE)
    page.goto(path)
    expect(page.get_by_role("main")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(OVER, "th, .tile .figure, .tile p, .tile h2") == []
    assert page.evaluate(OUT, [".spark", ".panel"]) == []
    assert page.evaluate(CUT, ".facts dd, .facts dt, .tile p") == []
    shoot(page, f"phone{path.replace('/', '-')}")


def test_guidelines_are_shown_as_they_are_meant(live_world: World, new_page: Any) -> None:
    Campaign.objects.update(guidelines="# Which\n\n- **all** opacities\n- no *vessels*")
    page = new_page("annotator")
    page.goto("/campaigns/chest-ct/guidelines/")
    expect(page.get_by_role("heading", name="Which")).to_be_visible()
    expect(page.locator(".prose li")).to_have_text(["all opacities", "no vessels"])
    assert "**" not in page.locator(".prose").inner_text()


@pytest.fixture
def assignment(live_world: World) -> Assignment:
    found = first_of(publish(live_world))
    label(live_world, found)
    return found


def test_the_words_of_the_panes_on_a_phone(assignment: Assignment, new_page: Any) -> None:
    page: Page = new_page("annotator", viewport={"width": 420, "height": 850})
    page.goto(f"/view/{assignment.pk}/")
    Viewer(page).wait_ready()
    for plane in ("axial", "sagittal", "coronal"):
        pane = f'[data-testid="pane-{plane}"]'
        assert page.evaluate(OVER, f"{pane} .tl, {pane} .bl, {pane} .o") == []
    shoot(page, "phone-viewer")


def test_the_words_at_the_cursor_stay_in_the_pane(assignment: Assignment, new_page: Any) -> None:
    page: Page = new_page("annotator", viewport={"width": 760, "height": 850})
    page.goto(f"/view/{assignment.pk}/")
    Viewer(page).wait_ready()
    page.keyboard.press("g")
    pane = page.get_by_test_id("pane-axial").bounding_box()
    assert pane is not None
    for share in (0.03, 0.45, 0.55, 0.85):
        page.mouse.move(pane["x"] + share * pane["width"], pane["y"] + 0.5 * pane["height"], steps=2)
        expect(page.get_by_test_id("hud")).to_be_visible()
        assert page.evaluate(OUT, [".hud", ".pane"]) == [], share


def test_the_sheet_of_keys_names_every_command_whole(assignment: Assignment, new_page: Any) -> None:
    page: Page = new_page("annotator", viewport={"width": 1366, "height": 768})
    page.goto(f"/view/{assignment.pk}/")
    Viewer(page).wait_ready()
    page.keyboard.press("?")
    expect(page.get_by_test_id("keys")).to_be_visible()
    assert page.evaluate(CUT, ".keys li span") == []
    assert page.evaluate("[...document.querySelectorAll('.keys li .clip')].length") == 0


def test_more_operations_are_brought_into_view(assignment: Assignment, new_page: Any) -> None:
    page: Page = new_page("annotator", viewport={"width": 1366, "height": 768})
    page.goto(f"/view/{assignment.pk}/")
    Viewer(page).wait_ready()
    page.get_by_test_id("more-operations").click()
    page.wait_for_function(
        """() => { const more = document.querySelector('details.more'), box = more.getBoundingClientRect()
            const room = more.closest('.tools').getBoundingClientRect()
            return more.children.length > 1 && (box.bottom <= room.bottom + 1 || box.top <= room.top + 80) }"""
    )


def test_the_switch_says_that_it_counts_only_within_the_lung(assignment: Assignment, new_page: Any) -> None:
    page: Page = new_page("annotator")
    page.goto(f"/view/{assignment.pk}/")
    Viewer(page).wait_ready()
    page.keyboard.press("g")
    switch = page.locator("label", has_text="Stay in the lung if begun in it")
    expect(switch).to_be_visible()
    expect(switch).to_have_attribute("title", re.compile("A stroke that begins outside the lung is not limited"))


def test_a_refused_form_has_the_focus_at_its_field(live_world: World, new_page: Any, watched: Watched) -> None:
    watched.expected.append("status of 422")
    page = new_page("admin")
    page.goto("/people/new/")
    page.get_by_label("Name", exact=True).fill("annotator")
    page.get_by_label("First password").fill("a long enough secret")
    page.get_by_role("button", name="Make account").click()
    name = page.get_by_label("Name", exact=True)
    expect(name).to_be_focused()
    expect(name).to_have_value("annotator")
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".field .error")).to_contain_text("already a person called annotator")


def test_a_refused_dialog_opens_again_with_what_was_typed(campaign_at_work: World, new_page: Any) -> None:
    page = new_page("annotator")
    page.goto("/worklist/")
    page.locator(".wl summary").first.click()
    page.get_by_role("button", name="Skip with a reason").first.click()
    reason = page.get_by_label("Why do you leave it out?")
    reason.fill("strong motion in the lower lobes")
    for row in Assignment.objects.filter(person=campaign_at_work["annotator"], state=AssignmentState.QUEUED):
        skip_assignment(assignment_id=row.pk, actor=campaign_at_work["annotator"], reason="in another tab")
    page.get_by_role("button", name="Skip scan").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(reason).to_have_value("strong motion in the lower lobes")
    expect(reason).to_be_focused()
    expect(reason).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#skip .error")).not_to_be_empty()
