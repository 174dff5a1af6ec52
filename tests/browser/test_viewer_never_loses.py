"""Tab, network and session fail at every step of a save: no stroke is lost, none is applied twice."""

import hashlib
import time
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.contrib.sessions.models import Session
from django.db import connections
from playwright.sync_api import Page, expect

from annotation.masks.models import MaskRevision
from annotation.masks.nifti import geometry_of, read_nifti_labels
from annotation.masks.selectors import head_of
from annotation.masks.store import load_labels
from annotation.work.models import Assignment
from annotation.work.services import expire_leases, reclaim_assignment
from tests.browser.test_pages import faults
from tests.chromium import Watched, log_in, shoot
from tests.factories.world import PASSWORD, SHAPE, World, first_of, publish
from tests.faults import CUTS, Fault, FaultyLine
from tests.journeys.viewer import Viewer
from voxloop.kernel.errors import Invalid

Z = SHAPE[0] // 2
PLACES = [(x, y, Z) for y in (10, 24, 38) for x in (8, 18, 28, 38, 48)]


@pytest.fixture
def assignment(live_world: World) -> Assignment:
    return first_of(publish(live_world))


@pytest.fixture
def page(faulty_page: Page) -> Page:
    return faulty_page


@pytest.fixture
def line(faulty_line: FaultyLine) -> FaultyLine:
    return faulty_line


class Reader:
    """A user who draws, and records what was drawn."""

    def __init__(self, page: Page, assignment: Assignment) -> None:
        self.assignment, self.drawn = assignment, list[str]()
        self.viewer = self.open(page)

    def open(self, page: Page) -> Viewer:
        page.goto(f"/view/{self.assignment.pk}/")
        self.viewer = Viewer(page).wait_ready()
        self.viewer.go_to(PLACES[0])
        page.keyboard.press("b")
        self.viewer.set_radius(3)
        return self.viewer

    def draw(self) -> None:
        self.viewer.stroke("b", PLACES[len(self.drawn) % len(PLACES)])
        self.drawn.append(str(self.viewer.facts("strokes[0].id")))

    def check(self) -> None:
        """Check that the server has each stroke once, and the voxels on the screen."""
        self.viewer.wait_saved()
        rows = MaskRevision.objects.filter(assignment=self.assignment).order_by("created_at")
        assert [stroke["id"] for row in rows for stroke in row.strokes] == self.drawn
        assert server_hash(self.assignment) == self.viewer.mask_hash()


def server_hash(assignment: Assignment) -> str:
    return hashlib.sha256(load_labels(head_of(assignment.pk, "findings"), SHAPE).tobytes()).hexdigest()


def wait_for_fault(line: FaultyLine, page: Page, count: int) -> None:
    for _ in range(200):
        if len(line.befallen) >= count:
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"the save did not come: {line.befallen}")


@pytest.mark.fault("the line is cut, doubled, late or reordered at every step of a save")
def test_the_line_fails_at_every_step(page: Page, line: FaultyLine, assignment: Assignment) -> None:
    reader = Reader(page, assignment)
    for n, fault in enumerate([*CUTS, Fault.TWICE, Fault.LATE], start=1):
        line.arm(fault)
        reader.draw()
        wait_for_fault(line, page, n)
        reader.draw()
        reader.check()
    assert [fault for fault, _ in line.befallen] == [*CUTS, Fault.TWICE, Fault.LATE]


@pytest.mark.fault("the tab dies at every step of a save")
def test_the_tab_dies_at_every_step(page: Page, line: FaultyLine, assignment: Assignment) -> None:
    reader = Reader(page, assignment)
    tab = page
    for n, fault in enumerate(CUTS, start=1):
        line.arm(fault)
        reader.draw()
        wait_for_fault(line, tab, n)
        line.down()  # messages of the dying tab are ignored
        tab.close(run_before_unload=False)
        line.up()
        tab = page.context.new_page()
        reader.open(tab)
        reader.check()


