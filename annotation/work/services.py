"""The life cycle of an assignment until it is submitted."""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from annotation.scans.states import ScanState
from annotation.work.batches import refresh_batch
from annotation.work.certifying import check_certified, not_given_to
from annotation.work.handing_over import can_work, check_may_work, hand_back
from annotation.work.independence import knows_scan
from annotation.work.leases import UNTOUCHED, extended, had_open
from annotation.work.models import Assignment, Campaign
from annotation.work.pauses import UNOPENED, check_not_paused
from annotation.work.permissions import require_role
from annotation.work.selectors import WORKED_IN, pool, visible_assignments
from annotation.work.states import ASSIGNMENT, AssignmentState, BatchState
from annotation.work.withdrawing import check_not_withdrawn
from voxloop.accounts.actors import Actor, SystemActor
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.audit.services import advance
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Forbidden, NotFound

MOST_TRIES = 10  # of a claim that meets another claim of the same person


@transaction.atomic
def reclaim_assignment(
    *, assignment_id: UUID, actor: User, why: str, person: User | None = None, starts_anew: bool = False
) -> Assignment:
    """Take a scan back from a person and give it to another, or (None) to the pool, in the same batch. They go on from
    what was drawn, unless it starts anew. Raises Invalid when the other may not work on it."""
    assignment = lock_assignment(assignment_id)
    require_role(actor, assignment.campaign, Role.COORDINATOR)
    if not visible_assignments(actor).filter(pk=assignment.pk).exists():
        raise NotFound
    check_not_withdrawn(assignment.scan)
    if person is not None:
        check_may_work(person, assignment)
    return hand_back(assignment, actor=actor, why=why, person=person, starts_anew=starts_anew)


@transaction.atomic
def claim_assignment(*, actor: User, campaign: Campaign | None = None) -> Assignment | None:
    """The next annotation for this person: returned first, then their own batch, then the pool; None: none is left.

    Atomic under concurrency: locks the chosen row and skips locked ones."""
    own = Assignment.objects.filter(
        person=actor,
        stage=Assignment.Stage.ANNOTATION,
        batch__state__in=WORKED_IN,
        scan__site__memberships__user=actor,
        scan__state=ScanState.READY,
    )
    own = own.exclude(not_given_to(actor)).order_by("batch__number", "position")
    if campaign is not None:
        own = own.filter(campaign=campaign)
    for rows in (
        own.filter(state=AssignmentState.RETURNED),
        own.filter(state=AssignmentState.QUEUED),
        pool(actor, campaign),
    ):
        found = _lock_next(rows, actor)
        if found is not None:
            found.person = actor
            found.save(update_fields=["person"])
            _open(found, actor)
            return found
    return None


def _lock_next(rows: QuerySet[Assignment], actor: User) -> Assignment | None:
    """The first row that nobody has locked; of a scan with several readers only while the person reads no other."""
    for _ in range(MOST_TRIES):
        found = rows.select_for_update(skip_locked=True, of=("self",)).first()
        if found is None or not found.is_overlap or found.person_id is not None:
            return found
        # Two claims of one person wait for each other here; the second then sees what the first took.
        User.objects.select_for_update(no_key=True).get(pk=actor.pk)
        if not knows_scan(actor, found):
            return found
    return None


@transaction.atomic
def open_assignment(*, assignment_id: UUID, actor: User) -> Assignment:
    """Start or continue one's own assignment and take the lease; one that went back to the pool is taken again by
    whoever had it."""
    _take_again(assignment_id, actor)
    assignment = lock_own(assignment_id, actor)
    if assignment.campaign.is_paused or assignment.state in UNOPENED:
        check_not_paused(assignment, actor)
    check_certified(assignment, actor)
    check_not_withdrawn(assignment.scan)
    if assignment.state in UNOPENED:
        if assignment.batch.state == BatchState.DRAFT:
            raise NotFound
        _open(assignment, actor)
    elif assignment.state == AssignmentState.OPEN:
        _extend(assignment)
    return assignment


def _take_again(assignment_id: UUID, actor: User) -> None:
    rows = pool(actor, even_paused=True).select_for_update(of=("self",)).select_related("campaign", "batch")
    row = rows.filter(pk=assignment_id).first()
    if row is not None and had_open(row, actor):
        check_not_paused(row, actor)
        row.person = actor
        row.save(update_fields=["person"])


