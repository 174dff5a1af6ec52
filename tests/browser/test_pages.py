"""The pages in a real browser: accessible (axe-core), no console errors, usable by keyboard, in both themes."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.pages.selectors.setup import progress_file
from annotation.reviews.models import ReviewRound
from annotation.reviews.services import submit_assignment
from tests.chromium import Watched, shoot
from tests.factories.world import World, approve, first_of, label, publish

AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
PAGES = {
    "annotator": [
        "/worklist/",
        "/worklist/?show=done",
        "/campaigns/chest-ct/guidelines/",
        "/people/me/",
        "/notices/",
        "/find/?q=VX",
    ],
    "reviewer": ["/reviews/"],
    "coordinator": [
        "/campaigns/chest-ct/batches/",
        "/campaigns/chest-ct/batches/?view=table",
        "/campaigns/chest-ct/batches/new/",
        "/campaigns/chest-ct/",
        "/campaigns/chest-ct/scans/",
        "/campaigns/chest-ct/models/",
        "/campaigns/chest-ct/schema/",
        "/campaigns/chest-ct/clone/",
        "/campaigns/chest-ct/settings/",
    ],
    "datamanager": [
        "/scans/upload/",
        "/campaigns/chest-ct/scans/clinical/",
        "/campaigns/chest-ct/scans/eligibility/",
        "/campaigns/chest-ct/scans/eligibility/criteria/",
        "/campaigns/chest-ct/releases/",
        "/campaigns/chest-ct/releases/new/",
        "/jobs/",
    ],
    "admin": [
        "/jobs/system/",
        "/people/",
        "/people/new/",
        "/sites/",
        "/sites/new/",
        "/campaigns/",
        "/campaigns/new/",
        "/campaigns/chest-ct/settings/",
        "/log/",
        "/jobs/system/settings/",
    ],
}


@pytest.fixture
def campaign_at_work(live_world: World) -> World:
    """One scan approved, one that waits for review, more to do."""
    world = live_world
    rows = list(publish(world, size=4).assignments.select_related("scan", "campaign").order_by("position"))
    for row in rows[:2]:
        label(world, row)
    approve(world, rows[0])
    submit_assignment(assignment_id=rows[1].pk, actor=world["annotator"], acknowledged=["mask_outside_lung"])
    world.campaign.assignments.filter(pk=rows[0].pk).update(active_seconds=360)
    return world


def faults(page: Page, rules: dict[str, Any] = RULES) -> list[str]:
    """What axe-core finds, one line each."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("rules => axe.run(document, rules)", rules)
    return [
        f"{page.url}: {fault['id']}: {fault['help']}: {node['html'][:160]}"
        for fault in found["violations"]
        for node in fault["nodes"][:3]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("person", PAGES)
def test_pages_are_accessible_and_quiet(campaign_at_work: World, new_page: Any, person: str, theme: str) -> None:
    page = new_page(person, color_scheme=theme)
    found: list[str] = []
    for path in PAGES[person]:
        page.goto(path)
        expect(page.get_by_role("main")).to_be_visible()
        found += faults(page)
        for width in (420, 1366, 1600):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than {width}"
        shoot(page, f"{person}{path.replace('/', '-').replace('?', '-')}{theme}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_door_is_accessible_and_says_what_is_wrong(
    live_world: World, new_page: Any, watched: Watched, theme: str
) -> None:
    page = new_page(None, color_scheme=theme)
    page.goto("/accounts/login/")
    assert not faults(page)
    page.get_by_label("Name").fill("annotator")
    page.get_by_label("Password", exact=True).fill("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not correct")
    assert not faults(page)


def test_a_list_by_keyboard(campaign_at_work: World, new_page: Any) -> None:
    page = new_page("coordinator")
    page.goto("/campaigns/chest-ct/scans/")
    rows = page.locator("tbody tr[data-href]")
    for key, selected in (("j", 0), ("j", 1), ("k", 0)):
        page.keyboard.press(key)
        expect(rows.nth(selected)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("j")
    expect(rows.nth(0)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("B-00")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="B-001")).to_be_visible()
    page.goto("/campaigns/chest-ct/scans/")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/scans/*-*/")


def test_skip_from_the_keyboard_asks_for_a_reason(campaign_at_work: World, new_page: Any) -> None:
    world = campaign_at_work
    page = new_page("annotator")
    page.goto("/worklist/")
    code = page.locator('tr[aria-selected="true"] td.id').inner_text()
    page.keyboard.press("s")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Skip {code}")
    dialog.get_by_label("Why do you leave it out?").fill("motion over both lungs")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("status")).to_contain_text(f"{code} is skipped")
    assert world.campaign.assignments.get(scan__code=code).state == "skipped"


def test_a_row_of_the_queue_shows_its_preview_before_it_is_taken(campaign_at_work: World, new_page: Any) -> None:
    page = new_page("reviewer")
    page.goto("/reviews/")
    page.locator("tbody tr[data-href] td.why").first.click()
    expect(page.get_by_alt_text("Author on the slice where most is drawn")).to_be_visible()
    page.wait_for_function("() => [...document.querySelectorAll('.th img')].every(image => image.naturalWidth > 0)")
    assert ReviewRound.objects.get(annotation__state="submitted").state == "pending"


def test_theme_and_menu(live_world: World, new_page: Any) -> None:
    page = new_page("annotator")
    page.goto("/worklist/")
    page.locator("summary", has_text="annotator").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 15, 18)"


def test_the_set_up_moves_and_then_reloads(live_world: World, new_page: Any) -> None:
    progress_file().write_text('{"running": true, "percent": 10, "message": "Importing scan 6 of 64"}')
    page = new_page("annotator")
    page.goto("/worklist/")
    expect(page.get_by_text("Importing scan 6 of 64", exact=True)).to_be_visible()
    progress_file().write_text('{"running": true, "percent": 60, "message": "Training the first model"}')
    expect(page.get_by_text("Training the first model")).to_be_visible()
    progress_file().write_text('{"running": false, "percent": 100, "message": "Done"}')
    expect(page.locator("#setup")).to_have_count(0)
    publish(live_world, size=1)
    page.reload()
    expect(page.get_by_role("link", name="Open scan").first).to_be_visible()
    assert first_of(live_world.campaign.batches.get()).state == "queued"
