"""Invite a person: account, roles and sites in one go."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from annotation.scans.models import Site
from annotation.scans.services import set_site_membership
from annotation.work.campaigns import set_member
from annotation.work.models import Campaign
from voxloop.accounts.models import User
from voxloop.accounts.services import create_person
from voxloop.audit.services import record
from voxloop.kernel.errors import Forbidden, Invalid


@transaction.atomic
def invite_person(
    *,
    username: str,
    password: str,
    actor: Any,
    is_administrator: bool = False,
    roles: Iterable[tuple[Campaign, str]] = (),
    sites: Iterable[Site] = (),
) -> User:
    """Make an account with its roles and sites, or nothing at all."""
    person = create_person(username=username, password=password, actor=actor, is_administrator=is_administrator)
    record(actor=actor, action="person.created", target=person, new={"is_administrator": is_administrator})
    for campaign, role in roles:
        set_member(campaign=campaign, user=person, role=role, actor=actor)
    for site in sites:
        set_site_membership(user=person, site=site, is_member=True, actor=actor)
    return person


@transaction.atomic
def set_password(*, person: User, password: str, actor: User) -> None:
    """Give a person who lost the password a new one. Administrators only. Raises Invalid for a weak one."""
    if not actor.is_administrator:
        raise Forbidden("Only an administrator may set another person's password.")
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), code="bad_person") from error
    person.set_password(password)
    person.save(update_fields=["password"])
    record(actor=actor, action="person.password_set", target=person)
