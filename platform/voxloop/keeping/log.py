"""The check of the audit log as a job."""

from typing import Any

from voxloop.audit.anchors import anchor_statuses
from voxloop.audit.models import AuditEntry
from voxloop.audit.verify import verify
from voxloop.jobs.running import Claim
from voxloop.kernel.errors import Damaged


def verify_as_job(claim: Claim) -> dict[str, Any]:
    """Walk the whole log. Raises Damaged when an entry is not as it was written, or when an anchor that proves it is
    missing, late or cannot be read."""
    total = AuditEntry.objects.count() or 1

    def tell(count: int) -> None:
        claim.report(min(99, 100 * count // total), f"{count} of {total} entries")

    count, fault = verify(tell=tell)
    result = {"entries": count}
    if fault is not None:
        raise Damaged(fault.sentence, thing="audit log", code="log_broken", result=result)
    if wrong := [status.fault for status in anchor_statuses() if status.fault]:
        raise Damaged(" ".join(wrong), thing="audit log", code="anchor_missing", result=result)
    return result