@pytest.mark.fault("the log-in ends at every step of a save")
def test_the_session_ends_at_every_step_and_one_logs_in_on_the_page(
    page: Page, line: FaultyLine, assignment: Assignment
) -> None:
    reader = Reader(page, assignment)

    def end_session() -> None:
        Session.objects.all().delete()
        connections.close_all()

    for n, fault in enumerate(CUTS, start=1):
        line.arm(fault, then=end_session)
        reader.draw()
        wait_for_fault(line, page, n)
        reader.draw()
        expect(page.get_by_test_id("signed-out")).to_contain_text("kept in this browser")
        if fault is Fault.BEFORE:
            shoot(page, "viewer-signed-out")
        reader.draw()  # drawing continues meanwhile
        page.get_by_test_id("log-in-again").click()
        form = page.get_by_test_id("log-in")
        if fault is Fault.BEFORE:
            form.get_by_label("Password").fill("not the password")
            form.get_by_role("button", name="Log in").click()
            expect(form.get_by_role("alert")).to_contain_text("not correct")
            shoot(page, "viewer-log-in-again")
        form.get_by_label("Password").fill(PASSWORD)
        form.get_by_role("button", name="Log in").click()
        expect(form).to_be_hidden()
        reader.check()
    assert page.url.endswith(f"/view/{assignment.pk}/")


def test_one_logs_in_on_the_page_with_a_second_factor(
    page: Page, live_world: World, assignment: Assignment, settings: Any
) -> None:
    settings.MFA_TOTP_TOLERANCE = 1  # the time step may change between reading the code and sending it
    reader = Reader(page, assignment)
    secret = generate_totp_secret()
    TOTP.activate(live_world["annotator"], secret)
    Session.objects.all().delete()
    reader.draw()
    reader.draw()
    page.get_by_test_id("log-in-again").click()
    form = page.get_by_test_id("log-in")
    form.get_by_label("Password").fill(PASSWORD)
    form.get_by_role("button", name="Log in").click()
    code = form.get_by_label("Authenticator or recovery code")
    expect(code).to_be_focused()
    found = faults(page)
    assert not MaskRevision.objects.filter(assignment=assignment).exists()  # the password alone is not enough
    code.fill("000000")
    form.get_by_role("button", name="Log in").click()
    expect(form.get_by_role("alert")).to_contain_text("code")
    found += faults(page)
    shoot(page, "viewer-second-factor")
    code.fill(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))
    form.get_by_role("button", name="Log in").click()
    expect(form).to_be_hidden()
    reader.check()
    assert not found, "\n".join(found)


def test_one_logs_in_on_another_tab_and_comes_back(page: Page, assignment: Assignment) -> None:
    """As somebody does who has a passkey: the dialog on the page asks for a password."""
    reader = Reader(page, assignment)
    Session.objects.all().delete()
    reader.draw()
    reader.draw()
    page.get_by_test_id("log-in-again").click()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Use a passkey").click()
    expect(opened.value.get_by_role("button", name="Use a passkey")).to_be_visible()
    log_in(opened.value, "annotator", PASSWORD)
    opened.value.close()
    page.bring_to_front()
    page.evaluate("dispatchEvent(new Event('focus'))")  # a headless window is never without the focus
    expect(page.get_by_test_id("log-in")).to_be_hidden()
    reader.check()


@pytest.mark.fault("somebody else logs in meanwhile")
def test_somebody_else_logs_in_meanwhile(page: Page, assignment: Assignment) -> None:
    reader = Reader(page, assignment)
    other = page.context.new_page()
    other.goto("/")
    other.locator("form[action='/accounts/logout/'] button").dispatch_event("click")
    other.wait_for_url("**/accounts/login/**")
    log_in(other, "annotator2", PASSWORD)
    other.goto(f"/view/{assignment.pk}/")
    assert other.title().startswith("Not found")
    reader.draw()
    expect(page.get_by_test_id("signed-out")).to_contain_text("annotator2 is logged in")
    assert not MaskRevision.objects.filter(assignment=assignment).exists()
    page.get_by_test_id("log-in-again").click()
    page.get_by_test_id("log-in").get_by_label("Password").fill(PASSWORD)
    page.get_by_test_id("log-in").get_by_role("button", name="Log in").click()
    reader.check()
    assert {row.author.username for row in MaskRevision.objects.filter(assignment=assignment) if row.author} == {
        "annotator"
    }


