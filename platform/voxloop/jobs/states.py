"""States of a job."""

from django.db.models import TextChoices

from voxloop.kernel.states import StateTable


class JobState(TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"


JOB = StateTable.of(
    "job",
    JobState.QUEUED,
    {
        JobState.QUEUED: {JobState.RUNNING, JobState.CANCELLED, JobState.LOST},
        JobState.RUNNING: {
            JobState.RUNNING,
            JobState.SUCCEEDED,
            JobState.FAILED,
            JobState.CANCELLED,
            JobState.QUEUED,
            JobState.LOST,
        },
    },
)
