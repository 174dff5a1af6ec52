"""Invite a person: account, roles and sites in one go."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from annotation.scans.models import Site
from annotation.scans.services import set_site_membership
from annotation.work.campaigns import set_member
from annotation.work.models import Campaign
from voxloop.accounts.models import User
from voxloop.accounts.services import create_person
from voxloop.audit.services import record


@transaction.atomic
def invite_person(
    *,
    username: str,
    password: str,
    actor: Any,
    is_administrator: bool = False,
    must_change_password: bool = False,
    roles: Iterable[tuple[Campaign, str]] = (),
    sites: Iterable[Site] = (),
) -> User:
    """Make an account with its roles and sites, or nothing at all.

    `must_change_password`: somebody else has chosen the password, so the person chooses another at the first log-in.
    """
    person = create_person(
        username=username,
        password=password,
        actor=actor,
        is_administrator=is_administrator,
        must_change_password=must_change_password,
    )
    record(actor=actor, action="person.created", target=person, new={"is_administrator": is_administrator})
    for campaign, role in roles:
        set_member(campaign=campaign, user=person, role=role, actor=actor)
    for site in sites:
        set_site_membership(user=person, site=site, is_member=True, actor=actor)
    return person
