"""Conflicting saves of two browsers, and answers that survive their tab."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.masks.selectors import head_of, newest_answers
from annotation.work.models import Assignment
from tests.browser.test_pages import faults
from tests.browser.test_viewer_never_loses import PLACES, Reader, server_hash
from tests.chromium import Watched, log_in, open_context, shoot
from tests.factories.world import PASSWORD, World, first_of, publish
from tests.faults import FaultyLine
from tests.journeys.viewer import Viewer


@pytest.fixture
def assignment(live_world: World) -> Assignment:
    return first_of(publish(live_world))


@pytest.fixture
def page(faulty_page: Page) -> Page:
    return faulty_page


@pytest.fixture
def line(faulty_line: FaultyLine) -> FaultyLine:
    return faulty_line


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
    for voxel in (PLACES[0], PLACES[2], PLACES[12]):
        second.stroke("b", voxel)
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
    expect(tab.get_by_test_id("answers-refused")).to_contain_text("is not an answer to “Image quality”")
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
