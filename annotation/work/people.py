"""Invite a person with roles and sites; close an account and give its open work to others."""

from collections.abc import Callable, Iterable

from django.db import transaction

from annotation.scans.models import Site
from annotation.scans.services import set_site_membership
from annotation.work.campaigns import set_member
from annotation.work.handing_over import hand_back_work
from annotation.work.models import Campaign
from voxloop.accounts.actors import Actor
from voxloop.accounts.models import User
from voxloop.accounts.services import create_person, deactivate_person, reactivate_person
from voxloop.audit.services import record
from voxloop.kernel.errors import Conflict, Forbidden


@transaction.atomic
def invite_person(
    *,
    username: str,
    password: str,
    actor: Actor,
    is_administrator: bool = False,
    must_change_password: bool = False,
    roles: Iterable[tuple[Campaign, str]] = (),
    sites: Iterable[Site] = (),
) -> User:
    """Create an account with roles and sites in one transaction. `must_change_password`: somebody else has chosen the
    password, so the person must change it at the first log-in."""
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


Listener = Callable[..., int]
_on_closed: list[Listener] = []


def on_closed(listener: Listener) -> Listener:
    """Register a service that gives back a closed account's open work (call in AppConfig.ready): `listener(person=…,
    actor=…, why=…)`."""
    if listener not in _on_closed:
        _on_closed.append(listener)
    return listener


@transaction.atomic
def close_account(*, person: User, actor: Actor, why: str) -> dict[str, int]:
    """Close an account and give its open work to others; past work keeps the person's name. Returns how many scans went
    back. `actor` is an administrator, or the name of a command. Raises Forbidden, Conflict (`last_administrator`,
    `own_account`, `already_so`, `reason_required`)."""
    _check_administrator(actor)
    if not why.strip():
        raise Conflict("Say why the account is closed.", code="reason_required")
    row = deactivate_person(person=person, actor=actor)
    record(actor=actor, action="person.deactivated", target=row, why=why.strip())
    told = f"the account of {row} was closed"
    given_back = hand_back_work(person=row, actor=actor, why=told)
    for listener in _on_closed:
        given_back += listener(person=row, actor=actor, why=told)
    return {"given_back": given_back}


@transaction.atomic
def open_account(*, person: User, actor: Actor) -> User:
    """Open a closed account again. Raises Forbidden, Conflict (`already_so`)."""
    _check_administrator(actor)
    row = reactivate_person(person=person)
    record(actor=actor, action="person.reactivated", target=row)
    return row


def _check_administrator(actor: Actor) -> None:
    if isinstance(actor, User) and not actor.is_administrator:
        raise Forbidden("Only an administrator may open and close accounts.")