def _open(assignment: Assignment, actor: User) -> None:
    advance(
        assignment,
        AssignmentState.OPEN,
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


def skip_assignment(*, assignment_id: UUID, actor: User, reason: str) -> Assignment:
    """Skip a scan, with a reason; the coordinator sees it."""
    return _set_aside(assignment_id, AssignmentState.SKIPPED, actor, reason)


def block_assignment(*, assignment_id: UUID, actor: User, reason: str) -> Assignment:
    """Report that a scan cannot be worked on (wrong series, artefact, burnt-in text); it waits for an answer."""
    return _set_aside(assignment_id, AssignmentState.BLOCKED, actor, reason)


@transaction.atomic
def _set_aside(assignment_id: UUID, state: AssignmentState, actor: User, reason: str) -> Assignment:
    assignment = lock_own(assignment_id, actor)
    if assignment.stage != Assignment.Stage.ANNOTATION:
        raise Conflict(
            "Only an annotation can be skipped or blocked; a review is given back instead.", code="state_conflict"
        )
    if assignment.state == AssignmentState.SUBMITTED:
        # Only the end of its scan skips it; its review would stay behind.
        raise Conflict("This scan is handed in; it waits for its reviewer.", code="not_editable")
    ended = now() if state == AssignmentState.SKIPPED else None
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
    """Answer a block or undo a skip: the scan goes back to the person's queue, or to the pool where they no longer
    work on it. Raises Conflict (`scan_taken`, `batch_ended`)."""
    assignment = lock_assignment(assignment_id)
    if not visible_assignments(actor).filter(pk=assignment.pk).exists():
        raise NotFound
    if assignment.person_id != actor.pk:
        require_role(actor, assignment.campaign, Role.COORDINATOR, Role.DATA_MANAGER)
    check_not_withdrawn(assignment.scan)
    if assignment.state == AssignmentState.SKIPPED and _is_taken_again(assignment):
        raise Conflict("Somebody else has this scan by now.", code="scan_taken")
    if assignment.batch.state in (BatchState.CLOSED, BatchState.CANCELLED):
        raise Conflict(
            f"{assignment.batch} is {assignment.batch.state}; the scan is free, put it into another batch.",
            code="batch_ended",
        )
    person = assignment.person if assignment.person and can_work(assignment.person, assignment) else None
    advance(assignment, AssignmentState.QUEUED, table=ASSIGNMENT, actor=actor, reason="", ended_at=None, person=person)
    refresh_batch(assignment.batch_id, actor)
    return assignment


def _is_taken_again(assignment: Assignment) -> bool:
    return (
        Assignment.objects.filter(
            campaign=assignment.campaign, scan=assignment.scan, stage=assignment.stage, reader=assignment.reader
        )
        .exclude(pk=assignment.pk)
        .exclude(state__in=[AssignmentState.RECLAIMED, AssignmentState.SKIPPED])
        .exists()
    )


@transaction.atomic
def release_assignment(*, assignment_id: UUID, actor: User) -> Assignment:
    """Give an untouched scan back: to the pool if it came from there, else to one's own queue."""
    assignment = lock_own(assignment_id, actor)
    if assignment.state != AssignmentState.OPEN:
        raise Conflict(f"This scan is {assignment.state}; only an open one is given back.", code="state_conflict")
    if assignment.touched_at is not None:
        raise Conflict("You have worked on this scan; skip it with a reason instead.", code="state_conflict")
    _give_back(assignment, actor)
    return assignment


def _give_back(assignment: Assignment, actor: Actor, why: str = "") -> None:
    person = assignment.person if assignment.batch.assignee_id else None
    advance(assignment, AssignmentState.QUEUED, table=ASSIGNMENT, actor=actor, why=why, lease_until=None, person=person)


def expire_leases() -> int:
    """Give back untouched scans whose lease expired; answers how many. Called by beat."""
    given_back = 0
    late = Assignment.objects.filter(
        stage=Assignment.Stage.ANNOTATION,
        state=AssignmentState.OPEN,
        lease_until__lt=now(),
    ).filter(UNTOUCHED)
    for pk in late.values_list("pk", flat=True):
        with transaction.atomic():
            row = late.select_for_update(skip_locked=True, of=("self",)).filter(pk=pk).first()
            if row is not None:
                _give_back(row, SystemActor.SYSTEM, why="the lease ran out before any work was done")
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

    Raises Conflict (`lease_lost`) for a former holder, NotFound for who may not see it, Forbidden when it is somebody
    else's."""
    row = lock_assignment(assignment_id)
    if row.person_id != actor.pk or row.state == AssignmentState.RECLAIMED:
        check_not_lost(row, actor)
    if not visible_assignments(actor).filter(pk=row.pk).exists():
        raise NotFound
    if row.person_id != actor.pk:
        raise Forbidden("This scan is given to somebody else.", code="not_yours")
    return row


def check_not_lost(assignment: Assignment | None, actor: User) -> None:
    """Raise Conflict (`lease_lost`) when this person had the scan open and it was given back or taken away since."""
    if assignment is None or (
        assignment.person_id == actor.pk and assignment.state not in (AssignmentState.RECLAIMED, AssignmentState.QUEUED)
    ):
        return
    if not had_open(assignment, actor):
        return
    if assignment.person_id == actor.pk and assignment.state == AssignmentState.QUEUED:
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
    """Record that work was saved, and extend the lease."""
    assignment.touched_at = now()
    assignment.lease_until = extended(assignment)
    assignment.save(update_fields=["touched_at", "lease_until"])
