"""Take a batch along: open its scans, hold them, and say what a browser must fetch."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from annotation.masks.services import begin
from annotation.work.leases import check_offline_allowed, hold_offline, own_work_of
from annotation.work.models import Assignment
from voxloop.accounts.models import User
from voxloop.kernel.errors import Conflict

PARTS = ("pack", "preview", "limit")


def plan_offline(*, batch_id: UUID, actor: User) -> dict[str, Any]:
    """What taking the batch along would mean: scans, bytes, most days (0: not allowed). Changes nothing."""
    return {**_load(own_work_of(batch_id, actor)), "days": settings.OFFLINE_DAYS}


@transaction.atomic
def take_offline(*, batch_id: UUID, days: int, actor: User) -> tuple[datetime, dict[str, Any]]:
    """Open what the person has in the batch and hold it for days; until when, and what to fetch."""
    check_offline_allowed(days)
    work = own_work_of(batch_id, actor)
    if not work:
        raise Conflict("None of your scans in this batch can be taken along.", code="nothing_to_take")
    for assignment in work:
        begin(assignment_id=assignment.pk, actor=actor)
    return hold_offline(batch=work[0].batch, assignments=work, days=days, actor=actor), _load(work)


def _load(work: Iterable[Assignment]) -> dict[str, Any]:
    scans = [
        {
            "assignment": str(one.pk),
            "code": one.scan.code,
            "view": f"/view/{one.pk}/",
            "bytes": sum((one.scan.index.get(part) or {}).get("bytes", 0) for part in PARTS),
        }
        for one in work
    ]
    return {"scans": scans, "bytes": sum(scan["bytes"] for scan in scans)}
