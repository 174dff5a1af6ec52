"""Create, publish, assign and end batches, and update their states from their assignments."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max, QuerySet

from annotation.work.choosing import Chosen, choose_scans
from annotation.work.gold import draw_gold
from annotation.work.independence import not_for
from annotation.work.models import Assignment, Batch, Campaign, ReviewPolicy
from annotation.work.overlap import add_readers, list_owed
from annotation.work.pausable import ENDED
from annotation.work.permissions import is_annotator, require_role
from annotation.work.requeuing import find_begun
from annotation.work.selectors import visible_batches
from annotation.work.states import ASSIGNMENT, BATCH, AssignmentState, BatchState
from voxloop.accounts.actors import Actor
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.accounts.zones import today_of
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
    starts_anew: bool = False,
    review_policy: ReviewPolicy | None = None,
) -> Batch:
    """Create a draft batch of up to `size` unassigned scans. Scans on which somebody worked without an end (their batch
    was closed, they skipped) go on from what was drawn, unless `starts_anew`.

    `chosen_by`: a strategy (`hybrid`, `entropy`, `foreground_random`, `random`), `order` (by code) or `hand`
    (`scan_ids`); by a strategy, `Campaign.repeat_share` of the batch are approved scans that are read again. Readings
    that scans with several readers still lack come first (annotation.work.overlap); gold scans are hidden among the
    others (annotation.work.gold). `review_policy` None: that of the campaign. Raises Conflict when a scan is
    taken or none is left.
    """
    require_role(actor, campaign, Role.COORDINATOR)
    # Serialised per campaign, so that two coordinators never choose the same scans.
    campaign = Campaign.objects.select_for_update().get(pk=campaign.pk)
    size = campaign.batch_size if size is None else size
    if not 1 <= size <= campaign.batch_size:
        raise Invalid(f"A batch holds 1 to {campaign.batch_size} scans, not {size}.", code="bad_size")
    if assignee is not None and not is_annotator(assignee, campaign):
        raise Invalid(f"{assignee} is not an annotator of this campaign.", code="not_an_annotator")
    if due_on is not None and due_on < today_of(actor):
        raise Invalid("The due date lies in the past.", code="bad_due_date")
    owed = [] if scan_ids else list_owed(campaign, assignee)[:size]
    gold = [] if scan_ids else draw_gold(campaign, size, assignee)[: size - len(owed)]
    chosen, way = choose_scans(campaign, size - len(owed) - len(gold), chosen_by, scan_ids, assignee)
    if not owed and all(one.reader > 1 for one in chosen):
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
        chosen_by=way,
        review_policy=review_policy or campaign.review_policy,
        created_by=actor,
    )
    begun = find_begun(campaign, [one.scan for one in chosen])
    room = campaign.batch_size if scan_ids else size
    readings = add_readers(batch, chosen, [*owed, *gold], begun=begun, room=room, keeps_all=bool(scan_ids))
    _fill(batch, readings, {} if starts_anew else begun)
    record(actor=actor, action="batch.created", target=batch, new=_counts(readings, way))
    return batch


def _counts(readings: Sequence[Chosen], way: str) -> dict[str, Any]:
    """What a new batch holds, for the audit log."""
    return {
        "scans": len(readings),
        "chosen_by": way,
        "repeats": sum(one.reader > 1 and not one.is_overlap for one in readings),
        "independent": sum(one.is_overlap and not one.is_gold for one in readings),
        "gold": sum(one.is_gold for one in readings),
    }


def _fill(batch: Batch, chosen: Sequence[Chosen], begun: Mapping[UUID, tuple[UUID, int]]) -> None:
    """Assignments of the chosen scans, in their order. A repeat begins anew, without what the first reader drew."""
    rows = [
        Assignment(
            campaign=batch.campaign,
            batch=batch,
            scan=one.scan,
            person=batch.assignee,
            position=position,
            reader=one.reader,
            is_overlap=one.is_overlap,
            is_gold=one.is_gold,
            choice=one.choice,
        )
        for position, one in enumerate(chosen, start=1)
    ]
    for row in rows:
        if row.reader == 1:
            row.begun_as_id, row.round = begun.get(row.scan_id, (None, 1))
    Assignment.objects.bulk_create(rows)


def publish_batch(*, batch_id: UUID, actor: User) -> Batch:
    """Publish a batch: its scans appear in the annotator's list, or in the pool."""
    return _advance_batch(batch_id, BatchState.PUBLISHED, actor, published_at=now())


def close_batch(*, batch_id: UUID, actor: User) -> Batch:
    """Close a batch; unsubmitted scans become unassigned."""
    return _end_batch(batch_id, BatchState.CLOSED, actor)


def cancel_batch(*, batch_id: UUID, actor: User) -> Batch:
    """Cancel a batch; its scans become unassigned."""
    return _end_batch(batch_id, BatchState.CANCELLED, actor)


