"""A server of another version than the page: it is said in one sentence, and nothing is lost by it."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from annotation.masks.models import MaskRevision
from annotation.masks.selectors import newest_answers
from annotation.work.models import Assignment
from tests.factories.world import SHAPE, World, first_of, publish
from tests.journeys.viewer import Viewer

MIDDLE = (SHAPE[2] // 2, SHAPE[1] // 2, SHAPE[0] // 2)
WORDS = re.compile(r"does not understand \((\S+)\)\. Reload the page")


@pytest.fixture
def assignment(live_world: World) -> Assignment:
    return first_of(publish(live_world))


def test_a_page_with_another_context_says_so(assignment: Assignment, new_page: Any) -> None:
    page: Page = new_page("annotator")

    def change(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace('"position": 1', '"position": "first"'))

    page.route("**/view/**", change)
    page.goto(f"/view/{assignment.pk}/")
    expect(page.get_by_role("alert")).to_contain_text("does not understand (context/batch/position)")


def test_another_index_of_the_volume_fails_the_scan_in_words(assignment: Assignment, new_page: Any) -> None:
    page: Page = new_page("annotator")

    def change(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=re.sub(r'("index": )\{.*?"seal": "\w*"\}', r"\1null", answer.text()))

    page.route("**/view/**", change)
    page.route("**/volume", lambda route: route.fulfill(json={"version": 2}))
    page.goto(f"/view/{assignment.pk}/")
    expect(page.get_by_text(WORDS)).to_be_visible()


def test_answers_and_strokes_wait_for_a_server_that_is_understood(assignment: Assignment, new_page: Any) -> None:
    page: Page = new_page("annotator")
    page.goto(f"/view/{assignment.pk}/")
    viewer = Viewer(page).wait_ready()

    def answered(route: Route) -> None:
        route.fulfill(response=route.fetch(), body=json.dumps({"values": "many"}))

    page.route("**/answers", answered)
    page.get_by_test_id("tab-questions").click()
    page.get_by_test_id("answer-diagnosis-covid19").check()
    expect(page.get_by_text(WORDS)).to_contain_text("answers/values")
    page.unroute("**/answers")
    page.reload()
    viewer = Viewer(page).wait_ready()
    page.get_by_test_id("tab-questions").click()
    expect(page.get_by_test_id("answer-diagnosis-covid19")).to_be_checked()
    expect(page.get_by_text(WORDS)).to_have_count(0)

    def saved(route: Route) -> None:
        if route.request.method != "PUT":
            route.continue_()
            return
        answer = route.fetch()
        headers = {name: value for name, value in answer.headers.items() if name != "etag"}
        route.fulfill(status=answer.status, headers=headers, body="{}")

    page.route("**/mask?*", saved)
    viewer.go_to(MIDDLE)
    viewer.stroke("g", MIDDLE)
    expect(page.get_by_test_id("save-state")).to_contain_text("Server of another version")
    page.unroute("**/mask?*")
    viewer.wait_saved()
    assert MaskRevision.objects.filter(assignment=assignment).count() == 1
    assert newest_answers(assignment)["diagnosis"] == "covid19"
