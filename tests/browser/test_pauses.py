"""Pauses through the pages: accessible, at every width, in both themes; those concerned read why."""

from typing import Any

from playwright.sync_api import expect

from annotation.work.models import Batch
from tests.browser.test_choosing import faults_of
from tests.browser.test_pages import faults
from tests.chromium import shoot
from tests.factories.world import World, label, publish
from tests.journeys.viewer import CLIPPED


def test_a_batch_and_a_person_are_paused(live_world: World, new_page: Any) -> None:
    batch = publish(live_world, size=3)
    label(live_world, batch.assignments.order_by("position")[0])
    page = new_page("coordinator")
    page.goto(f"/batches/{batch.pk}/")
    page.get_by_role("button", name="Pause…").click()
    page.get_by_label("Why is it paused?").fill("The scanner at b is checked.")
    page.get_by_role("button", name="Pause batch").click()
    expect(page.locator(".note-warn.banner")).to_contain_text("B-001 is paused. The scanner at b is checked.")
    assert not faults_of(new_page, page.url, "paused-batch")
    page.goto("/campaigns/chest-ct/batches/")
    expect(page.locator(".card")).to_contain_text("paused")
    page.get_by_role("row", name="annotator2").get_by_role("button", name="Pause…").click()
    expect(page.get_by_role("heading", name="Pause annotator2")).to_be_visible()
    page.get_by_label("Why is the person paused?").fill("On holiday until Monday.")
    page.get_by_role("button", name="Pause person").click()
    expect(page.get_by_role("row", name="annotator2")).to_contain_text("paused")
    assert not faults_of(new_page, page.url, "paused-board")
    for who, why in (
        ("annotator", "B-001 is paused. The scanner at b is checked."),
        ("annotator2", "Your work in Chest CT is paused. On holiday until Monday."),
    ):
        for theme, width in (("light", 1440), ("dark", 390)):
            reads = new_page(who, color_scheme=theme, viewport={"width": width, "height": 900})
            reads.goto("/worklist/")
            expect(reads.locator(".note-warn.banner")).to_contain_text(why)
            assert reads.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert not faults(reads)
            shoot(reads, f"paused-worklist-{who}-{theme}-{width}")
    opened, queued = batch.assignments.order_by("position")[:2]
    for row, more in ((opened, "can be saved and handed in"), (queued, "work on it begins when the pause ends")):
        reads = new_page("annotator", viewport={"width": 1366, "height": 768})
        reads.goto(f"/view/{row.pk}/")
        note = reads.get_by_test_id("paused")
        expect(note).to_contain_text("B-001 is paused. The scanner at b is checked. Paused ")
        expect(note).to_contain_text(more)
        assert reads.evaluate(CLIPPED) == []
        shoot(reads, f"paused-viewer-{row.position}")
    page.get_by_role("row", name="annotator2").get_by_role("button", name="Go on").click()
    expect(page.locator("#toasts")).to_contain_text("annotator2 goes on in Chest CT.")
    page.goto(f"/batches/{batch.pk}/")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(".note-warn.banner")).to_have_count(0)
    assert not Batch.objects.get().is_paused
