"""The editor of a label schema in a browser: by keyboard alone, with the search for terms and the live preview."""

from typing import Any

from playwright.sync_api import expect

from annotation.work.models import Campaign
from tests.browser.test_pages import faults
from tests.chromium import shoot
from tests.factories.world import World, first_of, label, publish

PAGE = "/campaigns/chest-ct/schema/"


def test_a_segment_and_a_question_are_made_without_a_mouse(live_world: World, new_page: Any) -> None:
    page = new_page("coordinator")
    page.goto(PAGE)
    add = page.get_by_role("button", name="Segment", exact=True).first
    add.focus()
    page.keyboard.press("Enter")
    name = page.locator("#s-0-6-name")
    expect(name).to_be_focused()
    page.keyboard.type("Pneumothorax")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("pneumoth", delay=40)  # as fast as people type: the row listens some milliseconds after it shows
    expect(page.locator("#coded-terms option").first).to_have_attribute("value", "Pneumothorax (SCT 36118008)")
    page.keyboard.press("Control+A")
    page.keyboard.type("Pneumothorax (SCT 36118008)")
    page.keyboard.press("Tab")
    preview = page.locator("#schema-preview")
    expect(preview.get_by_text("Pneumothorax")).to_be_visible()
    page.get_by_role("button", name="Move segment without a name up").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#s-0-5-name")).to_have_value("Pneumothorax")
    expect(page.locator("#s-0-5-name")).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Version 2 of the label schema is saved")).to_be_visible()
    added = Campaign.objects.get(pk=live_world.campaign.pk).schema.definition["layers"][0]["segments"][5]
    assert (added["id"], added["key"], added["code"]["value"]) == (7, "pneumothorax", "36118008")
    assert not faults(page)


def test_the_preview_asks_what_the_annotator_is_asked(live_world: World, new_page: Any) -> None:
    label(live_world, first_of(publish(live_world, size=1)))
    page = new_page("coordinator")
    page.goto(PAGE)
    preview = page.locator("#schema-preview")
    reason = preview.get_by_role("group", name="What makes it poor")
    expect(reason).to_be_hidden()
    preview.get_by_label("Poor").check()
    expect(reason).to_be_visible()
    expect(page.get_by_text("masks of 1 scan: value, key and term stay")).to_be_visible()
    expect(page.get_by_role("button", name="Remove segment Infectious opacity")).to_be_disabled()
    page.get_by_role("button", name="Segment", exact=True).first.click()
    value = page.locator("#s-0-6-value")
    value.fill("1")
    value.press("Enter")
    expect(page.get_by_text("Value 1 is Infectious opacity's")).to_be_visible()
    expect(value).to_have_attribute("aria-invalid", "true")
    expect(value).to_be_editable()
    expect(page.get_by_role("button", name="Remove segment without a name")).to_be_enabled()
    with page.expect_download() as kept:
        page.get_by_role("button", name="Download as typed").click()
    assert kept.value.suggested_filename == "chest-ct-schema-draft.json"
    for width in (390, 1440):
        for theme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=theme)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
            value.scroll_into_view_if_needed()
            shoot(page, f"schema-{width}-{theme}")
