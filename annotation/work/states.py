"""States of batches and assignments."""

from django.db.models import TextChoices

from voxloop.kernel.states import StateTable


class BatchState(TextChoices):
    DRAFT = "draft"
    PUBLISHED = "published"
    IN_PROGRESS = "in_progress"
    SUBMITTED = "submitted"
    IN_REVIEW = "in_review"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    CLOSED = "closed"
    CANCELLED = "cancelled"


BATCH = StateTable.of(
    "batch",
    BatchState.DRAFT,
    {
        BatchState.DRAFT: {BatchState.PUBLISHED, BatchState.CANCELLED},
        BatchState.PUBLISHED: {BatchState.IN_PROGRESS, BatchState.CLOSED, BatchState.CANCELLED},
        BatchState.IN_PROGRESS: {BatchState.SUBMITTED, BatchState.CLOSED, BatchState.CANCELLED},
        BatchState.SUBMITTED: {BatchState.IN_PROGRESS, BatchState.IN_REVIEW, BatchState.ACCEPTED, BatchState.CLOSED},
        BatchState.IN_REVIEW: {BatchState.IN_PROGRESS, BatchState.RETURNED, BatchState.ACCEPTED, BatchState.CLOSED},
        BatchState.RETURNED: {BatchState.IN_PROGRESS, BatchState.SUBMITTED, BatchState.CLOSED, BatchState.CANCELLED},
        # A skipped scan is put back; a verdict is undone.
        BatchState.ACCEPTED: {BatchState.IN_PROGRESS, BatchState.IN_REVIEW, BatchState.CLOSED},
    },
)


class AssignmentState(TextChoices):
    QUEUED = "queued"
    OPEN = "open"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    RETURNED = "returned"
    BLOCKED = "blocked"
    SKIPPED = "skipped"
    RECLAIMED = "reclaimed"


ASSIGNMENT = StateTable.of(
    "assignment",
    AssignmentState.QUEUED,
    {
        AssignmentState.QUEUED: {
            AssignmentState.OPEN,
            AssignmentState.RECLAIMED,
            AssignmentState.SKIPPED,
            AssignmentState.BLOCKED,
        },
        AssignmentState.OPEN: {
            AssignmentState.SUBMITTED,
            AssignmentState.APPROVED,
            AssignmentState.QUEUED,
            AssignmentState.SKIPPED,
            AssignmentState.BLOCKED,
            AssignmentState.RECLAIMED,
        },
        AssignmentState.SUBMITTED: {
            AssignmentState.APPROVED,
            AssignmentState.RETURNED,
            AssignmentState.OPEN,
            AssignmentState.SKIPPED,
        },
        # To submitted: the reviewer took the verdict back at once.
        AssignmentState.RETURNED: {
            AssignmentState.OPEN,
            AssignmentState.RECLAIMED,
            AssignmentState.SKIPPED,
            AssignmentState.SUBMITTED,
        },
        AssignmentState.APPROVED: {AssignmentState.SUBMITTED},
        AssignmentState.BLOCKED: {
            AssignmentState.OPEN,
            AssignmentState.QUEUED,
            AssignmentState.SKIPPED,
            AssignmentState.RECLAIMED,
        },
        AssignmentState.SKIPPED: {AssignmentState.QUEUED},
    },
    needs_reason={AssignmentState.SKIPPED, AssignmentState.BLOCKED, AssignmentState.RECLAIMED},
)
