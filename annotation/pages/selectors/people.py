"""The table of people: filter, search, order, and its CSV."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from annotation.pages.sorting import sort_rows
from annotation.scans.models import Site
from annotation.work.models import CampaignMember
from annotation.work.permissions import campaigns_with_role
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role

ADMINISTRATOR = "administrator"
ROLES = [*Role.choices, (ADMINISTRATOR, "Administrator")]
STATES: Mapping[str, Q] = {
    "active": Q(is_active=True),
    "off": Q(is_active=False),
    "paused": Q(pk__in=CampaignMember.objects.filter(is_paused=True).values("user")),
    "never": Q(last_login=None),
}
DEFAULT_SORT = "name"
COLUMNS: Mapping[str, Sequence[str]] = {
    "name": ("username",),
    "account": ("is_active", "username"),
    "log-in": ("last_login", "username"),
}
HEAD = ("person", "account", "administrator", "roles", "paused", "sites", "last_log_in", "invited_at")


def visible_people(user: User) -> QuerySet[User]:
    """An administrator sees everybody, a coordinator the members of the own campaigns."""
    if user.is_administrator:
        return User.objects.all()
    own = campaigns_with_role(user, Role.COORDINATOR)
    return User.objects.filter(pk__in=CampaignMember.objects.filter(campaign__in=own).values("user"))


def sites_of_people(user: User) -> QuerySet[Site]:
    """The sites whose scans any of the visible people see."""
    return Site.objects.filter(memberships__user__in=visible_people(user)).distinct().order_by("code")


def find_people(user: User, wanted: Mapping[str, str]) -> QuerySet[User]:
    """The people that the address asks for: `q` (a part of the name), `role`, `site` (its code), `state` (active, off,
    paused, never: not logged in yet), `sort`. What is none of these is left out."""
    rows = visible_people(user).prefetch_related("memberships__campaign", "site_memberships__site")
    words, role, state = wanted.get("q", "").strip()[:64], wanted.get("role", ""), wanted.get("state", "")
    if words:
        rows = rows.filter(username__icontains=words)
    if role == ADMINISTRATOR:
        rows = rows.filter(is_administrator=True)
    elif role in Role.values:
        rows = rows.filter(pk__in=CampaignMember.objects.filter(role=role).values("user"))
    if site := wanted.get("site", ""):
        rows = rows.filter(pk__in=User.objects.filter(site_memberships__site__code=site).values("pk"))
    if state in STATES:
        rows = rows.filter(STATES[state])
    return sort_rows(rows, wanted.get("sort", ""), COLUMNS, DEFAULT_SORT)


def people_of(user: User, ids: Iterable[str], sort: str = "") -> QuerySet[User]:
    """The people of a selection by their ids, in the order of the table; what is no id is left out."""
    known = []
    for text in ids:
        with suppress(ValueError):
            known.append(UUID(text))
    return find_people(user, {"sort": sort}).filter(pk__in=known)


def table_of(people: Iterable[User]) -> Iterator[Sequence[Any]]:
    """One row of `HEAD` for each person; roles with their campaign, separated by semicolons."""
    for person in people:
        members = sorted(person.memberships.all(), key=lambda member: (str(member.campaign), member.role))
        pauses = {str(member.campaign): member.pause_reason for member in members if member.is_paused}
        yield (
            person.username,
            "active" if person.is_active else "switched off",
            "yes" if person.is_administrator else "",
            "; ".join(f"{member.get_role_display().lower()} in {member.campaign}" for member in members),
            "; ".join(f"{campaign}: {reason}" for campaign, reason in pauses.items()),
            " ".join(sorted(member.site.code for member in person.site_memberships.all())),
            person.last_login.isoformat() if person.last_login else "",
            person.date_joined.isoformat(),
        )
