"""The life of an assignment up to handing it in."""

from typing import Any
from uuid import UUID

from django.db import transaction

from annotation.scans.models import Site
from annotation.work.batches import refresh_batch
from annotation.work.leases import extended
from annotation.work.models import Assignment, Campaign
from annotation.work.permissions import require_role, site_ids
from annotation.work.selectors import pool, visible_assignments
from annotation.work.states import ASSIGNMENT
from annotation.work.withdrawing import check_not_withdrawn
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.audit.models import AuditEntry
from voxloop.audit.services import advance
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Forbidden, NotFound

MOST_ACTIVE_SECONDS_PER_BEAT = 120


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
        check_not_lost(assignment, actor)
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
        assignment,
        state,
        table=ASSIGNMENT,
        actor=actor,
        why=reason,
        reason=reason.strip(),
        lease_until=None,
        ended_at=ended,
    )
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
    check_not_withdrawn(assignment.scan)
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
    """Lock one's own assignment.

    Raises Conflict (`lease_lost`) for who held it and does no more, NotFound for who may not see it, Forbidden when it
    is somebody else's.
    """
    row = lock_assignment(assignment_id)
    if row.person_id != actor.pk or row.state == "reclaimed":
        check_not_lost(row, actor)
    if not visible_assignments(actor).filter(pk=row.pk).exists():
        raise NotFound
    if row.person_id != actor.pk:
        raise Forbidden("This scan is given to somebody else.", code="not_yours")
    return row


def check_not_lost(assignment: Assignment | None, actor: User) -> None:
    """Raise Conflict (`lease_lost`) when this person had the scan open and it was given back or taken away since."""
    if assignment is None or (assignment.person_id == actor.pk and assignment.state not in ("reclaimed", "queued")):
        return
    had_it = AuditEntry.objects.filter(
        object_type=Assignment._meta.label_lower, object_id=str(assignment.pk), action="assignment.open", actor=actor
    )
    if not had_it.exists() or not Site.objects.filter(pk=assignment.scan.site_id, pk__in=site_ids(actor)).exists():
        return
    if assignment.person_id == actor.pk and assignment.state == "queued":
        raise Conflict(
            "Your hold on this scan ran out and nothing was stored; it waits in your list: open it, then save again.",
            code="lease_lost",
        )
    raise Conflict(
        "This scan was given back or to somebody else and nothing was stored; ask the coordinator for it.",
        code="lease_lost",
    )


def find_own(assignment_id: UUID, actor: User) -> Assignment:
    """An assignment that the person may see, for a change. Raises NotFound, Conflict (`lease_lost`)."""
    assignment = visible_assignments(actor).filter(pk=assignment_id).first()
    if assignment is None:
        check_not_lost(Assignment.objects.select_related("scan").filter(pk=assignment_id).first(), actor)
        raise NotFound
    return assignment


def touch(assignment: Assignment) -> None:
    """Note that work was saved, and extend the lease with it."""
    assignment.touched_at = now()
    assignment.lease_until = extended(assignment)
    assignment.save(update_fields=["touched_at", "lease_until"])
