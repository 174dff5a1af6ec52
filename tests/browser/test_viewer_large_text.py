"""The viewer with text at 200 %, as somebody sets it in the browser: no word is cut, every control can be reached."""

from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.browser.test_large_text import CUT, large_text
from tests.chromium import Watched, close_quietly, log_in, open_context, shoot
from tests.factories.world import PASSWORD, SHAPE, World, first_of, publish
from tests.journeys.viewer import CLIPPED, Viewer

__all__ = ["large_text"]  # a fixture of this file's tests
MIDDLE = (SHAPE[2] // 2, SHAPE[1] // 2, SHAPE[0] // 2)
# Controls that something else covers, or that no scrolling brings into the window.
OUT_OF_REACH = """within => {
    const found = []
    for (const one of document.querySelectorAll(`${within} :is(button, a, input, select, summary, textarea)`)) {
        if (!one.checkVisibility({ visibilityProperty: true }) || one.disabled || one.closest(".skip, .vh")) continue
        one.scrollIntoView({ block: "center", inline: "center" })
        const box = (one.closest("label") ?? one).getBoundingClientRect()
        const at = document.elementFromPoint((box.left + box.right) / 2, (box.top + box.bottom) / 2)
        const isHit = at && (one.contains(at) || at.contains(one) || one.closest("label")?.contains(at))
        const name = one.getAttribute("data-testid") ?? one.innerText
        if (!isHit) found.push(`${name} under ${at?.className ?? "nothing"}`)
    }
    scrollTo(0, 0)
    return found
}"""

# Words on lines lower than they are high, so that two lines lie over one another.
LOW_LINES = """() => [...document.querySelectorAll("#viewer *, dialog *")]
    .filter(one => one.checkVisibility() && [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
    .filter(one => parseFloat(getComputedStyle(one).lineHeight) < parseFloat(getComputedStyle(one).fontSize))
    .map(one => `low line: ${one.className} ${one.innerText}`)"""


def faults_of(page: Page, where: str, within: str) -> list[str]:
    found = [
        *page.evaluate(CUT),
        *page.evaluate(CLIPPED),
        *page.evaluate(LOW_LINES),
        *page.evaluate(OUT_OF_REACH, within),
    ]
    if not page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
        found.append("the page scrolls sideways")
    return [f"{where}: {fault}" for fault in found]


def test_the_viewer_cuts_no_word_at_twice_the_size(
    live_world: World, large_text: Browser, live_server: Any, watched: Watched
) -> None:
    context = open_context(large_text, live_server.url, watched, viewport={"width": 1366, "height": 900})
    page = context.new_page()
    log_in(page, "annotator", PASSWORD)
    page.goto(f"/view/{first_of(publish(live_world)).pk}/")
    viewer = Viewer(page).wait_ready()
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "32px"
    viewer.go_to(MIDDLE)
    viewer.stroke("g", MIDDLE)
    viewer.wait_saved()
    expect(page.get_by_test_id("hud")).to_be_visible()
    found = []
    for width in (1440, 1366):
        page.set_viewport_size({"width": width, "height": 900})
        shoot(page, f"large-viewer-{width}")
        found += faults_of(page, str(width), "#viewer")
    tools, tabs = page.locator(".rail [data-testid^=tool-]"), page.get_by_role("tab")
    assert min(tools.count(), tabs.count()) >= 5
    for n in range(tools.count()):
        tools.nth(n).click()
        found += faults_of(page, str(tools.nth(n).get_attribute("data-testid")), ".tools")
    for n in range(tabs.count()):
        tabs.nth(n).click()
        found += faults_of(page, str(tabs.nth(n).text_content()), ".side")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    found += [f"keys: {fault}" for fault in page.evaluate(CLIPPED)]
    shoot(page, "large-viewer-keys")
    close_quietly(context)
    assert not found, "\n".join(found)
