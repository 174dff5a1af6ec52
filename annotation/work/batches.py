"""Batches: made, published, given to somebody, ended, and kept in line with their assignments."""

import random
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from annotation.scans.models import Scan
from annotation.work.models import Assignment, Batch, Campaign, CampaignScan
from annotation.work.permissions import has_role, require_role
from annotation.work.selectors import unassigned_scans, visible_batches
from annotation.work.states import ASSIGNMENT, BATCH
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.audit.services import advance, record
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Invalid, NotFound


@transaction.atomic
def create_batch(
    *,
    campaign: Campaign,
    actor: User,
    size: int | None = None,
    chosen_by: str = "order",
    assignee: User | None = None,
    due_on: date | None = None,
    scan_ids: Sequence[UUID] | None = None,
) -> Batch:
    """Make a draft batch of up to `size` scans that nobody has yet.

    `chosen_by`: `order` (by code), `random`, `score` (the model's acquisition score, highest first) or `hand`
    (`scan_ids`). Raises Conflict when a scan is taken or none is left.
    """
    require_role(actor, campaign, Role.COORDINATOR)
    # One batch at a time is made for a campaign, so that two coordinators never choose the same scans.
    campaign = Campaign.objects.select_for_update().get(pk=campaign.pk)
    size = campaign.batch_size if size is None else size
    if not 1 <= size <= campaign.batch_size:
        raise Invalid(f"A batch holds 1 to {campaign.batch_size} scans, not {size}.", code="bad_size")
    if assignee is not None and not has_role(assignee, campaign, Role.ANNOTATOR):
        raise Invalid(f"{assignee} is not an annotator of this campaign.", code="not_an_annotator")
    if due_on is not None and due_on < now().date():
        raise Invalid("The due date lies in the past.", code="bad_due_date")
    scans = _choose(campaign, size, chosen_by, scan_ids, assignee)
    if not scans:
        raise Conflict(
            "No scan is left that is ready, not yet in a batch and visible to the person; import some first.",
            code="no_scans_left",
        )
    number = (Batch.objects.filter(campaign=campaign).aggregate(top=Max("number"))["top"] or 0) + 1
    batch = Batch.objects.create(
        campaign=campaign,
        number=number,
        name=f"B-{number:03d}",
        assignee=assignee,
        due_on=due_on,
        chosen_by="hand" if scan_ids else chosen_by,
        created_by=actor,
    )
    Assignment.objects.bulk_create(
        [
            Assignment(campaign=campaign, batch=batch, scan=scan, person=assignee, position=position)
            for position, scan in enumerate(scans, start=1)
        ]
    )
    record(actor=actor, action="batch.created", target=batch, new={"scans": len(scans), "chosen_by": batch.chosen_by})
    return batch


def _choose(
    campaign: Campaign, size: int, chosen_by: str, scan_ids: Sequence[UUID] | None, assignee: User | None
) -> list[Scan]:
    free = unassigned_scans(campaign)
    if assignee is not None:
        free = free.filter(site__memberships__user=assignee)
    if scan_ids:
        scans = list(free.filter(pk__in=scan_ids).order_by("code"))
        if len(scans) != len(set(scan_ids)):
            raise Conflict(
                "Some of these scans are already in a batch, not ready, or of a site the person may not see.",
                code="scan_taken",
            )
        if len(scans) > size:
            raise Invalid(f"A batch holds at most {size} scans, not {len(scans)}.", code="bad_size")
        return scans
    if chosen_by == "random":
        scans = list(free.order_by("code"))
        random.SystemRandom().shuffle(scans)
        return scans[:size]
    if chosen_by == "score":
        by_score = CampaignScan.objects.filter(campaign=campaign, scan__in=free, score__isnull=False)
        ranked = [row.scan for row in by_score.select_related("scan").order_by("-score", "scan__code")[:size]]
        rest = free.exclude(pk__in=[scan.pk for scan in ranked]).order_by("code")[: size - len(ranked)]
        return ranked + list(rest)
    if chosen_by != "order":
        raise Invalid(f"{chosen_by!r} is no way to choose; order, random, score or hand are.", code="bad_choice")
    return list(free.order_by("code")[:size])


