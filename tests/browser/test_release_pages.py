"""Releases in a real browser: the formats of an export, and what changed between two releases."""

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from annotation.datasets.models import Export
from annotation.datasets.services import create_release, freeze_release
from tests.browser.test_pages import faults
from tests.chromium import shoot
from tests.db.test_comparing import frozen_with, new_mask
from tests.factories.world import SHAPE, World, approve, ball, label, publish


@pytest.fixture
def releases(live_world: World) -> tuple[Any, Any]:
    """Two releases: in the later one a mask is smaller, another answer was given and a scan is gone."""
    for assignment in publish(live_world, size=4).assignments.all():
        label(live_world, assignment)
        approve(live_world, assignment)
    made = create_release(campaign=live_world.campaign, name="2026.10", actor=live_world["datamanager"])
    before = freeze_release(release_id=made.pk, actor=live_world["datamanager"])

    def change(scans: list[dict[str, Any]]) -> None:
        new_mask(scans[0], ball(SHAPE, 8.0).astype(np.uint8), live_world["reviewer2"])
        scans[1]["answers"] = {**scans[1]["answers"], "quality": "poor"}
        del scans[3]

    return before, frozen_with(before, "2026.11", change)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_of_a_release_are_accessible_and_fit(releases: Any, new_page: Any, theme: str) -> None:
    before, after = releases
    page = new_page("datamanager", color_scheme=theme)
    found: list[str] = []
    for path, name in (
        ("/campaigns/chest-ct/releases/new/", "new"),
        (f"/releases/{after.pk}/", "release"),
        (f"/releases/{after.pk}/changes/", "changes"),
        (f"/releases/{after.pk}/changes/?change=in", "changes-none"),
        (f"/releases/{before.pk}/changes/?since={before.pk}", "changes-nothing"),
    ):
        page.goto(path)
        expect(page.get_by_role("main")).to_be_visible()
        found += faults(page)
        for width in (390, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than {width}"
            shoot(page, f"release-{name}-{theme}-{width}")
    assert not found, "\n".join(found)


def test_formats_are_ticked_and_asked_for(releases: Any, new_page: Any) -> None:
    page = new_page("datamanager")
    page.goto(f"/releases/{releases[0].pk}/")
    page.get_by_role("button", name="Export release…").click()
    dialog = page.get_by_role("dialog", name="Export 2026.10")
    dialog.get_by_label("nnU-Net v2").check()
    dialog.get_by_label("DICOM SR").check()
    dialog.get_by_label("a", exact=True).check()
    expect(dialog.get_by_text("for 2 of 4 scans")).to_be_visible()
    assert not faults(page)
    shoot(page, "release-export")
    dialog.get_by_role("button", name="Export release").click()
    expect(page.get_by_role("status")).to_contain_text("2026.10 is being written")
    export = Export.objects.get()
    assert export.formats == ["nifti", "dicom_seg", "nnunet", "dicom_sr"]
    assert export.part == {"sides": [], "sites": ["a"]}


def test_a_draft_is_made_with_filters_and_a_live_count(releases: Any, new_page: Any) -> None:
    page = new_page("datamanager")
    page.goto("/campaigns/chest-ct/releases/new/")
    expect(page.get_by_text("Takes 4 of 4 approved scans")).to_be_visible()
    page.get_by_label("a: Site a").check()
    expect(page.get_by_text("Takes 2 of 4 approved scans")).to_be_visible()
    page.get_by_label("Slices at most, mm").fill("0.5")
    expect(page.get_by_text("Nothing fits; loosen a filter.")).to_be_visible()
    page.get_by_label("Slices at most, mm").fill("")
    page.get_by_label("Name").fill("2026.12")
    page.get_by_label("Licence").fill("cc-by-4.0")
    assert not faults(page)
    shoot(page, "release-new-filled")
    page.get_by_role("button", name="Make draft").click()
    expect(page.get_by_role("heading", name="2026.12")).to_be_visible()
    expect(page.get_by_text("CC-BY-4.0")).to_be_visible()
    expect(page.get_by_text("2 of another site")).to_be_visible()
    shoot(page, "release-draft")


def test_the_changes_of_a_release_are_narrowed_and_saved(releases: Any, new_page: Any) -> None:
    page = new_page("datamanager")
    page.goto(f"/releases/{releases[1].pk}/")
    page.get_by_role("link", name="What changed").click()
    expect(page.get_by_role("heading", name="What changed since 2026.10")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(4)
    page.get_by_role("navigation", name="Change").get_by_role("link", name="Left").click()
    expect(page.get_by_role("row")).to_have_count(2)
    with page.expect_download() as saved:
        page.get_by_role("link", name="These changes as CSV").click()
    assert saved.value.suggested_filename == "chest-ct-202611-since-chest-ct-202610.csv"
