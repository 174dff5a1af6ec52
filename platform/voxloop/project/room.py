"""Refuses writes with 507 while a disk is full, to keep the rest for the database."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from voxloop.jobs.room import disks
from voxloop.kernel.errors import NoSpace
from voxloop.project.away import find_unavailable
from voxloop.project.refusing import refuse

READS = ("GET", "HEAD", "OPTIONS", "TRACE")
# Log-in stays possible, to see what is wrong and to make room.
ALWAYS = ("/accounts/", "/api/v1/auth/")


class RoomMiddleware:
    """Refuses writing requests while a disk is full, and maps ENOSPC errors to the same refusal."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, or 507."""
        if (
            request.method not in READS
            and not request.path.startswith(ALWAYS)
            and any(disk.is_gone for disk in disks())
        ):
            return refuse(request, NoSpace())
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Errors of pages; `problems` does the same for the API."""
        told = find_unavailable(error)
        return refuse(request, told) if isinstance(told, NoSpace) else None
