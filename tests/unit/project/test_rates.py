"""Whom a rate limit counts: the route, the address, the person or the name that was typed."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from rest_framework.permissions import AllowAny, IsAuthenticated

from voxloop.project.front.limits import CREDENTIALS
from voxloop.project.rates import (
    ANONYMOUS,
    UNCOUNTED,
    address_of,
    asks_for_no_log_in,
    find_rate,
    person_of,
)


@pytest.mark.parametrize(
    ("name", "method", "is_anonymous", "expected"),
    [
        ("api:token", "POST", True, (300, 20)),
        ("account_login", "POST", True, (300, 20)),
        ("account_login", "GET", True, (1200, 1200)),
        ("api:assignment-mask", "PUT", False, None),
        ("api:assignment-propose", "POST", False, (1200, 240)),
        ("api:scan-upload", "POST", False, (600, 120)),
        ("api:releases", "GET", False, None),
        ("api:releases", "POST", False, (120, 20)),
        ("api:schema", "GET", False, (300, 60)),
        ("api:schema", "HEAD", False, (300, 60)),
        ("health", "GET", True, None),
        ("metrics", "GET", True, (1200, 1200)),
        ("", "GET", False, None),
    ],
)
def test_the_limit_of_a_route(name: str, method: str, is_anonymous: bool, expected: Any) -> None:
    found = find_rate(name, method, is_anonymous=is_anonymous)
    assert (found and (found.address, found.person)) == expected


def test_health_answers_while_the_database_hangs() -> None:
    assert set(UNCOUNTED) == {"health"}
    assert find_rate("health", "GET", is_anonymous=True) is not ANONYMOUS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unix:" + "x" * 100, "unix:" + "x" * 59),
    ],
)
def test_an_address_is_a_client_or_its_network(text: str, expected: str) -> None:
    assert address_of(RequestFactory().get("/", REMOTE_ADDR=text)) == expected


def test_clients_of_one_network_are_one_and_ipv4_clients_are_not() -> None:
    """A server that listens on both families writes IPv4 as `::ffff:…`, all in the network ::/64."""
    addresses = ["2001:db8::1", "2001:db8::2", "::ffff:192.0.2.1", "::ffff:192.0.2.2", "192.0.2.1"]
    found = [address_of(RequestFactory().get("/", REMOTE_ADDR=text)) for text in addresses]
    assert found[0] == found[1]
    assert found[2] != found[3]
    assert found[2] == found[4]


def view_with(**attributes: Any) -> Any:
    return SimpleNamespace(**attributes)


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (view_with(), False),
        (view_with(login_required=True), False),
        (view_with(login_required=False), True),
        (view_with(cls=view_with(permission_classes=[AllowAny])), True),
        (view_with(cls=view_with(permission_classes=[IsAuthenticated])), False),
        (view_with(cls=view_with(), login_required=False), False),
    ],
)
def test_which_views_ask_for_no_log_in(view: Any, expected: bool) -> None:
    assert asks_for_no_log_in(view) is expected


def asked(method: str = "post", **request: Any) -> Any:
    made = getattr(RequestFactory(), method)("/accounts/login/", **request)
    made.user = AnonymousUser()
    return made


def typed(name: object) -> Any:
    return asked(data=json.dumps({"username": name, "password": "x"}), content_type="application/json")


def test_a_name_is_counted_without_being_kept() -> None:
    """It may be a mistyped password."""
    found = person_of(typed("annotator1"))
    assert len(found) == 40
    assert "annotator1" not in found
    assert person_of(typed("ANNOTATOR1")) == found
    assert person_of(typed("annotator2")) != found
    assert person_of(asked(data={"login": "Annotator1"})) == found
    assert person_of(asked(data={"username": "annotator1", "login": "another"})) == found


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "null", '"annotator1"', '{"username": 7}', '{"username": null}', "[" * 3000]
)
def test_a_body_without_a_name_names_nobody(body: str) -> None:
    assert person_of(asked(data=body, content_type="application/json")) == ""


def test_half_a_letter_is_counted_too() -> None:
    assert len(person_of(typed("\ud800"))) == 40


def test_a_body_longer_than_a_log_in_is_not_read() -> None:
    long = {"data": json.dumps({"username": "x", "more": "x" * CREDENTIALS}), "content_type": "application/json"}
    assert person_of(asked(**long)) == ""


@pytest.mark.parametrize("length", ["", "abc", "²"])
def test_a_length_that_is_none_is_no_fault(length: str) -> None:
    assert person_of(asked(data={"login": "annotator1"}, CONTENT_LENGTH=length)) == ""


def test_a_read_names_nobody() -> None:
    assert person_of(asked("get", data={"username": "annotator1"})) == ""


def test_a_log_in_is_its_person() -> None:
    request = typed("somebody else")
    request.user = SimpleNamespace(is_authenticated=True, pk=7)
    assert person_of(request) == "7"
