"""Where a person is: the time zone in which their days begin and end.

A person may choose one; otherwise it is that of the browser they used last, which tells it in a cookie; without either
it is the server's (`VOXLOOP_TIME_ZONE`). Everything stored stays in UTC; only dates without a time need a zone."""

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from voxloop.accounts.models import User
from voxloop.kernel.clock import today_in
from voxloop.kernel.errors import Invalid

COOKIE = "zone"  # set by the pages' script
LONGEST = 40


def zone_of(user: User | None) -> ZoneInfo:
    """The time zone of a person; nobody is where the server is."""
    for name in (user.time_zone, user.browser_zone) if user else ():
        if name in list_zones():
            return ZoneInfo(name)
    return ZoneInfo(settings.DEFAULT_ZONE)


def today_of(user: User | None) -> date:
    """The date where a person is."""
    return today_in(zone_of(user))


def set_time_zone(*, user: User, name: str) -> None:
    """Remember a person's choice; "" for that of their browser. Raises Invalid (`bad_time_zone`)."""
    if name and name not in list_zones():
        raise Invalid("There is no such time zone; choose one of the list.", code="bad_time_zone")
    user.time_zone = name
    user.save(update_fields=["time_zone"])


@lru_cache(maxsize=1)
def list_zones() -> tuple[str, ...]:
    """Names of time zones to choose from, in order."""
    return tuple(
        sorted(name for name in available_timezones() if ("/" in name or name == "UTC") and len(name) <= LONGEST)
    )


class BrowserZone:
    """Remembers the time zone that a person's browser tells, when it has changed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        told = request.COOKIES.get(COOKIE, "").replace("%2F", "/")
        if told and request.method == "GET" and request.user.is_authenticated:
            user = request.user
            if told != user.browser_zone and told in list_zones():
                User.objects.filter(pk=user.pk).update(browser_zone=told)
                user.browser_zone = told
        return self.get_response(request)
