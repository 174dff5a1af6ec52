"""Quantities and the report in a real browser: accessible, at every width, in both themes; one click from the scan."""

from typing import Any

from playwright.sync_api import expect

from annotation.datasets.services import create_release, freeze_release
from annotation.reporting.models import Measurement
from tests.browser.test_choosing import faults_of
from tests.db.test_quantities import measure_all
from tests.factories.phantoms import add_phantom, approve_phantom, give_layer, phantom
from tests.factories.world import World


def test_from_the_scan_to_its_report_and_the_campaigns_quantities(live_world: World, new_page: Any) -> None:
    world = live_world
    scan = add_phantom(world)
    give_layer(world, scan, "anatomy", phantom().lobes_zyx)
    approve_phantom(world, scan)
    measure_all()
    found = Measurement.objects.get()
    page = new_page("coordinator")
    page.goto(f"/scans/{scan.pk}/")
    page.get_by_role("link", name="Report", exact=True).click()
    expect(page.get_by_role("heading", name="Quantities of lung opacities")).to_be_visible()
    for picture in page.get_by_role("img", name="Lungs and findings").all():
        expect(picture).to_have_js_property("complete", True)
        assert picture.evaluate("one => one.naturalWidth") > 100
    expect(page.get_by_role("row", name="Both lungs")).to_contain_text(str(found.values["score"]))
    assert not faults_of(new_page, page.url, "report")
    with page.expect_download() as sent:
        page.get_by_role("link", name="PDF").click()
    assert sent.value.suggested_filename == f"{scan.code}.pdf"
    assert not faults_of(new_page, "/campaigns/chest-ct/quantities/", "quantities")


def test_what_a_paper_tells_is_drawn_on_the_page_and_in_the_file(live_world: World, new_page: Any) -> None:
    world = live_world
    approve_phantom(world, add_phantom(world))
    made = create_release(campaign=world.campaign, name="r1", actor=world["datamanager"])
    freeze_release(release_id=made.pk, actor=world["datamanager"])
    path = f"/releases/{made.pk}/paper/"
    assert not faults_of(new_page, path, "paper", who="datamanager")
    page = new_page("datamanager")
    page.goto(path)
    with page.expect_download() as sent:
        page.get_by_role("link", name="HTML").click()
    for _ in range(2):
        box, words = page.locator(".flow rect").first, page.locator(".flow text").first
        assert box.evaluate("one => getComputedStyle(one).fill") == "none"
        assert words.evaluate("one => getComputedStyle(one).fill") == page.locator("p").last.evaluate(
            "one => getComputedStyle(one).color"
        )
        page.set_content(sent.value.path().read_text())
