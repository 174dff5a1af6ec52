"""Tab, network and session fail at every step of a save: no stroke is lost, none is applied twice."""

import hashlib
import time
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.contrib.sessions.models import Session
from django.db import connections
from playwright.sync_api import Page, expect

from annotation.masks.models import MaskRevision
from annotation.masks.nifti import geometry_of, read_nifti_labels
from annotation.masks.selectors import head_of, newest_answers
from annotation.masks.store import load_labels
from annotation.work.models import Assignment
from annotation.work.services import reclaim_assignment
from tests.browser.test_pages import faults
from tests.chromium import Watched, log_in, open_context, shoot
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
def line(live_server: Any) -> Iterator[FaultyLine]:
    with FaultyLine(live_server.url) as found:
        yield found


@pytest.fixture
def page(live_world: World, browser: Any, line: FaultyLine, watched: Watched) -> Iterator[Page]:
    watched.expected += ["net::ERR_", "status of 401", "status of 403", "status of 404", "status of 412"]
    context = open_context(browser, line.url, watched)
    found = context.new_page()
    log_in(found, "annotator", PASSWORD)
    yield found
    context.close()


class Reader:
    """Somebody who draws, and knows what was drawn."""

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
        """The server has each stroke once, and the voxels that are on the screen."""
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
        line.down()  # what the dying tab still says is not heard
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
        reader.draw()  # drawing goes on meanwhile
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
    settings.MFA_TOTP_TOLERANCE = 1  # the minute may turn between reading the code and sending it
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
    assert not MaskRevision.objects.filter(assignment=assignment).exists()  # the password alone opens nothing
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


@pytest.mark.fault("somebody else logs in meanwhile")
def test_somebody_else_logs_in_meanwhile(page: Page, assignment: Assignment) -> None:
    reader = Reader(page, assignment)
    other = page.context.new_page()
    other.goto("/")
    other.locator("form[action='/accounts/logout/'] button").dispatch_event("click")
    other.wait_for_url("**/accounts/login/**")
    log_in(other, "annotator2", PASSWORD)
    other.goto(f"/view/{assignment.pk}/")
    assert other.title().startswith("Not found") or "annotator" not in other.content()
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
    # What hinders stands beside the images, and strokes of the other tab are not left behind by a submit from here.
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
    page: Page, live_world: World, assignment: Assignment, line: FaultyLine, tmp_path: Any
) -> None:
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


@pytest.mark.fault("two browsers disagree")
def test_two_browsers_disagree_and_are_merged_region_by_region(
    page: Page, browser: Any, live_server: Any, watched: Watched, assignment: Assignment, line: FaultyLine
) -> None:
    reader = Reader(page, assignment)
    line.down()
    for _ in range(3):
        reader.draw()
    elsewhere = open_context(browser, live_server.url, watched)
    other = elsewhere.new_page()
    log_in(other, "annotator", PASSWORD)
    other.goto(f"/view/{assignment.pk}/")
    second = Viewer(other).wait_ready()
    second.go_to(PLACES[0])
    other.keyboard.press("b")
    second.set_radius(3)
    other.keyboard.press("2")
    for place in (PLACES[0], PLACES[2], PLACES[12]):
        second.stroke("b", place)
    second.wait_saved()
    theirs = second.counts()["2"]
    elsewhere.close()

    line.up()
    expect(page.get_by_test_id("conflict")).to_contain_text("voxels differ", timeout=30_000)
    page.get_by_test_id("decide").click()
    regions = page.get_by_test_id("versions")
    expect(regions.get_by_role("listitem")).to_have_count(2)
    regions.get_by_test_id("region-1").get_by_role("button", name="Theirs").click()
    shoot(page, "viewer-two-versions")
    found = faults(page)
    assert not found, "\n".join(found)
    regions.get_by_test_id("merge-versions").click()
    reader.viewer.wait_saved()
    expect(regions).to_be_hidden()
    counts = reader.viewer.counts()
    assert 0 < counts["1"] < counts["1"] + counts["2"]
    assert server_hash(assignment) == reader.viewer.mask_hash()
    head = head_of(assignment.pk, "findings")
    assert head is not None
    assert head.voxel_counts == counts
    merge = [stroke for stroke in head.strokes if "parents" in stroke["params"]]
    assert [stroke["params"]["parents"][0] for stroke in merge] == [str(head.parent_id)]
    page.keyboard.press("Control+z")
    page.wait_for_function("() => voxloop.history.redoDepth === 1")
    assert reader.viewer.counts()["1"] > counts["1"]
    assert theirs > reader.viewer.counts()["2"]


@pytest.mark.fault("answers, a dead tab and no network")
def test_answers_outlive_the_tab_the_network_and_a_refusal(
    page: Page, line: FaultyLine, assignment: Assignment, watched: Watched
) -> None:
    watched.expected.append("status of 422")

    def open_questions(tab: Page) -> None:
        tab.goto(f"/view/{assignment.pk}/")
        Viewer(tab).wait_ready()
        tab.get_by_test_id("tab-questions").click()

    open_questions(page)
    page.get_by_test_id("answer-diagnosis-covid19").check()
    page.close(run_before_unload=False)
    assert newest_answers(assignment) == {}
    tab = page.context.new_page()
    open_questions(tab)
    expect(tab.get_by_test_id("answer-diagnosis-covid19")).to_be_checked()
    until_answered(tab, assignment, {"diagnosis": "covid19"})

    line.down()
    tab.get_by_test_id("answer-quality-limited").check()
    tab.wait_for_function("() => document.querySelector('[data-testid=save-state]').textContent.includes('answers')")
    line.up()
    until_answered(tab, assignment, {"diagnosis": "covid19", "quality": "limited"})

    schema = assignment.campaign.schema
    quality = next(one for one in schema.definition["questions"] if one["key"] == "quality")
    quality["options"][0]["value"] = "excellent"
    schema.save()
    tab.get_by_test_id("answer-quality-good").check()
    expect(tab.get_by_test_id("answers-refused")).to_contain_text("is no answer to “Image quality”")
    shoot(tab, "viewer-answers-refused")
    open_questions(tab)
    expect(tab.get_by_test_id("answers-refused")).to_contain_text("kept in this browser")
    tab.get_by_test_id("answer-quality-excellent").check()
    until_answered(tab, assignment, {"diagnosis": "covid19", "quality": "excellent"})
    expect(tab.get_by_test_id("answers-refused")).to_be_hidden()


def until_answered(page: Page, assignment: Assignment, values: dict[str, Any]) -> None:
    for _ in range(400):
        if newest_answers(assignment) == values:
            return
        page.wait_for_timeout(25)
    assert newest_answers(assignment) == values
