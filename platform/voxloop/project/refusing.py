"""Refusals outside a view: a problem document for programs, a plain page for people. Needs no database."""

import json
from dataclasses import dataclass
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from voxloop.kernel.errors import CODE_HEADER, Refusal
from voxloop.project.statuses import STATUS, TITLES

HEADINGS = {
    401: "Log in first",
    413: "This is too large",
    429: "Too many requests",
    503: "Not just now",
    507: "The disk of the server is full",
}
# The page has inline style and loads nothing else.
HEADERS = [
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
]


@dataclass(frozen=True)
class Answer:
    """A complete response, independent of Django."""

    reason: str
    headers: list[tuple[str, str]]
    body: bytes


def asks_machine(path: str) -> bool:
    """Whether the path is an API path, which gets problem documents."""
    return path.startswith(("/api/", "/dicom-web/")) or path in {"/healthz", "/metrics"}


def render_refusal(
    path: str, status: int, code: str, detail: str, again_after_seconds: int | None = None, *, is_read: bool = True
) -> Answer:
    """The response as status line, headers and bytes. `is_read`: a page requested by GET retries by itself."""
    reason = HTTPStatus(status).phrase
    if asks_machine(path):
        kind = "application/problem+json"
        document = {
            "type": "about:blank",
            "title": TITLES.get(status, reason),
            "status": status,
            "code": code,
            "detail": detail,
        }
        body = json.dumps(document).encode()
    else:
        kind = "text/html; charset=utf-8"
        heading = HEADINGS.get(status, "This cannot be done")
        context = {"heading": heading, "text": detail, "code": code, "again": is_read and again_after_seconds}
        body = render_to_string("errors/plain.html", context).encode()
    headers = [*HEADERS, ("Content-Type", kind), (CODE_HEADER, code)]
    if again_after_seconds is not None:
        headers.append(("Retry-After", str(again_after_seconds)))
    return Answer(reason, headers, body)


def refuse(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """A refusal as Django's response."""
    status = STATUS[refusal.kind]
    is_read = request.method in {"GET", "HEAD"}
    answer = render_refusal(
        request.path, status, refusal.code, refusal.detail, refusal.again_after_seconds, is_read=is_read
    )
    return respond(answer, status)


def respond(answer: Answer, status: int) -> HttpResponse:
    """A complete response as Django's."""
    return HttpResponse(answer.body, status=status, headers=dict(answer.headers))
