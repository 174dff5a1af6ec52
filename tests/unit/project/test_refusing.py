"""Refusals outside of a view, headers that only known proxies may set, and limits of bodies."""

import json
from typing import Any

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import RequestFactory

from voxloop.kernel.errors import CODE_HEADER, Busy, Gone, NoSpace
from voxloop.project.answers import PLAIN, CodedAnswers
from voxloop.project.front.limits import CREDENTIALS, FORM, MB, SMALL, refuse_body
from voxloop.project.ingress import BodyLimits, KnownProxies
from voxloop.project.refusing import asks_machine, refuse, render_refusal
from voxloop.project.scopes import CHANGES, scope_needed


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/v1/me/", True),
        ("/dicom-web/studies", True),
        ("/healthz", True),
        ("/metrics", True),
        ("/", False),
        ("/api", False),
        ("/healthz/x", False),
        ("/worklist/", False),
    ],
)
def test_who_is_answered_by_a_document(path: str, expected: bool) -> None:
    assert asks_machine(path) is expected


def test_a_program_gets_a_document_and_a_person_a_page() -> None:
    document = render_refusal("/api/v1/x", 503, "busy", "Try again.", 2)
    assert json.loads(document.body) == {
        "type": "about:blank",
        "title": "Not now",
        "status": 503,
        "code": "busy",
        "detail": "Try again.",
    }
    page = render_refusal("/worklist/", 503, "busy", "Try again.", 2)
    text = page.body.decode()
    assert "Not just now" in text
    assert "Try again." in text
    assert "busy" in text
    for answer in (document, page):
        headers = dict(answer.headers)
        assert (headers[CODE_HEADER], headers["Retry-After"], headers["Cache-Control"]) == ("busy", "2", "no-store")
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_page_tries_again_only_where_it_was_read() -> None:
    for method, is_again in (("get", True), ("post", False)):
        answer = refuse(getattr(RequestFactory(), method)("/worklist/"), Busy())
        assert ('http-equiv="refresh"' in answer.content.decode()) is is_again
        assert answer["Retry-After"] == "2"
    assert 'http-equiv="refresh"' not in refuse(RequestFactory().get("/x/"), Gone("It is gone.")).content.decode()


def test_text_of_a_refusal_is_escaped_on_a_page() -> None:
    page = render_refusal("/x/", 409, "conflict", "<script>alert(1)</script>")
    assert b"<script>" not in page.body


def test_a_refusal_has_the_status_of_its_kind() -> None:
    assert refuse(RequestFactory().post("/x/"), NoSpace()).status_code == 507
    assert refuse(RequestFactory().get("/x/"), Gone("It is gone.")).status_code == 410


UPLOAD = 2048 * MB


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/api/v1/assignments/0190/mask", 64 * MB),
        ("/api/v1/scans/upload", UPLOAD + FORM),
        ("/scans/upload/", UPLOAD + FORM),
        ("/api/v1/auth/token", CREDENTIALS),
        ("/accounts/login/", CREDENTIALS),
        ("/api/v1/assignments/0190/answers", SMALL),
        ("/api/v1/assignments/0190/x/mask", SMALL),
        ("/", SMALL),
        ("/a\nb", SMALL),
    ],
)
def test_the_largest_body_of_a_path(path: str, most: int) -> None:
    assert refuse_body(path, most, is_known=True) is None
    refused = refuse_body(path, most + 1, is_known=True)
    assert refused is not None
    assert (refused.status, refused.code) == (413, "too_large")


@pytest.mark.parametrize("path", ["/api/v1/assignments/0190/mask", "/api/v1/scans/upload", "/scans/upload/"])
def test_nobody_sends_a_file_before_logging_in(path: str) -> None:
    assert refuse_body(path, SMALL, is_known=False) is None
    refused = refuse_body(path, SMALL + 1, is_known=False)
    assert refused is not None
    assert (refused.status, refused.code) == (401, "not_authenticated")


def test_the_limit_is_said_in_words() -> None:
    for path, words in (("/accounts/login/", "16 KiB"), ("/", "1 MiB")):
        refused = refuse_body(path, 1 << 40, is_known=True)
        assert refused is not None
        assert words in refused.detail


def passed(middleware: Any, request: Any) -> Any:
    """What a middleware lets through, and its answer."""
    seen = []

    def view(asked: Any) -> HttpResponse:
        seen.append(asked)
        return HttpResponse("in")

    return seen, middleware(view)(request)


@pytest.mark.parametrize("length", ["", "abc", "²", "-5", str(SMALL)])
def test_a_body_within_the_limit_or_of_unknown_length_passes(length: str) -> None:
    seen, answer = passed(BodyLimits, RequestFactory().post("/x/", CONTENT_LENGTH=length))
    assert (len(seen), answer.status_code) == (1, 200)


