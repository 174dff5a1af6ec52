"""Tables at every width and in both themes: scans are selected, batches and jobs are found."""

import csv
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.pages.views import data
from annotation.work.models import Batch
from tests.browser.test_choosing import faults_of
from tests.browser.test_pages import faults
from tests.chromium import shoot
from tests.factories.world import World, publish
from voxloop.jobs.models import Job

SCANS = "/campaigns/chest-ct/scans/"


def at_every_width(page: Page, name: str) -> None:
    for width in (390, 1440):
        for theme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=theme)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than {width}"
            shoot(page, f"{name}-{theme}-{width}")


def test_a_batch_of_selected_scans(live_world: World, new_page: Any) -> None:
    page = new_page("coordinator")
    page.goto(SCANS)
    bar, boxes = page.locator("[data-selection]"), page.locator("[data-select]")
    expect(bar).to_be_hidden()
    boxes.nth(1).click()
    boxes.nth(4).click(modifiers=["Shift"])
    expect(bar).to_contain_text("4 selected")
    page.get_by_role("heading", name="Scans").click()  # away from the boxes
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(bar).to_contain_text("5 selected")
    page.keyboard.press("x")
    expect(bar).to_contain_text("4 selected")
    boxes.nth(1).focus()
    page.keyboard.press("Space")
    expect(bar).to_contain_text("3 selected")
    assert not faults(page)
    at_every_width(page, "scans-selected")
    page.set_viewport_size({"width": 1440, "height": 900})
    with page.expect_download() as download:
        bar.get_by_role("button", name="CSV").click()
    with Path(download.value.path()).open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 3
    bar.get_by_role("button", name="Make batch…").click()
    expect(page.get_by_role("heading", name="New batch of 3 selected scans")).to_be_visible()
    assert not faults(page)
    at_every_width(page, "batch-by-hand")
    page.get_by_role("button", name="Make batch").click()
    expect(page.locator("#toasts")).to_contain_text("B-001 with 3 scans in the pool is a draft.")
    assert Batch.objects.get().chosen_by == "hand"


def test_all_that_were_found_on_every_page(live_world: World, new_page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "PAGE_SIZE", 4)
    page = new_page("coordinator")
    page.goto(SCANS)
    bar = page.locator("[data-selection]")
    page.get_by_label("Select every scan of this page").check()
    expect(bar).to_contain_text("4 selected")
    bar.get_by_role("button", name="Select all 6 found").click()
    expect(bar).to_contain_text("6 selected")
    page.locator("[data-select]").first.uncheck()
    expect(bar).to_contain_text("3 selected")
    bar.get_by_role("button", name="Clear").click()
    expect(bar).to_be_hidden()
    page.get_by_label("Select every scan of this page").check()
    bar.get_by_role("button", name="Select all 6 found").click()
    bar.get_by_role("button", name="Make batch…").click()
    expect(page.get_by_role("heading", name="New batch of 6 selected scans")).to_be_visible()


def test_batches_and_jobs_are_found(live_world: World, new_page: Any) -> None:
    publish(live_world, size=1)
    publish(live_world, to=None, size=2)
    Job.objects.create(kind="train", key="1", state="failed", error="no memory", requested_by=live_world["coordinator"])
    page = new_page("coordinator")
    for path, find, row, name in (
        ("/campaigns/chest-ct/batches/?view=table", "pool", "B-002", "table-batches"),
        ("/jobs/", "memory", "Train a model", "table-jobs"),
    ):
        assert not faults_of(new_page, path, name)
        page.goto(path)
        page.locator("#table-words").fill(find)
        page.keyboard.press("Enter")
        expect(page.locator("tr[data-href]")).to_have_count(1)
        expect(page.locator("tr[data-href]")).to_contain_text(row)
        page.get_by_role("link", name="State").click()
        expect(page.locator('th[aria-sort="ascending"]')).to_have_text("State")
        assert f"q={find}" in page.url
        at_every_width(page, name)


def test_people_are_found_selected_and_exported(live_world: World, new_page: Any) -> None:
    page = new_page("admin")
    assert not faults_of(new_page, "/people/", "table-people", who="admin")
    page.goto("/people/")
    page.get_by_label("Role").select_option("annotator")
    page.get_by_label("Role").press("Enter")
    page.get_by_role("button", name="Filter").click()
    rows = page.locator("tr[data-href]")
    expect(rows).to_have_count(2)
    page.get_by_role("link", name="Name").click()
    expect(rows.first).to_contain_text("annotator2")
    page.reload()
    expect(page.get_by_label("Role")).to_have_value("annotator")
    page.get_by_label("Select everybody of this page").check()
    bar = page.locator("[data-selection]")
    expect(bar).to_contain_text("2 selected")
    at_every_width(page, "table-people-selected")
    page.set_viewport_size({"width": 1366, "height": 768})
    shoot(page, "table-people-selected-1366")
    with page.expect_download() as download:
        bar.get_by_role("button", name="CSV").click()
    with Path(download.value.path()).open(encoding="utf-8") as file:
        assert [row["person"] for row in csv.DictReader(file)] == ["annotator2", "annotator"]
    page.get_by_role("link", name="Show all").click()
    expect(rows).not_to_have_count(2)
