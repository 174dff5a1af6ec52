"""Clinical records and eligibility in a browser: from a sheet to records, and from criteria to a picked series."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.scans.models import ClinicalRecord, Series, Study
from annotation.work.eligibility.deciding import set_criteria
from annotation.work.eligibility.rules import Rules
from annotation.work.models import Eligibility
from tests.browser.test_pages import faults
from tests.chromium import shoot
from tests.factories.world import World, publish

SHEET = "Code;age;Geschlecht;PCR;pcr date\nS0;44;w;pos;2020-03-01\nS3;old;m;neg;\nS9;3;m;;\n"


def look(page: Page, name: str) -> None:
    """No fault in either theme, nothing wider than the screen."""
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.evaluate("Promise.all(document.getAnimations().map(each => each.finished))")
        assert not faults(page)
        for width in (390, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (page.url, width)
            shoot(page, f"{name}-{theme}-{width}")


def test_a_sheet_is_understood_and_stored(live_world: World, new_page: Any, tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    path.write_text(SHEET)
    page = new_page("datamanager")
    page.goto("/campaigns/chest-ct/scans/")
    page.get_by_role("link", name="Clinical records").click()
    page.get_by_label("Sheet", exact=True).set_input_files(path)
    page.get_by_role("button", name="Read sheet").click()
    page.get_by_label("“Code” is").select_option("Pseudonym")
    page.get_by_label("“Geschlecht” is").select_option("Sex")
    page.get_by_label("“PCR” is").select_option("Test: result")
    page.get_by_label("“pcr date” is").select_option("Test: date")
    page.get_by_label("Every test is of").select_option("SARS-CoV-2")
    page.get_by_role("button", name="Look what would be stored").click()
    for theirs, ours in (("w", "Female"), ("m", "Male"), ("pos", "Positive"), ("neg", "Negative")):
        page.get_by_label(f"“{theirs}” means").select_option(ours)
    page.get_by_role("button", name="Look again").click()
    expect(page.get_by_role("row", name="3 age")).to_contain_text("The age is not whole years")
    look(page, "clinical-sheet")
    page.get_by_role("button", name="Store 1 record").click()
    expect(page.get_by_role("status")).to_contain_text("1 record of site a stored")
    record = ClinicalRecord.objects.get()
    assert (record.age_years, record.sex, record.tests.get().result) == (44, "female", "positive")
    look(page, "clinical")


def test_a_series_is_picked_and_a_scan_overruled(live_world: World, new_page: Any) -> None:
    world = live_world
    first, second, third = (world.scans[n] for n in (0, 3, 1))
    Series.objects.filter(scans=second).update(study=Study.objects.get(series__scans=first))
    page = new_page("datamanager")
    page.goto("/campaigns/chest-ct/scans/eligibility/")
    page.get_by_role("link", name="Set criteria").click()
    look(page, "criteria")
    for name in ("Lungs were found in a CT", "A clinical record is present"):
        page.get_by_label(name).uncheck()
    for name in ("Slice thickness up to, mm", "Age, at least", "Days between scan and test, at most"):
        page.get_by_label(name).fill("")
    page.get_by_label("Recommended up to, mm").fill("")
    page.get_by_role("button", name="Save criteria").click()
    expect(page.get_by_role("heading", name="Eligibility")).to_be_visible()
    page.get_by_role("article", name=first.code).get_by_role("button", name="Pick this series").click()
    expect(page.get_by_role("status")).to_contain_text(f"{first.code} stands for its study")
    expect(page.get_by_role("article", name=second.code)).to_contain_text(f"{first.code} was picked")
    page.get_by_role("article", name=third.code).get_by_role("button", name="Leave out…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Leave out {third.code}")
    dialog.get_by_label("Why is it left out?").fill("motion over both lungs")
    dialog.get_by_role("button", name="Leave out").click()
    expect(page.get_by_role("article", name=third.code)).to_contain_text("motion over both lungs")
    assert Eligibility.objects.filter(is_eligible=False).count() == 2
    look(page, "eligibility")
    page.get_by_role("article", name=third.code).get_by_role("button", name="Undo").click()
    expect(page.get_by_role("article", name=third.code)).not_to_contain_text("motion")
    page.goto(f"/scans/{second.pk}/")
    expect(page.get_by_text("No batch gets it while it is excluded.")).to_be_visible()
    look(page, "scan-excluded")


@pytest.mark.parametrize("name", ["coordinator"])
def test_a_batch_tells_what_is_not_eligible_any_more(live_world: World, new_page: Any, name: str) -> None:
    batch = publish(live_world, size=2)
    set_criteria(campaign=live_world.campaign, rules=Rules(least_slices=41), actor=live_world["datamanager"])
    page = new_page(name)
    page.goto(f"/batches/{batch.pk}/")
    expect(page.get_by_role("status").filter(has_text="not eligible")).to_contain_text("2 scans of this batch are")
    look(page, "batch-excluded")