@pytest.mark.fault("two tabs on one scan")
def test_two_tabs_on_one_scan(page: Page, assignment: Assignment) -> None:
    reader = Reader(page, assignment)
    reader.draw()
    second = page.context.new_page()
    second.goto(f"/view/{assignment.pk}/")
    looking = Viewer(second).wait_ready()
    expect(second.get_by_test_id("other-tab")).to_contain_text("open in another tab")
    shoot(second, "viewer-second-tab")
    # Problems are shown beside the images, and a submit here must not leave out the other tab's strokes.
    note, panes = second.get_by_test_id("other-tab").bounding_box(), second.locator(".panes").bounding_box()
    assert note is not None
    assert panes is not None
    assert note["x"] >= panes["x"] + panes["width"]
    expect(second.get_by_test_id("submit")).to_be_disabled()
    second.keyboard.press("Control+Enter")
    expect(second.get_by_test_id("notice")).to_contain_text("submit it there")
    assert not (faults := looking.clipped()), "\n".join(faults)
    looking.go_to(PLACES[0])
    second.mouse.click(*looking.at(PLACES[1]))
    reader.draw()  # the first still draws
    second.get_by_test_id("draw-here").click()
    expect(page.get_by_test_id("taken-over")).to_contain_text("another tab")
    expect(second.get_by_test_id("other-tab")).to_be_hidden()
    reader.viewer = looking
    second.keyboard.press("b")
    looking.set_radius(3)
    reader.draw()
    reader.check()


@pytest.mark.fault("the lease is lost while drawing")
def test_the_scan_is_given_to_somebody_else(
    page: Page, live_world: World, assignment: Assignment, line: FaultyLine, tmp_path: Any, watched: Watched
) -> None:
    watched.expected.append("status of 409")  # it asks whether it may have the scan again
    reader = Reader(page, assignment)
    reader.draw()
    reader.check()
    line.down()
    reader.draw()
    expect(page.get_by_test_id("save-state")).to_have_attribute("data-state", "offline")
    reclaim_assignment(assignment_id=assignment.pk, actor=live_world["coordinator"], why="on leave")
    line.up()
    page.get_by_role("button", name="Try now").click()
    note = page.get_by_test_id("lease-lost")
    expect(note).to_contain_text("no longer yours")
    expect(note).to_contain_text("1 stroke")
    shoot(page, "viewer-lease-lost")
    with page.expect_download() as coming:
        note.get_by_test_id("download-mask").click()
    coming.value.save_as(tmp_path / "mask.nii.gz")
    labels = read_nifti_labels((tmp_path / "mask.nii.gz").read_bytes(), geometry_of(assignment.scan))
    assert hashlib.sha256(labels.tobytes()).hexdigest() == reader.viewer.mask_hash()


@pytest.mark.fault("the hold ran out while the computer slept")
def test_a_hold_that_ran_out_is_taken_again_by_itself(page: Page, assignment: Assignment) -> None:
    reader = Reader(page, assignment)
    Assignment.objects.filter(pk=assignment.pk).update(lease_until="2020-01-01T00:00:00Z", active_seconds=0)
    assert expire_leases() == 1
    reader.draw()
    reader.check()
    assignment.refresh_from_db()
    assert assignment.state == "open"


@pytest.mark.fault("the server refuses what was drawn")
def test_the_server_refuses_what_was_drawn(
    page: Page, assignment: Assignment, monkeypatch: pytest.MonkeyPatch, watched: Watched
) -> None:
    watched.expected.append("status of 422")
    reader = Reader(page, assignment)

    def refuse(**_: Any) -> None:
        raise Invalid("Layer findings has no segment 1.", code="bad_mask")

    with monkeypatch.context() as patch:
        patch.setattr("annotation.masks.services.save_message", refuse)
        reader.draw()
        expect(page.get_by_test_id("refused")).to_contain_text("Layer findings has no segment 1.")
        shoot(page, "viewer-refused")
    page.get_by_test_id("refused").get_by_role("button", name="Try again").click()
    reader.check()
