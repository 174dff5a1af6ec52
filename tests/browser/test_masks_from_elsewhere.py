"""A mask of another program in a real browser: the file, its labels with pictures, the stored revision."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.test_pages import faults
from tests.chromium import Watched, shoot
from tests.db.test_masks_from_elsewhere import begin_work, mask_file, some_labels
from tests.factories.world import World


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_mask_is_brought_and_looked_at_before_it_is_stored(
    live_world: World, new_page: Any, watched: Watched, tmp_path: Path, theme: str
) -> None:
    watched.expected.append("status of 422")  # the refusal that is looked at
    scan = live_world.scans[0]
    begin_work(live_world, scan)
    page = new_page("datamanager", color_scheme=theme)
    found: list[str] = []

    def look(name: str) -> None:
        nonlocal found
        expect(page.get_by_role("main")).to_be_visible()
        found += faults(page)
        for width in (420, 1366):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than {width}"
        shoot(page, f"mask-{name}-{theme}")

    page.goto(f"/scans/{scan.pk}/")
    look("none")
    page.get_by_role("link", name="Mask from elsewhere").click()
    look("file")
    page.get_by_label("File").set_input_files(mask_file(tmp_path, some_labels()))
    page.get_by_role("button", name="Read file").click()
    expect(page.get_by_role("heading", name="What do its labels become?")).to_be_visible()
    picture = page.get_by_role("img", name="Slice with most of 7")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    page.get_by_label("7 becomes").select_option("Infectious cavity")
    look("labels")
    page.get_by_role("button", name="Store mask").click()
    expect(page.get_by_role("alert")).to_contain_text("Work on this scan has begun")
    look("refused")
    page.get_by_label("Store it beside the work").check()
    page.get_by_role("button", name="Store mask").click()
    expect(page.get_by_text("NRRD, 1 of 3 labels taken")).to_be_visible()
    look("stored")
    assert not found, "\n".join(found)
