"""How long a scan is held for a person: minutes at the desk, days on a journey."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from annotation.work.models import Assignment, Batch
from annotation.work.selectors import visible_batches
from annotation.work.states import ASSIGNMENT
from voxloop.accounts.models import User
from voxloop.audit.services import advance, record
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Forbidden, Invalid, NotFound

CARRIED = ("returned", "open", "queued")  # states of work that can be taken along


def extended(assignment: Assignment) -> datetime:
    """The lease of somebody at work now; one that runs for days is never cut short."""
    return lease_after(assignment.campaign.lease_minutes, assignment.lease_until)


def lease_after(lease_minutes: int, lease_until: datetime | None) -> datetime:
    """`extended`, of an assignment that was read only in part."""
    soon = now() + timedelta(minutes=lease_minutes)
    return max(soon, lease_until or soon)


def own_work_of(batch_id: UUID, actor: User) -> list[Assignment]:
    """What the person can take along of a batch, in its order. NotFound for an invisible batch."""
    if not visible_batches(actor).filter(pk=batch_id).exists():
        raise NotFound
    return list(
        Assignment.objects.select_related("scan", "campaign", "batch")
        .filter(
            batch=batch_id,
            person=actor,
            stage=Assignment.Stage.ANNOTATION,
            state__in=CARRIED,
            scan__state="ready",
            scan__site__memberships__user=actor,
        )
        .exclude(batch__state__in=["draft", "closed", "cancelled"])
        .order_by("position")
    )


def check_offline_allowed(days: int) -> None:
    """Raise Forbidden where the operator allows no offline work, Invalid for too many days."""
    if settings.OFFLINE_DAYS <= 0:
        raise Forbidden("Working offline is switched off on this server.", code="offline_forbidden")
    if not 1 <= days <= settings.OFFLINE_DAYS:
        raise Invalid(f"Scans are kept for 1 to {settings.OFFLINE_DAYS} days offline, not {days}.", code="bad_days")


@transaction.atomic
def hold_offline(*, batch: Batch, assignments: Iterable[Assignment], days: int, actor: User) -> datetime:
    """Hold opened scans for days, so that none is given to somebody else meanwhile; answers until when."""
    check_offline_allowed(days)
    until = now() + timedelta(days=days)
    ids = [one.pk for one in assignments]
    rows = list(Assignment.objects.select_for_update(of=("self",)).filter(pk__in=ids, person=actor, state="open"))
    if not rows:
        raise Conflict("None of your scans in this batch can be taken along.", code="nothing_to_take")
    for row in rows:
        row.lease_until = max(until, row.lease_until or until)
        row.save(update_fields=["lease_until"])
    record(
        actor=actor, action="batch.taken_offline", target=batch, new={"scans": len(rows), "until": until.isoformat()}
    )
    return until


@transaction.atomic
def end_offline(*, batch_id: UUID, actor: User) -> int:
    """The journey is over: ordinary leases again; what nobody has touched goes back to the queue. Answers how many."""
    batch = visible_batches(actor).filter(pk=batch_id).first()
    if batch is None:
        raise NotFound
    rows = Assignment.objects.select_for_update(of=("self",)).select_related("campaign", "batch")
    given_back = 0
    for row in rows.filter(batch=batch, person=actor, stage=Assignment.Stage.ANNOTATION, state="open"):
        untouched = row.touched_at is None and row.active_seconds == 0 and row.round == 1
        if untouched:
            person = row.person if row.batch.assignee_id else None
            why = "brought back untouched"
            advance(row, "queued", table=ASSIGNMENT, actor=actor, why=why, lease_until=None, person=person)
            given_back += 1
        else:
            row.lease_until = now() + timedelta(minutes=row.campaign.lease_minutes)
            row.save(update_fields=["lease_until"])
    record(actor=actor, action="batch.brought_back", target=batch, new={"given_back": given_back})
    return given_back
