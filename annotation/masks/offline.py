"""Take a batch offline: open its scans, extend their leases, and list what a browser must fetch."""

from collections.abc import Iterable
from uuid import UUID

from django.conf import settings
from django.db import transaction

from annotation.masks.facts import OfflineLoadFacts, OfflinePlanFacts, OfflineScanFacts
from annotation.masks.services import begin
from annotation.scans.volumes import ready_volume
from annotation.work.leases import check_offline_allowed, hold_offline, own_work_of
from annotation.work.models import Assignment
from voxloop.accounts.models import User
from voxloop.kernel.errors import Conflict

PARTS = ("pack", "preview", "limit")


def plan_offline(*, batch_id: UUID, actor: User) -> OfflinePlanFacts:
    """Preview of taking the batch offline: scans, bytes, most days (0: not allowed). Read-only."""
    scans = _scans_of(own_work_of(batch_id, actor))
    return OfflinePlanFacts(scans, sum(scan.bytes for scan in scans), settings.OFFLINE_DAYS)


@transaction.atomic
def take_offline(*, batch_id: UUID, days: int, actor: User) -> OfflineLoadFacts:
    """Open the person's scans of the batch and hold them for days; returns the end of the leases and what to fetch."""
    check_offline_allowed(days)
    work = own_work_of(batch_id, actor)
    if not work:
        raise Conflict("None of your scans in this batch can be taken offline.", code="nothing_to_take")
    for assignment in work:
        begin(assignment_id=assignment.pk, actor=actor)
    until = hold_offline(batch=work[0].batch, assignments=work, days=days, actor=actor)
    scans = _scans_of(work)
    return OfflineLoadFacts(until, scans, sum(scan.bytes for scan in scans))


def _scans_of(work: Iterable[Assignment]) -> list[OfflineScanFacts]:
    return [
        OfflineScanFacts(
            assignment=one.pk,
            code=one.scan.code,
            view=f"/view/{one.pk}/",
            bytes=sum((ready_volume(one.scan).index.get(part) or {}).get("bytes", 0) for part in PARTS),
        )
        for one in work
    ]
