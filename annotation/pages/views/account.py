"""One's own account: theme, second factor, tokens, log-ins."""

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from annotation.pages.guard import back
from annotation.pages.requests import PageRequest
from annotation.scans.models import Site
from voxloop.accounts.models import Scope
from voxloop.accounts.second_factor import has_passed, has_second_factor
from voxloop.accounts.services import confirm_signature, set_theme
from voxloop.accounts.sessions import device_words, end_sessions, list_sessions
from voxloop.accounts.tokens import end_token, find_own_token, issue_token
from voxloop.accounts.zones import list_zones, set_time_zone, zone_of
from voxloop.kernel.errors import Forbidden, Invalid

LASTS = ((1, "a day"), (7, "a week"), (0, "as long as tokens last here"))


def me(request: PageRequest) -> HttpResponse:
    """One's own account: theme, password, second factor, API tokens, log-ins."""
    has_factor = has_second_factor(request.user)
    return render(
        request,
        "me.html",
        {
            "tokens": request.user.auth_token_set.all(),
            "fresh_token": request.session.pop("fresh_token", None),
            "scopes": Scope.choices,
            "lasts": LASTS,
            "sessions": [
                (row, device_words(row.user_agent), row.session_key == request.session.session_key)
                for row in list_sessions(request.user)
            ],
            "memberships": request.user.memberships.select_related("campaign").order_by("campaign__name", "role"),
            "sites": Site.objects.filter(memberships__user=request.user),
            "zone": zone_of(request.user).key,
            "zones": list_zones(),
            "has_factor": has_factor,
            "asks_code": has_factor and not has_passed(request, request.user),
        },
    )


def theme(request: PageRequest) -> HttpResponse:
    """Light, dark, or as the system."""
    set_theme(user=request.user, theme=request.POST.get("theme", ""))
    return back(request, reverse("me"))


def time_zone(request: PageRequest) -> HttpResponse:
    """Where one's days begin and end."""
    set_time_zone(user=request.user, name=request.POST.get("time_zone", ""))
    messages.success(request, "Your time zone is kept. Due dates end with the day there.")
    return redirect("me")


def token_new(request: PageRequest) -> HttpResponse:
    """Make an API token; it is shown once."""
    password = request.POST.get("password", "")
    if not password:
        raise Invalid("Enter your password to make a token.", code="signature_required")
    confirm_signature(request=request, password=password, code=request.POST.get("code"))
    lasts = request.POST.get("days", "")
    _, request.session["fresh_token"] = issue_token(
        user=request.user,
        name=request.POST.get("name", "").strip(),
        scopes=request.POST.getlist("scopes"),
        days=int(lasts) if lasts in {str(days) for days, _ in LASTS if days} else None,
    )
    return redirect(f"{reverse('me')}#tokens")


def token_revoke(request: PageRequest) -> HttpResponse:
    """Revoke a token."""
    token = find_own_token(request.user, request.POST.get("token_key", ""))
    if token is None:
        raise Forbidden("There is no such token of yours.")
    end_token(token=token, actor=request.user)
    messages.success(request, "The token no longer works.")
    return redirect(f"{reverse('me')}#tokens")


def sessions_end(request: PageRequest) -> HttpResponse:
    """End one log-in, all others, or all with this one."""
    which, here = request.POST.get("which", ""), request.session.session_key
    if which == "all":
        end_sessions(user=request.user, but=here, why="logged out everywhere")
        logout(request)
        return redirect("account_login")
    if which == "others":
        n = end_sessions(user=request.user, but=here, why="logged out elsewhere")
        messages.success(request, "You are logged in here alone." if n else "You were logged in nowhere else.")
    elif which.isascii() and which.isdigit() and len(which) < 15:
        if not end_sessions(user=request.user, but=here, only=int(which), why="ended from the list"):
            raise Invalid("That log-in has ended already.", code="no_session")
        messages.success(request, "That log-in has ended.")
    else:
        raise Invalid("Say which log-in to end.", code="bad_choice")
    return redirect(f"{reverse('me')}#log-ins")
