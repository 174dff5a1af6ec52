"""Pause a batch, or a person in a campaign: nothing new is given out, and what is open goes on to its end."""

from uuid import UUID

from django.db import transaction

from annotation.work.batches import lock_batch
from annotation.work.models import Batch, Campaign, CampaignMember
from annotation.work.pausable import ENDED, begun
from annotation.work.states import BATCH, BatchState
from voxloop.accounts.actors import Actor
from voxloop.accounts.models import User
from voxloop.audit.services import record
from voxloop.kernel.errors import Conflict, Invalid, NotFound
from voxloop.kernel.reasons import kept_reason


@transaction.atomic
def pause_batch(*, batch_id: UUID, actor: User, why: str) -> Batch:
    """Give out no scan of a batch: nobody claims or opens one, or its review. What is open is saved and handed in as
    ever; the batch can still be assigned and ended. Raises Invalid without a reason, Conflict (`paused`,
    `state_conflict`)."""
    batch = lock_batch(batch_id, actor)
    reason = _reason(why, f"Say why {batch} is paused: everybody who has work in it reads it.")
    if batch.is_paused:
        raise Conflict(f"{batch} is paused already.", code="paused")
    if batch.state == BatchState.DRAFT or batch.state in BATCH.final:
        raise Conflict(f"A batch that is {batch.state} gives out no work; it cannot be paused.", code="state_conflict")
    batch.set_pause(begun(reason))
    record(actor=actor, action="batch.paused", target=batch, why=reason)
    return batch


@transaction.atomic
def resume_batch(*, batch_id: UUID, actor: User) -> Batch:
    """Give out its scans again. Raises Conflict when it is not paused."""
    batch = lock_batch(batch_id, actor)
    if not batch.is_paused:
        raise Conflict(f"{batch} is not paused.", code="not_paused")
    batch.set_pause(ENDED)
    record(actor=actor, action="batch.resumed", target=batch)
    return batch


@transaction.atomic
def pause_person(*, campaign: Campaign, person_id: UUID, actor: Actor, why: str) -> User:
    """Give a person no more work in a campaign, neither scans nor reviews. Their open work goes on, what is queued for
    them stays theirs. Raises NotFound for who is no member, Invalid without a reason, Conflict when paused already."""
    rows = _memberships(campaign, person_id)
    person = rows[0].user
    reason = _reason(why, f"Say why {person} is paused: they read it.")
    if any(row.is_paused for row in rows):
        raise Conflict(f"{person} is paused in {campaign} already.", code="paused")
    CampaignMember.objects.filter(pk__in=[row.pk for row in rows]).update(**begun(reason))
    record(actor=actor, action="campaign.person_paused", target=campaign, new={"user": person.username}, why=reason)
    return person


@transaction.atomic
def resume_person(*, campaign: Campaign, person_id: UUID, actor: Actor) -> User:
    """Give a person work again. Raises NotFound for who is no member, Conflict when not paused."""
    rows = _memberships(campaign, person_id)
    person = rows[0].user
    if not any(row.is_paused for row in rows):
        raise Conflict(f"{person} is not paused in {campaign}.", code="not_paused")
    CampaignMember.objects.filter(pk__in=[row.pk for row in rows]).update(**ENDED)
    record(actor=actor, action="campaign.person_resumed", target=campaign, new={"user": person.username})
    return person


def _memberships(campaign: Campaign, person_id: UUID) -> list[CampaignMember]:
    """A person's roles in a campaign, locked: a pause is of the person, so all of them carry it."""
    found = CampaignMember.objects.select_for_update(of=("self",)).select_related("user")
    rows = list(found.filter(campaign=campaign, user=person_id))
    if not rows:
        raise NotFound
    return rows


def _reason(why: str, otherwise: str) -> str:
    if not why.strip():
        raise Invalid(otherwise, code="reason_required")
    return kept_reason(why)
