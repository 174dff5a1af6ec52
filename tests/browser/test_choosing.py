"""The draft of a batch with why, and what pre-annotation brought, in a real browser: accessible, at every width."""

from typing import Any

from playwright.sync_api import expect

from annotation.learning.effort import measure_when_due
from annotation.work.models import Batch, CampaignScan, ScanScore
from tests.api.test_effort_page import models_of
from tests.browser.test_pages import faults
from tests.chromium import shoot
from tests.factories.effort import foresee, work
from tests.factories.world import World, make_scan


def faults_of(new_page: Any, path: str, name: str, who: str = "coordinator") -> list[str]:
    """Faults of a page in both themes; it is wider than no window."""
    found: list[str] = []
    for theme in ("light", "dark"):
        page = new_page(who, color_scheme=theme)
        page.goto(path)
        expect(page.get_by_role("main")).to_be_visible()
        found += faults(page)
        for width in (420, 1366, 1600):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"wider than {width}"
        shoot(page, f"{name}-{theme}")
    return found


def test_a_draft_says_why_and_is_published_by_keyboard(live_world: World, new_page: Any) -> None:
    for number, scan in enumerate(live_world.scans):
        why = "held_out" if scan.site.code == "c" else "uncertain"
        surer = None if why == "held_out" else number / 10
        ScanScore.objects.create(
            campaign=live_world.campaign, scan=scan, strategy="hybrid", score=number, why=why, surer=surer
        )
    asked = CampaignScan.objects.exclude(scan__site__code="c")
    asked.update(score_model="m3", uncertainty=0.41, extent_ml=62.0, finding="infectious_opacity")
    page = new_page("coordinator")
    page.goto("/campaigns/chest-ct/batches/new/")
    page.get_by_label("Number of scans").fill("5")
    page.get_by_role("button", name="Make batch").click()
    expect(page.get_by_role("heading", name="What it is made of")).to_be_visible()
    expect(page.get_by_text("m3 is surer of 40 % of the scans it was chosen from.")).to_be_visible()
    expect(page.get_by_text("50 mL and more")).to_be_visible()
    assert not faults_of(new_page, page.url, "draft")
    page.get_by_role("button", name="Publish batch").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("is published")
    assert Batch.objects.get().state == "published"


def test_what_pre_annotation_brought(live_world: World, new_page: Any) -> None:
    for seed in range(20, 26):
        live_world.scans.append(make_scan(live_world, "ab"[seed % 2], seed=seed))
    models = models_of(live_world, [(16, 0.48), (40, 0.61), (64, 0.66), (90, 0.68)])
    for number, scan in enumerate(live_world.scans):
        foresee(live_world, models[number % 2 + 2], scan, radius=7.0 + number % 2, offset_z=number % 3)
        is_blank = number % 4 >= 2
        work(live_world, scan, minutes=(9 if is_blank else 4) + number % 3, is_blank=is_blank)
    measure_when_due()
    page = new_page("coordinator")
    page.goto("/campaigns/chest-ct/models/")
    page.get_by_role("link", name="What it brought").click()
    expect(page.get_by_role("img", name="Active minutes per scan, blank against shown, by model")).to_be_visible()
    expect(page.get_by_text("Would more masks help?")).to_be_visible()
    arms = page.get_by_test_id("arms").locator("tbody tr")
    expect(arms).to_have_count(2)
    expect(arms.first).to_contain_text("Began from the newest model's mask")
    assert not faults_of(new_page, page.url, "effort")
    with page.expect_download() as lesions:
        page.get_by_role("link", name="Every lesion as CSV").click()
    assert lesions.value.suggested_filename == "chest-ct-effort-lesions.csv"
    with page.expect_download() as sent:
        page.get_by_role("link", name="Every scan as CSV").click()
    assert sent.value.suggested_filename == "chest-ct-effort-scans.csv"
