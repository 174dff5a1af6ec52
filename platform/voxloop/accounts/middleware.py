"""Checks a log-in: it may have been idle too long, or need a new password or a second factor.

For pages and API alike; tokens follow the same rules in `voxloop.project.authentication`. Comes before the middleware
that requires a log-in, so that an idle session gets the log-in page, or a 401 below /api/."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect

from voxloop.accounts.models import User
from voxloop.accounts.second_factor import require_set_up
from voxloop.accounts.sessions import end_idle, is_alive
from voxloop.kernel.errors import Forbidden

# Routes open to somebody who must first choose a password or set up a second factor.
FOR_A_PASSWORD = {"account_change_password", "account_logout", "account_login", "health", "metrics", "offline-worker"}
FOR_A_FACTOR = FOR_A_PASSWORD | {"account_reauthenticate", "theme"}
# Polled without a person present; the heartbeat view itself reports whether somebody drew.
POLLED = {"setup", "models_live", "api:assignment-beat"}
PASSED = "second_factor_seen"  # session key: the requirement was met; saves a query on every request

MADE = "Your password was made by an administrator: log in on the pages and choose your own first."


class Gate:
    """Refuses requests of logged-in persons whose log-in is idle or incomplete."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, keys: Any) -> HttpResponseBase | None:
        """A response when the request may not go on, else None."""
        name = request.resolver_match.view_name if request.resolver_match else ""
        if not request.session.session_key or not request.user.is_authenticated:
            return None
        if not is_alive(request, counts=_is_of_a_person(request, name)):
            end_idle(request)
            request.user = AnonymousUser()
            return None
        if request.user.must_change_password and name not in FOR_A_PASSWORD:
            return _lacks(request, "account_change_password", "password_change_required", MADE)
        if name.startswith("mfa_") or name in FOR_A_FACTOR or not settings.REQUIRE_TOTP:
            return None
        if request.session.get(PASSED):
            return None
        try:
            if require_set_up(request.user):
                request.session[PASSED] = True
        except Forbidden as refusal:
            return _lacks(request, "mfa_index", refusal.code, refusal.detail)
        return None


def require_own_password(user: User) -> None:
    """Raise Forbidden (`password_change_required`) for somebody whose password an administrator has made."""
    if user.must_change_password:
        raise Forbidden(MADE, code="password_change_required")


def _is_of_a_person(request: HttpRequest, name: str) -> bool:
    return name not in POLLED and not (request.method == "GET" and "HX-Request" in request.headers)


def _lacks(request: HttpRequest, page: str, code: str, detail: str) -> HttpResponse:
    if request.path.startswith(("/api/", "/dicom-web/")):
        body = {"type": "about:blank", "title": "Not allowed", "status": 403, "code": code, "detail": detail}
        return JsonResponse(body, status=403, content_type="application/problem+json")
    return redirect(page)
