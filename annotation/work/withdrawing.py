"""Withdraw a scan: permission, and the end of work on it."""

from uuid import UUID

from django.db import transaction

from annotation.scans.models import Scan
from annotation.scans.services import withdraw_scan
from annotation.scans.states import ScanState
from annotation.work.batches import refresh_batch
from annotation.work.models import Assignment, CampaignMember
from annotation.work.permissions import OVERSEERS
from annotation.work.selectors import visible_scans
from annotation.work.states import ASSIGNMENT, AssignmentState
from voxloop.accounts.actors import Actor
from voxloop.accounts.models import User
from voxloop.audit.services import advance
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Forbidden, Gone, NotFound
from voxloop.kernel.reasons import kept_reason

ENDED = (ScanState.WITHDRAWN, ScanState.ERASED)
UNDER_WAY = (
    AssignmentState.QUEUED,
    AssignmentState.OPEN,
    AssignmentState.RETURNED,
    AssignmentState.BLOCKED,
    AssignmentState.SUBMITTED,
)


@transaction.atomic
def withdraw(*, scan_id: UUID, actor: User, why: str) -> Scan:
    """Withdraw a scan permanently. Coordinators and data managers of a campaign that has it.

    Raises NotFound, Forbidden, Conflict (`state_conflict`, `reason_required`).
    """
    if not visible_scans(actor).filter(pk=scan_id).exists():
        raise NotFound
    if not may_withdraw(actor, scan_id):
        raise Forbidden("Only a coordinator or a data manager of this campaign may withdraw a scan.")
    return withdraw_scan(scan_id=scan_id, actor=actor, why=kept_reason(why))


def may_withdraw(user: User, scan_id: UUID) -> bool:
    """Whether the person oversees a campaign that has the scan."""
    return CampaignMember.objects.filter(user=user, role__in=OVERSEERS, campaign__campaign_scans__scan=scan_id).exists()


def end_work(*, scan: Scan, actor: Actor) -> None:
    """End all work on the scan (registered with `scans.services.on_withdrawn`)."""
    rows = Assignment.objects.select_for_update(of=("self",)).filter(
        scan=scan, stage=Assignment.Stage.ANNOTATION, state__in=UNDER_WAY
    )
    why = "the scan was withdrawn"
    batches = set()
    for row in rows.order_by("pk"):
        advance(
            row,
            AssignmentState.SKIPPED,
            table=ASSIGNMENT,
            actor=actor,
            why=why,
            reason="The scan was withdrawn.",
            lease_until=None,
            ended_at=now(),
        )
        batches.add(row.batch_id)
    for batch in sorted(batches):
        refresh_batch(batch, actor)


def check_not_withdrawn(scan: Scan) -> None:
    """Raise Conflict (`scan_withdrawn`) when the scan was withdrawn."""
    if scan.state in ENDED:
        raise Conflict(
            f"{scan.code} was withdrawn and is not worked on any more; go on with the next scan.", code="scan_withdrawn"
        )


def check_not_gone(scan: Scan) -> None:
    """Raise Gone (`scan_withdrawn`) for somebody who may see the scan and requests its voxels."""
    if scan.state in ENDED:
        raise Gone(f"{scan.code} was withdrawn; its images are no longer served.", code="scan_withdrawn")
