"""A person's viewer settings: stored by name, small, plain values, private."""

from typing import Any

import pytest
from django.test import Client

from annotation.reviews.context import viewer_context
from tests.factories.world import World, first_of, publish

pytestmark = pytest.mark.django_db
PATH = "/api/v1/me/settings"


def client_of(world: World, name: str) -> Client:
    client = Client()
    client.force_login(world[name], backend="django.contrib.auth.backends.ModelBackend")
    return client


def change(client: Client, values: Any) -> Any:
    return client.patch(PATH, {"values": values}, "application/json")


def test_names_are_set_one_by_one_and_taken_away(world: World) -> None:
    client = client_of(world, "annotator")
    assert client.get(PATH).json() == {"version": 1, "saved": 0, "values": {}}
    change(client, {"opacity": 40, "smooth": False})
    change(client, {"keys": {"undo": ["Ctrl+U"]}, "smooth": True})
    assert change(client, {"opacity": None}).json() == {
        "version": 1,
        "saved": 3,
        "values": {"keys": {"undo": ["Ctrl+U"]}, "smooth": True},
    }
    assert client_of(world, "reviewer").get(PATH).json()["values"] == {}


@pytest.mark.parametrize(
    ("values", "status", "code"),
    [
        ({"No name": 1}, 422, "bad_settings"),
        ({"x" * 41: 1}, 422, "bad_settings"),
        ({"text": "x" * 201}, 422, "bad_settings"),
        ({"deep": [[[[1]]]]}, 422, "bad_settings"),
        ({f"n{n}": n for n in range(101)}, 413, "too_large"),
        ({f"n{n}": "x" * 200 for n in range(90)}, 413, "too_large"),
        ([1], 422, "invalid"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_kept(world: World, values: Any, status: int, code: str) -> None:
    client = client_of(world, "annotator")
    answer = change(client, values)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert client.get(PATH).json()["saved"] == 0


def test_the_page_of_a_scan_carries_them(world: World) -> None:
    assignment = first_of(publish(world))
    change(client_of(world, "annotator"), {"opacity": 40})
    world["annotator"].refresh_from_db()
    assert viewer_context(assignment, world["annotator"]).settings.values == {"opacity": 40}
