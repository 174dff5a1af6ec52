"""What is settled about a request before anything else looks at it: who sent it, and how much it may bring."""

import ipaddress
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from voxloop.project.front.limits import refuse_body
from voxloop.project.refusing import render_refusal, respond

FROM_PROXIES = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_REAL_IP",
)


class KnownProxies:
    """Middleware, the first: what headers say of client and scheme holds only where `VOXLOOP_PROXIES` are in front."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        told = {name: request.META.pop(name, "") for name in FROM_PROXIES}
        chain = [part.strip() for part in told["HTTP_X_FORWARDED_FOR"].split(",") if part.strip()]
        # Each proxy adds at the right whom it heard it from; what stands further left anybody may have written.
        if 0 < settings.PROXIES <= len(chain) and _is_address(chain[-settings.PROXIES]):
            request.META["REMOTE_ADDR"] = chain[-settings.PROXIES]
            request.META["HTTP_X_FORWARDED_PROTO"] = told["HTTP_X_FORWARDED_PROTO"]
        return self.get_response(request)


class BodyLimits:
    """Middleware: the limits of the front (`front/limits.py`) behind every other server, by what the header says."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        said = request.META.get("CONTENT_LENGTH") or "0"
        is_known = "HTTP_AUTHORIZATION" in request.META or settings.SESSION_COOKIE_NAME in request.COOKIES
        refused = refuse_body(request.path, int(said), is_known=is_known) if said.isdigit() else None
        if refused:
            answer = render_refusal(request.path, refused.status, refused.code, refused.detail)
            return respond(answer, refused.status)
        return self.get_response(request)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
