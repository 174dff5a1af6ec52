"""A batch accepted on a sample, through the pages: accessible, at every width, in both themes."""

from typing import Any

from playwright.sync_api import expect

from annotation.reviews.models import Certificate
from tests.browser.test_choosing import faults_of
from tests.factories.batches import handed_in, judge
from tests.factories.world import PASSWORD, World


def test_a_batch_is_accepted_on_a_sample(live_world: World, new_page: Any) -> None:
    batch = handed_in(live_world)
    page = new_page("coordinator")
    page.goto(f"/batches/{batch.pk}/")
    assert not faults_of(new_page, page.url, "certificate-form")
    page.get_by_label("Exclude so many bad scans or more").fill("2")
    page.get_by_label("Riskiest scans to review besides").fill("1")
    page.get_by_label("Confidence").select_option("0.8")
    page.get_by_role("button", name="Draw a sample").click()
    expect(page.locator("#toasts")).to_contain_text("3 scans of B-001 drawn at random")
    expect(page.get_by_text("0 of 3 drawn scans judged, no defect so far.")).to_be_visible()
    for row in Certificate.objects.get().rounds.filter(part="sample"):
        judge(live_world, row)
    page.reload()
    assert not faults_of(new_page, page.url, "certificate-clean")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Accept 2 scans").click()
    expect(page.get_by_text("coordinator accepted the other 2 scans on it.")).to_be_visible()
    assert not faults_of(new_page, page.url, "certificate-accepted")
    assert Certificate.objects.get().state == "accepted"
