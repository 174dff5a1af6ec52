"""Withdraw, erase, close an account: the pages are accessible, log no errors, and explain the action beforehand."""

from typing import Any

import pytest
from playwright.sync_api import expect

from annotation.scans.models import Scan
from tests.browser.test_pages import faults
from tests.chromium import shoot
from tests.factories.world import World, approve, first_of, label, publish


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_leaving_by_hand(live_world: World, new_page: Any, theme: str) -> None:
    world = live_world
    assignment = first_of(publish(world, size=1))
    label(world, assignment)
    approve(world, assignment)
    scan = Scan.objects.select_related("subject").get(pk=assignment.scan_id)
    page = new_page("datamanager", color_scheme=theme)
    page.goto(f"/scans/{scan.pk}/")
    page.get_by_role("button", name="Withdraw…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    found = faults(page)
    shoot(page, f"withdraw-{theme}")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Erase subject…").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Erase S")
    found += faults(page)
    shoot(page, f"erase-{theme}")
    page.get_by_label("Why is the subject erased?").fill("asked for")
    page.get_by_label("Code of the subject").fill(scan.subject.pseudonym if scan.subject else "")
    page.get_by_role("button", name="Erase for good").click()
    page.goto(f"/scans/{scan.pk}/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Erased")
    shoot(page, f"erased-{theme}")
    admin = new_page("admin", color_scheme=theme)
    admin.goto(f"/people/{world['annotator2'].pk}/")
    admin.get_by_role("button", name="Close account…").scroll_into_view_if_needed()
    found += faults(admin)
    shoot(admin, f"person-{theme}")
    assert not found, "\n".join(found)