@transaction.atomic
def assign_batch(*, batch_id: UUID, person: User | None, actor: User, count: int | None = None) -> Batch:
    """Give the unstarted scans of a batch to a person, or (None) to the pool: all of them, or the last `count`, which
    splits the batch between two people. Of a scan with several readers a person gets one reading, and none where they
    know it already; what is left stays where it is. Raises Invalid (`bad_size`) for more than there are."""
    list(Assignment.objects.select_for_update(of=("self",)).filter(batch=batch_id, state=AssignmentState.QUEUED))
    batch = lock_batch(batch_id, actor)
    if batch.state not in (BatchState.DRAFT, BatchState.PUBLISHED, BatchState.IN_PROGRESS):
        raise Conflict(f"A batch that is {batch.state} cannot be given to another person.", code="state_conflict")
    if person is not None and not is_annotator(person, batch.campaign):
        raise Invalid(f"{person} is not an annotator of this campaign.", code="not_an_annotator")
    moved = _unstarted(batch, count)
    if person is not None:
        moved = moved.exclude(pk__in=not_for(person, moved))
    unseen = moved.exclude(scan__site__memberships__user=person) if person else moved.none()
    if unseen.exists():
        raise Invalid(f"{person} is not a member of every site in this batch.", code="site_not_visible")
    old = batch.assignee
    told: dict[str, Any] = {"person": person and person.username, "scans": moved.update(person=person)}
    if count is None:
        batch.assignee = person
        batch.save(update_fields=["assignee"])
    record(actor=actor, action="batch.assigned", target=batch, old=old and old.username, new=told)
    return batch


def _unstarted(batch: Batch, count: int | None) -> QuerySet[Assignment]:
    rows = batch.assignments.filter(stage=Assignment.Stage.ANNOTATION, state=AssignmentState.QUEUED)
    if count is None:
        return rows
    last = list(rows.order_by("-position").values_list("pk", flat=True)[: max(count, 0)])
    if not 1 <= count <= len(last):
        there = rows.count()
        words = f"{there} scan{'s' * (there != 1)} that nobody has begun"
        raise Invalid(f"{batch} has {words}, not {count}.", code="bad_size")
    return rows.filter(pk__in=last)


def lock_batch(batch_id: UUID, actor: User) -> Batch:
    """Lock a batch for its coordinator. Raises NotFound, Forbidden."""
    batch = Batch.objects.select_for_update(of=("self",)).select_related("campaign").filter(pk=batch_id).first()
    if batch is None or not visible_batches(actor).filter(pk=batch_id).exists():
        raise NotFound
    require_role(actor, batch.campaign, Role.COORDINATOR)
    return batch


@transaction.atomic
def _advance_batch(batch_id: UUID, to: BatchState, actor: User, **fields: Any) -> Batch:
    batch = lock_batch(batch_id, actor)
    advance(batch, to, table=BATCH, actor=actor, **fields)
    return batch


@transaction.atomic
def _end_batch(batch_id: UUID, to: BatchState, actor: User) -> Batch:
    # Lock rows before their batch, as everywhere, to avoid deadlocks.
    rows = list(
        Assignment.objects.select_for_update(of=("self",)).filter(
            batch=batch_id,
            state__in=[AssignmentState.QUEUED, AssignmentState.OPEN, AssignmentState.RETURNED, AssignmentState.BLOCKED],
        )
    )
    batch = lock_batch(batch_id, actor)
    why = f"batch {to}"
    # A pause ends with its batch.
    advance(batch, to, table=BATCH, actor=actor, **ENDED)
    for row in rows:
        advance(row, AssignmentState.RECLAIMED, table=ASSIGNMENT, actor=actor, why=why, reason=why, ended_at=now())
    return batch


_TARGETS: list[tuple[BatchState, Callable[[set[str]], bool]]] = [
    (BatchState.ACCEPTED, lambda states: bool(states) and states <= {AssignmentState.APPROVED}),
    (
        BatchState.SUBMITTED,
        lambda states: bool(states) and states <= {AssignmentState.APPROVED, AssignmentState.SUBMITTED},
    ),
    (
        BatchState.RETURNED,
        lambda states: (
            AssignmentState.RETURNED in states and not states & {AssignmentState.QUEUED, AssignmentState.OPEN}
        ),
    ),
    (
        BatchState.IN_PROGRESS,
        lambda states: bool(
            states
            & {AssignmentState.OPEN, AssignmentState.SUBMITTED, AssignmentState.APPROVED, AssignmentState.RETURNED}
        ),
    ),
]


def refresh_batch(batch_id: UUID, actor: Actor) -> None:
    """Update a batch's state from its assignments, through the state table."""
    batch = Batch.objects.select_for_update().get(pk=batch_id)
    states = set(
        batch.assignments.filter(stage=Assignment.Stage.ANNOTATION)
        .exclude(state__in=[AssignmentState.RECLAIMED, AssignmentState.SKIPPED, AssignmentState.BLOCKED])
        .values_list("state", flat=True)
    )
    target = next((state for state, holds in _TARGETS if holds(states)), None)
    if target is None:
        return
    if batch.state == BatchState.PUBLISHED and target not in (BatchState.PUBLISHED, BatchState.IN_PROGRESS):
        advance(batch, BatchState.IN_PROGRESS, table=BATCH, actor=actor)
    if batch.state == BatchState.IN_REVIEW and target == BatchState.SUBMITTED:
        return  # some are approved already; it stays in review until the last verdict
    if target != batch.state and BATCH.allows(batch.state, target):
        advance(batch, target, table=BATCH, actor=actor)
