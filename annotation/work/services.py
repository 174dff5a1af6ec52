"""Campaigns, members, batches, and the life of an assignment up to handing it in."""

import random
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from annotation.scans.models import Scan
from annotation.work.leases import extended
from annotation.work.models import Assignment, Batch, Campaign, CampaignMember, CampaignScan, LabelSchema
from annotation.work.permissions import has_role, require_role
from annotation.work.schema import parse_schema
from annotation.work.selectors import pool, unassigned_scans, visible_assignments, visible_batches
from annotation.work.states import ASSIGNMENT, BATCH
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.audit.services import advance, record
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Forbidden, Invalid, NotFound

MOST_ACTIVE_SECONDS_PER_BEAT = 120


@transaction.atomic
def create_campaign(*, name: str, slug: str, definition: dict[str, Any], actor: Any, **policy: Any) -> Campaign:
    """Start a labelling project with a label schema of its own. `policy` sets fields of the campaign."""
    parse_schema(definition)
    if Campaign.objects.filter(slug=slug).exists() or Campaign.objects.filter(name=name).exists():
        raise Conflict(f"There is already a campaign called {name}.", code="campaign_taken")
    schema = LabelSchema.objects.create(name=name, definition=definition)
    campaign = Campaign(name=name, slug=slug, schema=schema, **policy)
    campaign.full_clean(exclude=["schema"])
    campaign.save()
    record(actor=actor, action="campaign.created", target=campaign, new={"name": name, "schema": str(schema.pk)})
    return campaign


@transaction.atomic
def set_member(*, campaign: Campaign, user: User, role: str, is_member: bool = True, actor: Any) -> None:
    """Give a person a role in a campaign, or take it away."""
    rows = CampaignMember.objects.filter(campaign=campaign, user=user, role=role)
    if is_member and not rows.exists():
        CampaignMember.objects.create(campaign=campaign, user=user, role=role)
        record(actor=actor, action="campaign.role_given", target=campaign, new={"user": user.username, "role": role})
    elif not is_member and rows.exists():
        rows.delete()
        record(actor=actor, action="campaign.role_taken", target=campaign, old={"user": user.username, "role": role})


@transaction.atomic
def add_scan(*, campaign: Campaign, scan: Scan, actor: Any) -> None:
    """Make a scan part of a campaign; doing it twice changes nothing."""
    _row, created = CampaignScan.objects.get_or_create(campaign=campaign, scan=scan)
    if created:
        record(actor=actor, action="campaign.scan_added", target=campaign, new={"scan": scan.code})


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


@transaction.atomic
def reclaim_assignment(*, assignment_id: UUID, actor: User, why: str) -> Assignment:
    """Take a scan back from a person and put it in the same batch again, free for another."""
    assignment = lock_assignment(assignment_id)
    require_role(actor, assignment.campaign, Role.COORDINATOR)
    if not visible_assignments(actor).filter(pk=assignment.pk).exists():
        raise NotFound
    advance(assignment, "reclaimed", table=ASSIGNMENT, actor=actor, why=why, reason=why, ended_at=now())
    return Assignment.objects.create(
        campaign=assignment.campaign,
        batch=assignment.batch,
        scan=assignment.scan,
        stage=assignment.stage,
        reader=assignment.reader,
        position=assignment.position,
    )


@transaction.atomic
def claim_assignment(*, actor: User, campaign: Campaign | None = None) -> Assignment | None:
    """The next annotation for this person: returned first, then their own batch, then the pool; None: none is left.

    Atomic: ten people at once get ten different scans, because each locks the row it takes and skips locked ones.
    """
    own = Assignment.objects.filter(
        person=actor,
        stage=Assignment.Stage.ANNOTATION,
        batch__state__in=["published", "in_progress", "returned", "submitted", "in_review"],
        campaign__is_paused=False,
        scan__site__memberships__user=actor,
        scan__state="ready",
    ).order_by("batch__number", "position")
    if campaign is not None:
        own = own.filter(campaign=campaign)
    for rows in (own.filter(state="returned"), own.filter(state="queued"), pool(actor, campaign)):
        found = rows.select_for_update(skip_locked=True, of=("self",)).first()
        if found is not None:
            found.person = actor
            found.save(update_fields=["person"])
            _open(found, actor)
            return found
    return None


@transaction.atomic
def open_assignment(*, assignment_id: UUID, actor: User) -> Assignment:
    """Start or go on with one's own assignment and take the lease."""
    assignment = lock_own(assignment_id, actor)
    if assignment.campaign.is_paused:
        raise Conflict("The campaign is paused; your work is safe, wait for the coordinator.", code="paused")
    check_not_withdrawn(assignment.scan)
    if assignment.state in ("queued", "returned"):
        if assignment.batch.state == "draft":
            raise NotFound
        _open(assignment, actor)
    elif assignment.state == "open":
        _extend(assignment)
    return assignment


def _open(assignment: Assignment, actor: User) -> None:
    advance(
        assignment,
        "open",
        table=ASSIGNMENT,
        actor=actor,
        opened_at=assignment.opened_at or now(),
        lease_until=extended(assignment),
        ended_at=None,
    )
    refresh_batch(assignment.batch_id, actor)


def _extend(assignment: Assignment) -> None:
    assignment.lease_until = extended(assignment)
    assignment.save(update_fields=["lease_until"])


