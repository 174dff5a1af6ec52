"""Limits: body sizes by route, request rates by address and person, and trusted proxies."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver

from tests.factories.world import PASSWORD, World
from voxloop.project import rates
from voxloop.project.front.limits import CREDENTIALS, SMALL
from voxloop.project.ingress import KnownProxies
from voxloop.project.models import RequestCount

ROOT = Path(__file__).parents[2]


def logged_in(world: World, name: str = "annotator") -> Client:
    client = Client()
    client.force_login(world[name], backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def counted(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rates at a tenth, in a window that does not end within the test."""
    settings.RATE_FACTOR = 0.1
    monkeypatch.setattr(rates, "WINDOW_SECONDS", 1 << 40)


def log_in_by_token(name: str, **more: Any) -> Any:
    body = json.dumps({"username": name, "password": PASSWORD})
    return Client().post("/api/v1/auth/token", body, content_type="application/json", **more)


def test_one_person_is_limited_and_others_at_the_address_are_not(world: World, counted: None) -> None:
    assert [log_in_by_token("annotator").status_code for _ in range(2)] == [200, 200]
    refused = log_in_by_token("annotator")
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
    assert int(refused.headers["Retry-After"]) > 0
    assert log_in_by_token("reviewer").status_code == 200
    # The log-in page is counted separately, and refuses with a page.
    for status in (302, 302, 429):
        sent = Client().post("/accounts/login/", {"login": "annotator2", "password": PASSWORD})
        assert sent.status_code == status
    assert sent.headers["Voxloop-Code"] == "too_many_requests"
    assert b"Too many requests" in sent.content


def test_a_name_that_is_no_text_is_counted_and_refused(world: World, counted: None) -> None:
    body = '{"username": "\\ud800", "password": "x"}'
    refused = Client().post("/api/v1/auth/token", body, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (400, "parse_error")


def test_an_address_is_limited_whatever_names_are_tried(world: World, counted: None) -> None:
    statuses = [log_in_by_token(f"nobody{n}").status_code for n in range(31)]
    assert statuses == [403] * 30 + [429]
    assert log_in_by_token("annotator", REMOTE_ADDR="10.0.0.9").status_code == 200
    # An IPv6 network counts as one address.
    for n in range(30):
        log_in_by_token(f"nobody{n}", REMOTE_ADDR=f"2001:db8::{n:x}")
    assert log_in_by_token("annotator", REMOTE_ADDR="2001:db8::ffff").status_code == 429


def test_a_person_is_one_by_whatever_token(world: World, counted: None) -> None:
    tokens = [log_in_by_token("reviewer").json()["token"] for _ in range(2)]
    statuses = [
        Client().get("/api/v1/schema/", headers={"Authorization": f"Token {tokens[n % 2]}"}).status_code
        for n in range(7)
    ]
    assert statuses == [200] * 6 + [429]


def test_drawing_and_looking_are_not_counted(world: World, counted: None) -> None:
    client = logged_in(world)
    for path in ("/api/v1/me/", "/api/v1/assignments/", "/worklist/"):
        assert client.get(path).status_code == 200
    assert not RequestCount.objects.exists()
    for name, method in (("api:assignment-mask", "PUT"), ("api:assignment-answers", "PUT"), ("api:volume-pack", "GET")):
        assert rates.find_rate(name, method, is_anonymous=False) is None


def views() -> Iterator[tuple[str, Any]]:
    def walk(patterns: list[Any], space: str) -> Iterator[tuple[str, Any]]:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                inner = f"{pattern.namespace}:" if pattern.namespace else ""
                yield from walk(pattern.url_patterns, space + inner)
            elif isinstance(pattern, URLPattern):
                yield f"{space}{pattern.name}", pattern.callback

    return walk(get_resolver().url_patterns, "")


def test_every_route_without_a_log_in_is_counted_and_every_rule_names_routes() -> None:
    every = dict(views())
    anonymous = {name for name, view in every.items() if rates.asks_for_no_log_in(view)}
    assert {"api:token", "account_login", "mfa_authenticate", "health", "metrics", "offline-worker"} <= anonymous
    assert not {"api:me", "api:assignment-mask", "home"} & anonymous
    uncounted = {name for name in anonymous if rates.find_rate(name, "POST", is_anonymous=True) is None}
    assert uncounted == rates.UNCOUNTED == {"health"}
    assert {name for rate in rates.RATES for name in rate.routes} - set(every) == set()


def test_old_counts_are_forgotten(db: None, counted: None, monkeypatch: pytest.MonkeyPatch) -> None:
    RequestCount.objects.create(key="old", window=-20, count=5)
    monkeypatch.setattr(random, "random", lambda: 0.0)
    assert rates.spend({"new": 10}) == 0
    assert list(RequestCount.objects.values_list("key", flat=True)) == ["new"]


@pytest.mark.parametrize(
    ("path", "size", "who", "status", "code"),
    [
        ("/api/v1/auth/token", CREDENTIALS + 1, None, 413, "too_large"),
        ("/accounts/login/", CREDENTIALS + 1, None, 413, "too_large"),
        ("/api/v1/batches/", SMALL + 1, "coordinator", 413, "too_large"),
        ("/people/me/", SMALL + 1, "annotator", 413, "too_large"),
        ("/api/v1/scans/upload", SMALL + 1, None, 401, "not_authenticated"),
        ("/api/v1/scans/upload", SMALL + 1, "datamanager", 415, "unsupported_media_type"),
    ],
)
def test_a_body_is_refused_by_its_length(
    world: World, path: str, size: int, who: str | None, status: int, code: str
) -> None:
    """Behind any server, before a view or a parser sees it."""
    client = logged_in(world, who) if who else Client()
    answer = client.post(path, bytes(size), content_type="application/json")
    assert answer.status_code == status, answer.content
    told = answer.headers.get("Voxloop-Code") or answer.json()["code"]
    assert told == code


@pytest.mark.parametrize(
    ("proxies", "chain", "address", "is_secure"),
    [
        (0, "1.2.3.4", "10.0.0.1", False),
        (1, "6.6.6.6, 1.2.3.4", "1.2.3.4", True),
        (2, "6.6.6.6, 1.2.3.4, 5.6.7.8", "1.2.3.4", True),
        (2, "1.2.3.4", "10.0.0.1", False),
        (1, "no address", "10.0.0.1", False),
    ],
)
def test_headers_of_proxies_count_as_far_as_proxies_are_known(
    settings: Any, proxies: int, chain: str, address: str, is_secure: bool
) -> None:
    settings.PROXIES = proxies
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    seen: list[HttpRequest] = []
    request = RequestFactory().get(
        "/",
        REMOTE_ADDR="10.0.0.1",
        headers={"X-Forwarded-For": chain, "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.test"},
    )

    def answer(known: HttpRequest) -> HttpResponse:
        seen.append(known)
        return HttpResponse()

    KnownProxies(answer)(request)
    assert (seen[0].META["REMOTE_ADDR"], seen[0].is_secure()) == (address, is_secure)
    assert "HTTP_X_FORWARDED_HOST" not in seen[0].META


def test_tls_without_a_known_proxy_is_told_at_the_start() -> None:
    environment = os.environ | {"VOXLOOP_HTTPS": "1", "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}"}
    command = [sys.executable, "-m", "voxloop.project.front", "--check"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, "say how many proxies are in front" in done.stderr) == (1, True)
    done = subprocess.run(
        command, cwd=ROOT, env=environment | {"VOXLOOP_PROXIES": "1"}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0
