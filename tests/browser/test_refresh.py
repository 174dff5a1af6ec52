"""The end of the set-up shows a page anew, but not under the hands of somebody who types."""

import json
from typing import Any

from playwright.sync_api import expect

from annotation.pages.selectors.setup import progress_file


def tell(running: bool) -> None:
    progress_file().write_text(json.dumps({"running": running, "percent": 50, "message": "Training the first model"}))


def test_what_was_typed_survives_the_end_of_the_set_up(live_world: Any, new_page: Any) -> None:
    tell(True)
    try:
        idle, typing = new_page("datamanager"), new_page("datamanager")
        for page in (idle, typing):
            page.goto("/scans/upload/")
            expect(page.locator("#setup")).to_contain_text("Training the first model")
        reason = typing.get_by_label("Take in nevertheless")
        reason.fill("planning CT")
        tell(False)
        expect(idle.locator("#setup")).to_have_count(0)
        expect(typing.get_by_text("There is news for this page.")).to_be_visible()
        expect(reason).to_have_value("planning CT")
        typing.get_by_role("button", name="Reload").click()
        expect(typing.locator("#setup")).to_have_count(0)
        expect(typing.get_by_text("There is news for this page.")).to_have_count(0)
    finally:
        progress_file().unlink(missing_ok=True)