@transaction.atomic
def beat_assignment(*, assignment_id: UUID, actor: User, active_seconds: int) -> Assignment:
    """Extend the lease and count active time, never more than two minutes a beat: the server does not trust clocks."""
    assignment = lock_own(assignment_id, actor)
    check_not_withdrawn(assignment.scan)
    if assignment.state != "open":
        raise Conflict(f"This scan is {assignment.state}; it can no longer be worked on.", code="not_editable")
    assignment.active_seconds += max(0, min(int(active_seconds), MOST_ACTIVE_SECONDS_PER_BEAT))
    assignment.lease_until = extended(assignment)
    assignment.save(update_fields=["active_seconds", "lease_until"])
    return assignment


def skip_assignment(*, assignment_id: UUID, actor: User, reason: str) -> Assignment:
    """Leave a scan out, with a reason; the coordinator sees it."""
    return _set_aside(assignment_id, "skipped", actor, reason)


def block_assignment(*, assignment_id: UUID, actor: User, reason: str) -> Assignment:
    """Report that a scan cannot be worked on (wrong series, artefact, burnt-in text); it waits for an answer."""
    return _set_aside(assignment_id, "blocked", actor, reason)


@transaction.atomic
def _set_aside(assignment_id: UUID, state: str, actor: User, reason: str) -> Assignment:
    assignment = lock_own(assignment_id, actor)
    if assignment.stage != Assignment.Stage.ANNOTATION:
        raise Conflict("A review cannot be skipped or blocked; give it back instead.", code="state_conflict")
    ended = now() if state == "skipped" else None
    advance(
        assignment, state, table=ASSIGNMENT, actor=actor, why=reason, reason=reason.strip(), lease_until=None,
        ended_at=ended,
    )  # fmt: skip
    refresh_batch(assignment.batch_id, actor)
    return assignment


@transaction.atomic
def unblock_assignment(*, assignment_id: UUID, actor: User) -> Assignment:
    """Answer a block or undo a skip: the scan goes back to the person's queue."""
    assignment = lock_assignment(assignment_id)
    if not visible_assignments(actor).filter(pk=assignment.pk).exists():
        raise NotFound
    if assignment.person_id != actor.pk:
        require_role(actor, assignment.campaign, Role.COORDINATOR, Role.DATA_MANAGER)
    if assignment.state == "skipped" and _is_taken_again(assignment):
        raise Conflict("Somebody else has this scan by now.", code="scan_taken")
    advance(assignment, "queued", table=ASSIGNMENT, actor=actor, reason="", ended_at=None)
    refresh_batch(assignment.batch_id, actor)
    return assignment


def _is_taken_again(assignment: Assignment) -> bool:
    return (
        Assignment.objects.filter(
            campaign=assignment.campaign, scan=assignment.scan, stage=assignment.stage, reader=assignment.reader
        )
        .exclude(pk=assignment.pk)
        .exclude(state__in=["reclaimed", "skipped"])
        .exists()
    )


@transaction.atomic
def release_assignment(*, assignment_id: UUID, actor: User) -> Assignment:
    """Give an untouched scan back: to the pool if it came from there, else to one's own queue."""
    assignment = lock_own(assignment_id, actor)
    if assignment.touched_at is not None:
        raise Conflict("You have worked on this scan; skip it with a reason instead.", code="state_conflict")
    _give_back(assignment, actor)
    return assignment


def _give_back(assignment: Assignment, actor: Any, why: str = "") -> None:
    person = assignment.person if assignment.batch.assignee_id else None
    advance(assignment, "queued", table=ASSIGNMENT, actor=actor, why=why, lease_until=None, person=person)


def expire_leases() -> int:
    """Give back scans whose lease ran out before any work was done on them; answers how many. Called by beat."""
    given_back = 0
    late = Assignment.objects.filter(
        stage=Assignment.Stage.ANNOTATION,
        state="open",
        touched_at__isnull=True,
        lease_until__lt=now(),
        round=1,
        active_seconds=0,
    )
    for pk in late.values_list("pk", flat=True):
        with transaction.atomic():
            row = late.select_for_update(skip_locked=True, of=("self",)).filter(pk=pk).first()
            if row is not None:
                _give_back(row, "system", why="the lease ran out before any work was done")
                given_back += 1
    return given_back


def check_not_withdrawn(scan: Scan) -> None:
    """Raise Conflict (`scan_withdrawn`) when the scan was taken out of every use."""
    if scan.state == "withdrawn":
        raise Conflict(
            f"{scan.code} was withdrawn and is not worked on any more; go on with the next scan.", code="scan_withdrawn"
        )


def lock_assignment(assignment_id: UUID) -> Assignment:
    """Lock the row for this transaction. Raises NotFound."""
    row = (
        Assignment.objects.select_for_update(of=("self",))
        .select_related("campaign", "batch", "scan", "scan__site", "person")
        .filter(pk=assignment_id)
        .first()
    )
    if row is None:
        raise NotFound
    return row


def lock_own(assignment_id: UUID, actor: User) -> Assignment:
    """Lock one's own assignment. NotFound when one may not see it, Forbidden when it is somebody else's."""
    row = lock_assignment(assignment_id)
    if not visible_assignments(actor).filter(pk=row.pk).exists():
        raise NotFound
    if row.person_id != actor.pk:
        raise Forbidden("This scan is given to somebody else.", code="not_yours")
    return row


def touch(assignment: Assignment) -> None:
    """Note that work was saved, and extend the lease with it."""
    assignment.touched_at = now()
    assignment.lease_until = extended(assignment)
    assignment.save(update_fields=["touched_at", "lease_until"])


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
