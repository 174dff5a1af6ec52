"""End jobs, and notify registered services."""

from collections.abc import Callable
from typing import Any

from django.db.models import F

from voxloop.jobs.models import Job
from voxloop.jobs.states import JOB, JobState
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Refusal

listeners_of_ends: list[Callable[[Job], None]] = []


listeners_of_refusals: list[Callable[[Refusal, Job], None]] = []


def on_refusal(listener: Callable[[Refusal, Job], None]) -> Callable[[Refusal, Job], None]:
    """Register a callback for refused jobs (call in AppConfig.ready)."""
    listeners_of_refusals.append(listener)
    return listener


def on_end(listener: Callable[[Job], None]) -> Callable[[Job], None]:
    """Register a callback for ended jobs of any outcome (call in AppConfig.ready). It runs within the transaction that
    ends the job."""
    listeners_of_ends.append(listener)
    return listener


def end(job: Job, state: JobState, *, result: Any = None, code: str = "", error: str = "") -> None:
    JOB.enter(job, state)
    job.ended_at, job.lease_until = now(), None
    job.result, job.error_code, job.error = result, code, error
    if state == JobState.SUCCEEDED:
        job.progress, job.message = 100, "Done"
    else:
        job.fence = F("fence") + 1
        job.message = error[:300]
    job.save()
    job.refresh_from_db()
    for listener in listeners_of_ends:
        listener(job)
