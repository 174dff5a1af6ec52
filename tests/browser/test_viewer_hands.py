"""Keys that a person sets, the palette, settings that follow to another browser, and work by keyboard alone."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.work.models import Assignment
from tests.chromium import shoot
from tests.factories.world import World, first_of, publish
from tests.journeys.viewer import Viewer


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
    expect(page.get_by_test_id("tool-erase")).to_contain_text("H")

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
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("window-bone")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("tool-erase")).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("option").first).to_contain_text("Bone")
    shoot(page, "viewer-palette")