def publish_batch(*, batch_id: UUID, actor: User) -> Batch:
    """Give the batch out: its scans appear in the annotator's list, or in the pool."""
    return _advance_batch(batch_id, "published", actor, published_at=now())


def close_batch(*, batch_id: UUID, actor: User) -> Batch:
    """End a batch; what is not handed in goes back to the unassigned scans."""
    return _end_batch(batch_id, "closed", actor)


def cancel_batch(*, batch_id: UUID, actor: User) -> Batch:
    """Give a batch up; its scans become free again."""
    return _end_batch(batch_id, "cancelled", actor)


@transaction.atomic
def assign_batch(*, batch_id: UUID, person: User | None, actor: User) -> Batch:
    """Give the scans of a batch that nobody has begun to a person, or (None) to the pool."""
    list(Assignment.objects.select_for_update(of=("self",)).filter(batch=batch_id, state="queued"))
    batch = _lock_batch(batch_id, actor)
    if batch.state not in ("draft", "published", "in_progress"):
        raise Conflict(f"A batch that is {batch.state} cannot be given to another person.", code="state_conflict")
    if person is not None and not has_role(person, batch.campaign, Role.ANNOTATOR):
        raise Invalid(f"{person} is not an annotator of this campaign.", code="not_an_annotator")
    unseen = batch.assignments.exclude(scan__site__memberships__user=person) if person else batch.assignments.none()
    if unseen.exists():
        raise Invalid(f"{person} is not a member of every site in this batch.", code="site_not_visible")
    old = batch.assignee
    batch.assignments.filter(state="queued").update(person=person)
    batch.assignee = person
    batch.save(update_fields=["assignee"])
    record(actor=actor, action="batch.assigned", target=batch, old=old and old.username, new=person and person.username)
    return batch


def _lock_batch(batch_id: UUID, actor: User) -> Batch:
    batch = Batch.objects.select_for_update(of=("self",)).select_related("campaign").filter(pk=batch_id).first()
    if batch is None or not visible_batches(actor).filter(pk=batch_id).exists():
        raise NotFound
    require_role(actor, batch.campaign, Role.COORDINATOR)
    return batch


@transaction.atomic
def _advance_batch(batch_id: UUID, to: str, actor: User, **fields: Any) -> Batch:
    batch = _lock_batch(batch_id, actor)
    advance(batch, to, table=BATCH, actor=actor, **fields)
    return batch


@transaction.atomic
def _end_batch(batch_id: UUID, to: str, actor: User) -> Batch:
    # Rows before their batch, as everywhere, so that nobody waits in a circle.
    rows = Assignment.objects.select_for_update(of=("self",)).filter(batch=batch_id)
    rows = list(rows.filter(state__in=["queued", "open", "returned", "blocked"]))
    batch = _lock_batch(batch_id, actor)
    why = f"batch {to}"
    advance(batch, to, table=BATCH, actor=actor)
    for row in rows:
        advance(row, "reclaimed", table=ASSIGNMENT, actor=actor, why=why, reason=why, ended_at=now())
    return batch


_TARGETS: list[tuple[str, Callable[[set[str]], bool]]] = [
    ("accepted", lambda states: bool(states) and states <= {"approved"}),
    ("submitted", lambda states: bool(states) and states <= {"approved", "submitted"}),
    ("returned", lambda states: "returned" in states and not states & {"queued", "open"}),
    ("in_progress", lambda states: bool(states & {"open", "submitted", "approved", "returned"})),
]


def refresh_batch(batch_id: UUID, actor: Any) -> None:
    """Bring a batch's state in line with its assignments, step by step through the table."""
    batch = Batch.objects.select_for_update().get(pk=batch_id)
    states = set(
        batch.assignments.filter(stage=Assignment.Stage.ANNOTATION)
        .exclude(state__in=["reclaimed", "skipped", "blocked"])
        .values_list("state", flat=True)
    )
    target = next((state for state, holds in _TARGETS if holds(states)), batch.state)
    if batch.state == "published" and target not in ("published", "in_progress"):
        advance(batch, "in_progress", table=BATCH, actor=actor)
    if batch.state == "in_review" and target == "submitted":
        return  # some are judged already; it stays in review until the last verdict
    if target != batch.state and BATCH.allows(batch.state, target):
        advance(batch, target, table=BATCH, actor=actor)
