"""A refusing page has a code like an API response, and pages are not cached."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from annotation.work.models import Assignment
from tests.factories.clients import logged_in
from tests.factories.world import World
from voxloop.kernel.errors import CODE_HEADER

pytestmark = pytest.mark.django_db


def test_a_page_that_refuses_carries_its_code(world: World, opened: Assignment) -> None:
    client = logged_in(world, "annotator", raise_request_exception=False)
    expected = {
        ("get", "/nothing/"): (404, "not_found"),
        ("get", "/people/"): (403, "forbidden"),
        ("post", "/worklist/"): (405, "method_not_allowed"),
        ("post", f"/view/{opened.pk}/"): (405, "method_not_allowed"),
        ("get", "/worklist/?campaign=%00"): (400, "bad_request"),
        ("get", f"/view/{uuid4()}/"): (404, "not_found"),
        ("options", "/worklist/"): (405, "method_not_allowed"),
    }
    for (method, path), (status, code) in expected.items():
        answer = getattr(client, method)(path)
        assert (answer.status_code, answer[CODE_HEADER]) == (status, code), path
        assert code in answer.content.decode()
        assert "Go to what is next" in answer.content.decode()
    foreign = client.get("/worklist/", HTTP_HOST="elsewhere.example")
    assert (foreign.status_code, foreign[CODE_HEADER]) == (400, "bad_request")


def test_a_fault_of_ours_on_a_page_has_a_code(world: World, monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("planted")

    monkeypatch.setattr("annotation.pages.guard.admits", fail)
    client = logged_in(world, "annotator", raise_request_exception=False)
    answer = client.get("/worklist/")
    assert (answer.status_code, answer[CODE_HEADER]) == (500, "broken")
    assert b"planted" not in answer.content


def test_no_cache_keeps_an_answer(world: World, opened: Assignment) -> None:
    client = logged_in(world, "annotator")
    scan = f"/api/v1/scans/{opened.scan_id}"
    paths = (
        "/worklist/",
        "/people/me/",
        f"/view/{opened.pk}/",
        "/api/v1/me/",
        f"{scan}/volume",
        f"{scan}/volume/pack",
        f"{scan}/volume/preview",
        f"/api/v1/assignments/{opened.pk}/mask",
        f"/api/v1/assignments/{opened.pk}/",
        "/nothing/",
    )
    told = {path: client.get(path)["Cache-Control"].split(", ")[-1] for path in paths}
    assert told == dict.fromkeys(paths, "no-store")


def test_the_keys_of_a_page_are_of_the_person_and_of_the_log_in(world: World) -> None:
    def keys(client: Client) -> list[str]:
        page = client.get("/people/me/").content.decode()
        return page.partition('name="browser-keys" content="')[2].partition('"')[0].split()

    first, again, other = (logged_in(world, name) for name in ("annotator", "annotator", "annotator2"))
    assert keys(first) == keys(first)
    assert [len(key) for key in keys(first)] == [64, 64]
    assert keys(first)[0] == keys(again)[0] != keys(other)[0]
    assert keys(first)[1] != keys(again)[1]
    assert "browser-keys" not in Client().get("/accounts/login/").content.decode()


def test_a_log_out_asks_the_browser_to_clear(world: World) -> None:
    told = logged_in(world, "annotator").post("/accounts/logout/")
    assert (told.status_code, told["Clear-Site-Data"]) == (302, '"cache"')
    told = logged_in(world, "annotator").post("/accounts/logout/", {"nothing_waits": "1"})
    assert told["Clear-Site-Data"] == '"cache", "storage"'
