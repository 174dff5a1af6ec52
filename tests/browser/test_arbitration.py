"""An arbitration through the page of reviews and the viewer: region by region, accessible, in both themes."""

from typing import Any

from playwright.sync_api import expect

from annotation.reviews.models import Arbitration
from tests.browser.test_choosing import faults_of
from tests.chromium import shoot
from tests.db.test_arbitration import dispute
from tests.factories.world import PASSWORD, World
from tests.journeys.viewer import Viewer


def test_a_reviewer_merges_two_readings_by_region(live_world: World, new_page: Any) -> None:
    row = dispute(live_world)
    assert not faults_of(new_page, "/reviews/", "arbitrations-overseen")
    page = new_page("reviewer")
    page.goto("/reviews/")
    expect(page.get_by_role("heading", name="Arbitrations")).to_be_visible()
    shoot(page, "arbitrations")
    page.get_by_role("button", name="Arbitrate").click()
    page.wait_for_url("**/view/**")
    Viewer(page).wait_ready()
    expect(page.get_by_role("heading", name="Arbitration")).to_be_visible()
    expect(page.get_by_test_id("against-reader-2")).to_be_checked()
    expect(page.get_by_test_id("differences-left")).to_have_text("1 of 1 to check")
    page.get_by_test_id("heat").click()
    shoot(page, "arbitration-heat")
    page.emulate_media(color_scheme="dark")
    shoot(page, "arbitration-heat-dark")
    page.get_by_test_id("revert-difference").click()
    expect(page.get_by_test_id("no-differences")).to_be_visible()
    page.get_by_test_id("approve").click()
    expect(page.get_by_role("dialog")).to_contain_text("Decide on VX-A-0001")
    expect(page.get_by_role("dialog")).to_contain_text("read none of them myself")
    shoot(page, "arbitration-signature")
    password = page.get_by_label("Password")
    if password.count():
        password.fill(PASSWORD)
    page.get_by_test_id("sign").click()
    expect(page.get_by_role("link", name="Back to the reviews")).to_be_visible()
    row.refresh_from_db()
    assert (row.state, row.way) == ("decided", Arbitration.Way.OTHER)
