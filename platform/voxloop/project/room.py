"""Without room nothing is written: answered with 507 before the database, which needs the rest, comes to harm."""

from collections.abc import Callable

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from voxloop.jobs.room import disks
from voxloop.kernel.errors import FULL, NoSpace
from voxloop.project.problems import DISK_FULL

READS = ("GET", "HEAD", "OPTIONS", "TRACE")
# Who logs in may see what is wrong, and make room.
ALWAYS = ("/accounts/", "/api/v1/auth/")


class RoomMiddleware:
    """Refuses what writes while a disk is full, and tells a full disk that was met on the way as such."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, or 507."""
        if (
            request.method not in READS
            and not request.path.startswith(ALWAYS)
            and any(disk.is_gone for disk in disks())
        ):
            return full(request)
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """What a page met; the API's own handler does the same (`problems`)."""
        is_full = isinstance(error, OSError) and error.errno in FULL
        if isinstance(error, DatabaseError) and getattr(error.__cause__, "sqlstate", "") == DISK_FULL:
            is_full = True
        return full(request) if is_full or isinstance(error, NoSpace) else None


def full(request: HttpRequest) -> HttpResponse:
    """507: a problem document below /api/, a page elsewhere."""
    if request.path.startswith("/api/"):
        body = {
            "type": "about:blank",
            "title": "No space",
            "status": 507,
            "code": NoSpace.code,
            "detail": NoSpace.detail,
        }
        return JsonResponse(body, status=507, content_type="application/problem+json")
    return render(request, "errors/refused.html", {"detail": NoSpace.detail}, status=507)
