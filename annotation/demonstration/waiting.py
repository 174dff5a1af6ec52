"""Wait for the jobs of the demonstration."""

import time
from collections.abc import Callable

from voxloop.jobs.models import Job
from voxloop.jobs.states import JobState
from voxloop.kernel.errors import Refusal

POLL_SECONDS = 0.5


WAITING = (JobState.QUEUED, JobState.RUNNING)


class NotCreatedError(Refusal):
    """The set-up stopped at a step; the detail says which and why. Starting again resumes it."""


def wait_for(jobs: list[Job], each_time: Callable[[], None]) -> None:
    """Wait until these jobs have ended; `NotCreatedError` with the reason when one fails."""
    waiting = {job.pk for job in jobs}
    while waiting:
        for job in Job.objects.filter(pk__in=waiting).exclude(state__in=WAITING):
            if job.state != JobState.SUCCEEDED:
                raise NotCreatedError(f"{job.get_kind_display()}: {job.error or job.state}")
            waiting.discard(job.pk)
        each_time()
        if waiting:
            time.sleep(POLL_SECONDS)
