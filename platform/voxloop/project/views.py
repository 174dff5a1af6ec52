"""Answers that belong to no part: health, and refusals of the framework itself."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

LOCKED = "This name is locked for 15 minutes after 5 wrong passwords; wait, or ask an administrator."


@login_not_required
def health(request: HttpRequest) -> JsonResponse:
    """200 when the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form is older than the log-in; say so instead of Django's bare page."""
    if request.path.startswith("/api/"):
        return _problem(403, "csrf_failed", "The request has no valid CSRF token; reload the page and try again.")
    return render(request, "errors/403_csrf.html", status=403)


def locked_out(request: HttpRequest, response: Any = None, credentials: Any = None, *args: Any) -> HttpResponse:
    """Too many wrong passwords for a name."""
    if request.path.startswith("/api/"):
        return _problem(429, "locked_out", LOCKED)
    return render(request, "account/locked.html", {"sentence": LOCKED}, status=429)


def _problem(status: int, code: str, detail: str) -> JsonResponse:
    body = {"type": "about:blank", "title": "Refused", "status": status, "code": code, "detail": detail}
    return JsonResponse(body, status=status, content_type="application/problem+json")
