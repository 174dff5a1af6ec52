"""States of a scan."""

from django.db.models import TextChoices

from voxloop.kernel.states import StateTable


class ScanState(TextChoices):
    RECEIVED = "received"
    SCREENING = "screening"
    CONVERTING = "converting"
    READY = "ready"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"
    FAILED = "failed"
    ERASED = "erased"


SCAN = StateTable.of(
    "scan",
    ScanState.RECEIVED,
    {
        ScanState.RECEIVED: {ScanState.SCREENING, ScanState.REJECTED, ScanState.FAILED},
        ScanState.SCREENING: {ScanState.CONVERTING, ScanState.REJECTED, ScanState.FAILED},
        ScanState.CONVERTING: {ScanState.READY, ScanState.REJECTED, ScanState.FAILED},
        ScanState.READY: {ScanState.WITHDRAWN, ScanState.ERASED},
        ScanState.WITHDRAWN: {ScanState.ERASED},
        ScanState.REJECTED: {ScanState.ERASED},
        ScanState.FAILED: {ScanState.ERASED},
    },
    needs_reason={ScanState.REJECTED, ScanState.FAILED, ScanState.WITHDRAWN, ScanState.ERASED},
)