def test_a_body_beyond_the_limit_does_not_reach_a_view() -> None:
    seen, answer = passed(BodyLimits, RequestFactory().post("/x/", CONTENT_LENGTH=str(SMALL + 1)))
    assert (seen, answer.status_code, answer[CODE_HEADER]) == ([], 413, "too_large")


@pytest.mark.parametrize("extra", [{"HTTP_AUTHORIZATION": "Token x"}, {"HTTP_COOKIE": "sessionid=x"}])
def test_who_carries_a_log_in_may_send_a_file(extra: dict[str, str], settings: Any) -> None:
    settings.SESSION_COOKIE_NAME = "sessionid"
    request = RequestFactory().post("/scans/upload/", CONTENT_LENGTH=str(SMALL + 1), **extra)  # type: ignore[arg-type]
    assert passed(BodyLimits, request)[1].status_code == 200


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address", "scheme"),
    [
        (0, "192.0.2.1", "10.0.0.1", None),
        (1, "192.0.2.1", "192.0.2.1", "https"),
        (1, "203.0.113.9, 192.0.2.1", "192.0.2.1", "https"),
        (2, "203.0.113.9, 192.0.2.1", "203.0.113.9", "https"),
        (2, "192.0.2.1", "10.0.0.1", None),
        (1, "", "10.0.0.1", None),
        (1, "not an address", "10.0.0.1", None),
        (1, " 2001:db8::1 ", "2001:db8::1", "https"),
        (3, ",, 203.0.113.9, 192.0.2.1,", "10.0.0.1", None),
    ],
)
def test_only_known_proxies_say_who_asks(
    proxies: int, forwarded: str, address: str, scheme: Any, settings: Any
) -> None:
    settings.PROXIES = proxies
    headers: dict[str, Any] = {
        "HTTP_X_FORWARDED_FOR": forwarded,
        "HTTP_X_FORWARDED_PROTO": "https",
        "HTTP_X_REAL_IP": "1.2.3.4",
    }
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_HOST="evil", **headers)
    [seen], _ = passed(KnownProxies, request)
    assert (seen.META["REMOTE_ADDR"], seen.META.get("HTTP_X_FORWARDED_PROTO")) == (address, scheme)
    assert not {"HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_X_FORWARDED_HOST"} & set(seen.META)


@pytest.mark.parametrize("status", sorted(PLAIN))
def test_a_bare_answer_gets_a_code(status: int) -> None:
    def bare(request: Any) -> HttpResponse:
        return HttpResponse(status=status, headers={"Allow": "GET", "Content-Type": "text/x"})

    for path, kind in (("/api/v1/x", "application/problem+json"), ("/x/", "text/html")):
        answer: Any = CodedAnswers(bare)(RequestFactory().get(path))
        assert answer.status_code == status
        assert answer["Content-Type"].startswith(kind)
        assert answer["Allow"] == "GET"
        assert PLAIN[status][0] in answer.content.decode()


def test_an_answer_with_a_code_or_a_page_of_its_own_stays() -> None:
    def coded(request: Any) -> HttpResponse:
        return HttpResponse(status=409, headers={CODE_HEADER: "batch_closed"})

    def page(request: Any) -> HttpResponse:
        return HttpResponse("<h1>No</h1>", status=404)

    def good(request: Any) -> HttpResponse:
        return HttpResponse("yes")

    def unknown(request: Any) -> HttpResponse:
        return HttpResponse("tea", status=418)

    def stream(request: Any) -> StreamingHttpResponse:
        return StreamingHttpResponse([b"x"], status=404)

    request = RequestFactory().get("/x/")
    assert CodedAnswers(coded)(request)[CODE_HEADER] == "batch_closed"
    kept: Any = CodedAnswers(page)(request)
    assert (kept.content, kept[CODE_HEADER]) == (b"<h1>No</h1>", "not_found")
    assert CODE_HEADER not in CodedAnswers(good)(request)
    assert CODE_HEADER not in CodedAnswers(unknown)(request)
    assert CodedAnswers(stream)(request)[CODE_HEADER] == "not_found"


@pytest.mark.parametrize(
    ("method", "route", "expected"),
    [
        ("GET", "batches", "read"),
        ("HEAD", "unknown", "read"),
        ("OPTIONS", "batches", "read"),
        ("POST", "batches", "manage"),
        ("PUT", "assignment-mask", "work"),
        ("POST", "review-approve", "work"),
        ("POST", "unknown", None),
        ("DELETE", "token", None),
    ],
)
def test_the_scope_of_a_route(method: str, route: str, expected: Any) -> None:
    assert scope_needed(method, route) == expected


def test_no_token_that_may_only_work_manages() -> None:
    managing = {route for route, scope in CHANGES.items() if scope == "manage"}
    assert {"batches", "scan-withdraw", "subject-erasure", "person-deactivate", "model-promote"} <= managing
    assert not [route for route in managing if route.startswith(("review-", "comment"))]
