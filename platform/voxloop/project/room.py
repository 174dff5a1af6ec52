"""Without room nothing is written: answered with 507 before the database, which needs the rest, comes to harm."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from voxloop.jobs.room import disks
from voxloop.kernel.errors import NoSpace
from voxloop.project.away import find_unavailable
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
            return refuse(request, NoSpace())
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """What a page met; the API's own handler does the same (`problems`)."""
        told = find_unavailable(error)
        return refuse(request, told) if isinstance(told, NoSpace) else None
