"""Leases: minutes for online work, days for offline work."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from annotation.scans.states import ScanState
from annotation.work.certifying import not_given_to
from annotation.work.models import Assignment, Batch
from annotation.work.pauses import UNOPENED, held_for
from annotation.work.permissions import site_ids
from annotation.work.selectors import visible_batches
from annotation.work.states import ASSIGNMENT, AssignmentState, BatchState
from voxloop.accounts.models import User
from voxloop.audit.models import AuditEntry
from voxloop.audit.services import advance, record
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Forbidden, Invalid, NotFound

GLANCE_SECONDS = 30  # who looked at a scan for less and left has done no work on it
# Nothing was done by whoever has it: their own work of an earlier round counts, that of others before them does not.
UNTOUCHED = Q(touched_at__isnull=True, active_seconds__lt=GLANCE_SECONDS) & (Q(round=1) | Q(begun_as__isnull=False))
CARRIED = (
    AssignmentState.RETURNED,
    AssignmentState.OPEN,
    AssignmentState.QUEUED,
)  # states of work that can be taken offline


def extended(assignment: Assignment) -> datetime:
    """The extended lease of somebody at work; never shortens an offline lease."""
    return lease_after(assignment.campaign.lease_minutes, assignment.lease_until)


def lease_after(lease_minutes: int, lease_until: datetime | None) -> datetime:
    """`extended` for an assignment given as separate values."""
    soon = now() + timedelta(minutes=lease_minutes)
    return max(soon, lease_until or soon)


def had_open(assignment: Assignment, person: User) -> bool:
    """Whether a person had this scan open at any time, by the audit log, and still works at its site."""
    opened = AuditEntry.objects.filter(
        object_type=Assignment._meta.label_lower, object_id=str(assignment.pk), action="assignment.open", actor=person
    )
    return opened.exists() and site_ids(person).filter(site=assignment.scan.site_id).exists()


def own_work_of(batch_id: UUID, actor: User) -> list[Assignment]:
    """Assignments of a batch that the person can take offline, in order; of a paused one what is open. NotFound for an
    invisible batch."""
    if not visible_batches(actor).filter(pk=batch_id).exists():
        raise NotFound
    return list(
        Assignment.objects.select_related("scan", "campaign", "batch")
        .filter(
            batch=batch_id,
            person=actor,
            stage=Assignment.Stage.ANNOTATION,
            state__in=CARRIED,
            scan__state=ScanState.READY,
            scan__site__memberships__user=actor,
        )
        .exclude(batch__state__in=[BatchState.DRAFT, BatchState.CLOSED, BatchState.CANCELLED])
        .exclude(held_for(actor), state__in=UNOPENED)
        .exclude(not_given_to(actor), state=AssignmentState.QUEUED)
        .order_by("position")
    )


def check_offline_allowed(days: int) -> None:
    """Raise Forbidden where offline work is disabled, Invalid for too many days."""
    if settings.OFFLINE_DAYS <= 0:
        raise Forbidden("Working offline is switched off on this server.", code="offline_forbidden")
    if not 1 <= days <= settings.OFFLINE_DAYS:
        raise Invalid(f"Scans are kept for 1 to {settings.OFFLINE_DAYS} days offline, not {days}.", code="bad_days")


@transaction.atomic
def hold_offline(*, batch: Batch, assignments: Iterable[Assignment], days: int, actor: User) -> datetime:
    """Extend the leases of opened scans to days; returns their end."""
    check_offline_allowed(days)
    until = now() + timedelta(days=days)
    ids = [one.pk for one in assignments]
    rows = list(
        Assignment.objects.select_for_update(of=("self",)).filter(pk__in=ids, person=actor, state=AssignmentState.OPEN)
    )
    if not rows:
        raise Conflict("None of your scans in this batch can be taken offline.", code="nothing_to_take")
    for row in rows:
        row.lease_until = max(until, row.lease_until or until)
        row.save(update_fields=["lease_until"])
    record(
        actor=actor, action="batch.taken_offline", target=batch, new={"scans": len(rows), "until": until.isoformat()}
    )
    return until


@transaction.atomic
def end_offline(*, batch_id: UUID, actor: User) -> int:
    """End offline work: restore ordinary leases; untouched scans go back to the queue. Returns how many."""
    batch = visible_batches(actor).filter(pk=batch_id).first()
    if batch is None:
        raise NotFound
    own = Assignment.objects.filter(
        batch=batch, person=actor, stage=Assignment.Stage.ANNOTATION, state=AssignmentState.OPEN
    )
    rows = list(own.select_for_update(of=("self",)).select_related("campaign", "batch"))
    untouched = set(own.filter(UNTOUCHED).values_list("pk", flat=True))
    given_back = 0
    for row in rows:
        if row.pk in untouched:
            person = row.person if row.batch.assignee_id else None
            why = "brought back untouched"
            advance(
                row, AssignmentState.QUEUED, table=ASSIGNMENT, actor=actor, why=why, lease_until=None, person=person
            )
            given_back += 1
        else:
            row.lease_until = now() + timedelta(minutes=row.campaign.lease_minutes)
            row.save(update_fields=["lease_until"])
    record(actor=actor, action="batch.brought_back", target=batch, new={"given_back": given_back})
    return given_back
