"""Text at 200 %, as somebody sets it in the browser: no word of a page is cut, nothing scrolls sideways."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.test_pages import campaign_at_work
from tests.chromium import FLAGS, Watched, close_quietly, find_chromium, log_in, open_context, shoot
from tests.factories.world import PASSWORD, World

__all__ = ["campaign_at_work"]  # a fixture of this file's tests
# Words that their box hides: of an element with words of its own, what its nearest clipping box leaves out. What is
# shortened on purpose has its whole text as a title; a table scrolls in its own box.
CUT = """() => {
    const found = []
    for (const one of document.querySelectorAll("body *")) {
        const own = [...one.childNodes].filter(node => node.nodeType === 3 && node.data.trim())
        if (!own.length || !one.getClientRects().length || one.closest(".vh, .skip, [title], svg, option")) continue
        const range = document.createRange()
        range.selectNodeContents(one)
        const words = range.getBoundingClientRect()
        for (let box = one; box && box !== document.body; box = box.parentElement) {
            const style = getComputedStyle(box), edge = box.getBoundingClientRect()
            const hides = side => ["hidden", "clip"].includes(style[side])
            if (style.overflowX === "auto" || style.overflowX === "scroll") break
            const isTooHigh = words.bottom > edge.bottom + 2 || words.top < edge.top - 2
            const isTooWide = words.right > edge.right + 2 || words.left < edge.left - 2
            if (isTooHigh && (hides("overflowY") || box.matches(".btn, .tag, .st, .input, .segmented a, nav a")))
                found.push("too high: " + one.innerText)
            else if (isTooWide && hides("overflowX")) found.push("too wide: " + one.innerText)
            else continue
            break
        }
    }
    return found
}"""


@pytest.fixture(scope="module")
def large_text(browser: Browser) -> Iterator[Browser]:
    """A browser in which somebody has set the size of text to 200 %."""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    found = browser.browser_type.launch(
        executable_path=find_chromium(), args=[*FLAGS, *sandbox, "--blink-settings=defaultFontSize=32"]
    )
    yield found
    found.close()


@pytest.mark.parametrize(
    ("person", "path"),
    [
        ("annotator", "/worklist/"),
        ("reviewer", "/reviews/"),
        ("coordinator", "/campaigns/chest-ct/batches/"),
        ("coordinator", "/campaigns/chest-ct/batches/?view=table"),
        ("coordinator", "/campaigns/chest-ct/batches/new/"),
        ("coordinator", "/campaigns/chest-ct/"),
        ("coordinator", "/campaigns/chest-ct/scans/"),
        ("coordinator", "/campaigns/chest-ct/models/"),
        ("coordinator", "/jobs/"),
        ("admin", "/people/"),
        ("admin", "/log/"),
        ("admin", "/campaigns/chest-ct/settings/"),
    ],
)
def test_no_word_is_cut_at_twice_the_size(
    campaign_at_work: World, large_text: Browser, live_server: Any, watched: Watched, person: str, path: str
) -> None:
    context = open_context(large_text, live_server.url, watched, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    log_in(page, person, PASSWORD)
    page.goto(path)
    expect(page.get_by_role("main")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "32px"
    shoot(page, f"large{path.replace('/', '-').replace('?', '-')}")
    found = page.evaluate(CUT)
    is_in_width = page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    close_quietly(context)
    assert found == []
    assert is_in_width
