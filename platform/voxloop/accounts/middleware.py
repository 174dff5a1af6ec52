"""What a log-in still lacks: it has been idle too long, needs a new password, or a second factor.

One gate for pages and API alike; tokens pass the same rules in `voxloop.project.authentication`. It stands before the
middleware that asks for a log-in, so that an idle session is met with the log-in page, or a 401 below /api/.
"""

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

# What stays open to somebody who has yet to choose a password, or to set up a second factor.
FOR_A_PASSWORD = {"account_change_password", "account_logout", "account_login", "health", "metrics", "offline-worker"}
FOR_A_FACTOR = FOR_A_PASSWORD | {"account_reauthenticate", "theme"}
# Asked by machines that nobody need sit at; the view of a beat says itself whether somebody drew.
POLLED = {"setup", "models_live", "api:assignment-beat"}
PASSED = "second_factor_seen"  # in the session: the requirement was met, and is not asked of the database again

MADE = "Your password was made by an administrator: log in on the pages and choose your own first."


class Gate:
    """Asks of every request of a person who is logged in whether the log-in still opens what it asks for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, keys: Any) -> HttpResponseBase | None:
        """An answer where the request may not go on, else None."""
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
    if request.path.startswith("/api/"):
        body = {"type": "about:blank", "title": "Not allowed", "status": 403, "code": code, "detail": detail}
        return JsonResponse(body, status=403, content_type="application/problem+json")
    return redirect(page)
