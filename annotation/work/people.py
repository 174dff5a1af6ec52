"""Invite a person with roles and sites in one go; close an account and give its open work to others."""

from collections.abc import Callable, Iterable
from typing import Any

from django.db import transaction

from annotation.scans.models import Site
from annotation.scans.services import set_site_membership
from annotation.work.batches import refresh_batch
from annotation.work.campaigns import set_member
from annotation.work.models import Assignment, Batch, Campaign
from annotation.work.states import ASSIGNMENT, BATCH
from voxloop.accounts.models import User
from voxloop.accounts.services import create_person, deactivate_person, reactivate_person
from voxloop.audit.services import advance, record
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Forbidden


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


Listener = Callable[..., int]
_on_closed: list[Listener] = []


def on_closed(listener: Listener) -> Listener:
    """Register what gives back a person's open work (AppConfig.ready): `listener(person=…, actor=…, why=…)`."""
    if listener not in _on_closed:
        _on_closed.append(listener)
    return listener


@transaction.atomic
def close_account(*, person: User, actor: Any, why: str) -> dict[str, int]:
    """Close a person's log-in and give their open work to the others; what they made keeps their name.

    Answers how many scans went back. `actor` is an administrator, or the name of a command. Raises Forbidden,
    Conflict (`last_administrator`, `own_account`, `already_so`, `reason_required`).
    """
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
def open_account(*, person: User, actor: Any) -> User:
    """Open a closed account again. Raises Forbidden, Conflict (`already_so`)."""
    _check_administrator(actor)
    row = reactivate_person(person=person)
    record(actor=actor, action="person.reactivated", target=row)
    return row


def _check_administrator(actor: Any) -> None:
    if isinstance(actor, User) and not actor.is_administrator:
        raise Forbidden("Only an administrator may open and close accounts.")


def hand_back_work(*, person: User, actor: Any, why: str) -> int:
    """A person's unfinished annotations begin anew in the pool of their batches; answers how many."""
    rows = Assignment.objects.select_for_update(of=("self",)).filter(
        person=person, stage=Assignment.Stage.ANNOTATION, state__in=["queued", "open", "returned", "blocked"]
    )
    found = list(rows.order_by("pk"))
    for row in found:
        hand_back(row, actor=actor, why=why)
    for batch in Batch.objects.select_for_update().filter(assignee=person).exclude(state__in=BATCH.final):
        batch.assignee = None
        batch.save(update_fields=["assignee"])
        record(actor=actor, action="batch.to_the_pool", target=batch, old={"assignee": person.username}, why=why)
    return len(found)


def hand_back(assignment: Assignment, *, actor: Any, why: str) -> Assignment:
    """End a locked assignment and put its scan into the same batch again, free for another."""
    advance(
        assignment, "reclaimed", table=ASSIGNMENT, actor=actor, why=why, reason=why, lease_until=None, ended_at=now()
    )
    fresh = Assignment.objects.create(
        campaign=assignment.campaign,
        batch=assignment.batch,
        scan=assignment.scan,
        stage=assignment.stage,
        reader=assignment.reader,
        position=assignment.position,
    )
    refresh_batch(assignment.batch_id, actor)
    batch = Batch.objects.select_for_update().get(pk=assignment.batch_id)
    if batch.state not in ("draft", "published", "in_progress") and BATCH.allows(batch.state, "in_progress"):
        advance(batch, "in_progress", table=BATCH, actor=actor, why=why)  # there is work to be taken again
    return fresh
