"""Every tool and tab of the viewer once, each saved as a screenshot for visual inspection."""

from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.chromium import shoot
from tests.factories.world import SHAPE, World, first_of, publish
from tests.journeys.viewer import CLIPPED, Viewer

MIDDLE = (SHAPE[2] // 2, SHAPE[1] // 2, SHAPE[0] // 2)


def look_at(page: Page, control: Locator) -> list[str]:
    """Press the control; returns clipped elements."""
    control.click()
    return list(page.evaluate(CLIPPED))


def test_gallery(live_world: World, new_page: Any) -> None:
    page = new_page("annotator")
    page.goto(f"/view/{first_of(publish(live_world)).pk}/")
    viewer = Viewer(page).wait_ready()
    viewer.go_to(MIDDLE)
    viewer.stroke("g", MIDDLE)
    viewer.wait_saved()
    tools = page.locator(".rail [data-testid^=tool-]")
    for n in range(tools.count()):
        tool = tools.nth(n)
        tool.click()
        page.mouse.move(*viewer.at(MIDDLE))
        shoot(page, f"gallery-{tool.get_attribute('data-testid')}")
    assert tools.count() > 5
    tabs = page.get_by_role("tab")
    for n in range(tabs.count()):
        tabs.nth(n).click()
        shoot(page, f"gallery-tab-{n}")
    assert tabs.count() >= 5
    page.set_viewport_size({"width": 1366, "height": 768})
    shoot(page, "gallery-1366")
    clipped = [
        f"{tabs.nth(n).text_content()}: {fault}" for n in range(tabs.count()) for fault in look_at(page, tabs.nth(n))
    ]
    tools.nth(3).click()
    page.get_by_test_id("more-operations").click()
    page.get_by_test_id("size-mm").fill("1.5")
    clipped += [
        f"{tools.nth(n).get_attribute('title')}: {fault}"
        for n in range(tools.count())
        for fault in look_at(page, tools.nth(n))
    ]
    page.keyboard.press("?")
    clipped += [f"keys: {fault}" for fault in page.evaluate(CLIPPED)]
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+B")
    expect(page.get_by_role("dialog")).to_contain_text("this browser has room for")
    expect(page.get_by_role("button", name="Take 3 scans along")).to_be_focused()
    shoot(page, "gallery-offline-1366")
    clipped += [f"offline: {fault}" for fault in page.evaluate(CLIPPED)]
    page.keyboard.press("Escape")
    assert not clipped, "\n".join(clipped)
    page.get_by_test_id("settings").click()
    page.get_by_test_id("theme-light").click()
    page.keyboard.press("Escape")
    expect(page.locator(".side")).to_have_css("background-color", "rgb(255, 255, 255)")
    shoot(page, "gallery-light-1366")
    page.set_viewport_size({"width": 1600, "height": 1000})
    shoot(page, "gallery-light")
