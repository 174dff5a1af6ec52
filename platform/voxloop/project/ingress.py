"""Middleware for incoming requests: the client's address and scheme, and the limits on bodies."""

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
    """First middleware: trusts forwarded headers on client and scheme only from the `VOXLOOP_PROXIES` proxies in
    front."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        told = {name: request.META.pop(name, "") for name in FROM_PROXIES}
        chain = [part.strip() for part in told["HTTP_X_FORWARDED_FOR"].split(",") if part.strip()]
        # Each proxy appends its peer's address at the right; entries further left may be forged.
        if 0 < settings.PROXIES <= len(chain) and _is_address(chain[-settings.PROXIES]):
            request.META["REMOTE_ADDR"] = chain[-settings.PROXIES]
            request.META["HTTP_X_FORWARDED_PROTO"] = told["HTTP_X_FORWARDED_PROTO"]
        return self.get_response(request)


class BodyLimits:
    """Middleware: the body limits of the front (`front/limits.py`) for other servers, by Content-Length."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        said = request.META.get("CONTENT_LENGTH") or "0"
        is_known = "HTTP_AUTHORIZATION" in request.META or settings.SESSION_COOKIE_NAME in request.COOKIES
        refused = refuse_body(request.path, int(said), is_known=is_known) if said.isdecimal() else None
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
