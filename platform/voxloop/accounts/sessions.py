"""Open log-ins: list them, end them by hand or when idle.

Each Django session has a row of allauth's `UserSession`. Its last use is written at most once a minute by each process,
so that a save costs no extra query."""

import re
import time
from collections.abc import Iterable
from typing import cast

from allauth.usersessions.models import UserSession
from axes.helpers import get_client_ip_address
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
from django.http import HttpRequest

from voxloop.accounts.actors import Actor
from voxloop.accounts.models import User
from voxloop.accounts.signals import account_changed
from voxloop.kernel.clock import now

WRITTEN_EVERY_SECONDS = 60.0
NOWHERE = "0.0.0.0"  # noqa: S104 - an address that is not known
_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("Windows", "Windows"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
# Session key -> when this process last wrote its use, in seconds of the monotonic clock.
_seen: dict[str, float] = {}


def begin_session(request: HttpRequest, user: User) -> None:
    """Record address and browser of a new log-in."""
    key = request.session.session_key
    if not key:
        return
    words = {
        "ip": get_client_ip_address(request) or NOWHERE,
        "user_agent": request.META.get("HTTP_USER_AGENT", "")[:200].replace("\x00", ""),
    }
    UserSession.objects.update_or_create(
        session_key=key,
        defaults={"user_id": user.pk, "last_seen_at": now(), **words},
        create_defaults={"user_id": user.pk, "created_at": now(), "last_seen_at": now(), **words},
    )
    _seen[key] = time.monotonic()


def is_alive(request: HttpRequest, *, counts: bool) -> bool:
    """Whether the session was used within `VOXLOOP_IDLE_MINUTES`; when `counts`, this request is such a use."""
    key, moment = request.session.session_key, time.monotonic()
    if not key or moment - _seen.get(key, -WRITTEN_EVERY_SECONDS) < WRITTEN_EVERY_SECONDS:
        return True
    rows = UserSession.objects.filter(session_key=key)
    fresh = rows.filter(last_seen_at__gt=now() - settings.IDLE_LASTS) if settings.IDLE_LASTS else rows
    if counts and fresh.update(last_seen_at=now()):
        _forget_old(moment)
        _seen[key] = moment
        return True
    if rows.exists():
        return not counts and fresh.exists()
    begin_session(request, cast(User, request.user))  # a session older than this table has no row
    return True


def note_activity(request: HttpRequest) -> None:
    """Count this request as a use where the middleware cannot tell (a heartbeat of somebody who draws)."""
    if request.session.session_key:
        is_alive(request, counts=True)


def list_sessions(user: User) -> list[UserSession]:
    """A person's open log-ins, the newest first. Deletes the rows of those that Django has ended."""
    return sorted(UserSession.objects.purge_and_list(user), key=lambda row: row.created_at, reverse=True)


@transaction.atomic
def end_sessions(
    *, user: User, but: str | None = None, only: int | None = None, actor: Actor | None = None, why: str
) -> int:
    """End a person's log-ins (all, all but the one with the key `but`, or the one with the id `only`)."""
    rows = UserSession.objects.filter(user=user)
    if but:
        rows = rows.exclude(session_key=but)
    if only is not None:
        rows = rows.filter(pk=only)
    found = list(rows)
    for row in found:
        SessionStore().delete(row.session_key)
        _seen.pop(row.session_key, None)
        row.delete()
    if found:
        account_changed.send(
            sender=__name__,
            person=user,
            action="person.sessions_ended",
            actor=actor,
            old={"sessions": [{"from": row.ip, "with": device_words(row.user_agent)} for row in found]},
            why=why,
        )
    return len(found)


def end_idle(request: HttpRequest) -> None:
    """End the session of this request, which was idle for too long."""
    minutes = settings.IDLE_LASTS.total_seconds() / 60 if settings.IDLE_LASTS else 0
    row = UserSession.objects.filter(session_key=request.session.session_key).first()
    if row is not None:
        end_sessions(user=row.user, only=row.pk, why=f"idle for {minutes:.0f} minutes")
    request.session.flush()


def device_words(agent: str) -> str:
    """ "Firefox on Windows", from a User-Agent header."""
    browser, system = _first(_BROWSERS, agent), _first(_SYSTEMS, agent)
    if browser or system:
        return " on ".join(part for part in (browser or "A browser", system) if part)
    return re.sub(r"[^\w ./-]", "", agent)[:40] or "Unknown"


def _first(table: Iterable[tuple[str, str]], agent: str) -> str:
    return next((word for mark, word in table if mark in agent), "")


def _forget_old(moment: float) -> None:
    if len(_seen) > 5_000:
        for key in [key for key, at in _seen.items() if moment - at > WRITTEN_EVERY_SECONDS]:
            _seen.pop(key, None)
