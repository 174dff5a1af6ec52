"""End assignments, put their scans back for another person, and the line of work that passes from hand to hand.

A line of work is every assignment of one scan that goes on from another: the second person goes on from the mask, the
answers and the comments of the first, unless the coordinator lets the scan start anew."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q, QuerySet

from annotation.scans.models import Scan
from annotation.work.models import Assignment, Campaign
from annotation.work.states import ASSIGNMENT, AssignmentState
from voxloop.accounts.actors import Actor
from voxloop.accounts.models import User
from voxloop.audit.services import advance
from voxloop.kernel.clock import now


def end_assignment(assignment: Assignment, *, actor: Actor, why: str) -> None:
    """End a locked assignment without a result; its lease ends with it."""
    advance(
        assignment,
        AssignmentState.RECLAIMED,
        table=ASSIGNMENT,
        actor=actor,
        why=why,
        reason=why,
        lease_until=None,
        ended_at=now(),
    )


def put_back(assignment: Assignment, *, person: User | None = None, starts_anew: bool = False) -> Assignment:
    """A new assignment for the scan of an ended one, at the same position of the same batch, for a person or the pool.
    It goes on from the ended one unless it starts anew."""
    begun_as = None if starts_anew else _begun_as(assignment)
    return Assignment.objects.create(
        campaign=assignment.campaign,
        batch=assignment.batch,
        scan=assignment.scan,
        stage=assignment.stage,
        reader=assignment.reader,
        is_overlap=assignment.is_overlap,
        is_gold=assignment.is_gold,
        choice=assignment.choice,
        position=assignment.position,
        person=person,
        begun_as_id=begun_as,
        round=assignment.round if begun_as else 1,
    )


def _begun_as(ended: Assignment) -> UUID | None:
    """What a successor of an ended assignment goes on from; None when nobody had opened it."""
    return ended.begun_as_id or (ended.pk if ended.opened_at else None)


def find_begun(campaign: Campaign, scans: Sequence[Scan]) -> dict[UUID, tuple[UUID, int]]:
    """The line of work and the round to go on from, of each scan whose newest annotation ended without a result."""
    newest: dict[UUID, Assignment] = {}
    for row in Assignment.objects.filter(
        campaign=campaign, scan__in=scans, stage=Assignment.Stage.ANNOTATION, reader=1
    ).order_by("created_at"):
        newest[row.scan_id] = row
    found = {scan: (_begun_as(row), row.round) for scan, row in newest.items()}
    return {scan: (line, number) for scan, (line, number) in found.items() if line is not None}


def line_of(assignment: Assignment) -> UUID:
    """The name of the line of work: the id of its first assignment."""
    return assignment.begun_as_id or assignment.pk


def whole_line(assignment: Assignment) -> QuerySet[Assignment]:
    """Every assignment of this line of work, this one too, newest first."""
    first = line_of(assignment)
    return Assignment.objects.filter(Q(pk=first) | Q(begun_as=first)).order_by("-created_at")


def lines_of(rows: QuerySet[Assignment]) -> QuerySet[Assignment]:
    """The assignments of others that these go on from."""
    firsts = rows.filter(begun_as__isnull=False).values("begun_as_id")
    return Assignment.objects.filter(Q(pk__in=firsts) | Q(begun_as__in=firsts))


def worked_on_by(user: User) -> QuerySet[Assignment]:
    """Annotations that a person has saved something in, and all that goes on from them."""
    own = Assignment.objects.filter(person=user, stage=Assignment.Stage.ANNOTATION, touched_at__isnull=False)
    return Assignment.objects.filter(
        Q(pk__in=own.values("pk"))
        | Q(begun_as__in=own.values("pk"))
        | Q(begun_as__in=own.filter(begun_as__isnull=False).values("begun_as_id"))
    )
