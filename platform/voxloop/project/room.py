"""Without room nothing is written: answered with 507 before the database, which needs the rest, comes to harm."""

from collections.abc import Callable

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from voxloop.jobs.room import disks
from voxloop.kernel.errors import FULL, NoSpace
from voxloop.project.problems import DISK_FULL
from voxloop.project.refusing import refuse

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
    """507: a problem document for programs, a page for people."""
    return refuse(request, 507, NoSpace.code, NoSpace.detail, retry_after=30)
