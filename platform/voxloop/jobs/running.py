"""One attempt at a job: claim it, report progress, finish it or requeue it."""

import math
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from celery.exceptions import Reject
from django.db import Error, close_old_connections, connection, transaction
from django.db.models import F, Q

from voxloop.jobs import pulse
from voxloop.jobs.ending import end, listeners_of_refusals
from voxloop.jobs.models import Job
from voxloop.jobs.room import require_room
from voxloop.jobs.services import send
from voxloop.jobs.states import JOB, JobState
from voxloop.kernel.clock import now
from voxloop.kernel.errors import FULL, Kind, NoSpace, Refusal, StorageAway
from voxloop.kernel.pulse import EVERY_SECONDS

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)


LONGEST = timedelta(hours=48)


GIVE_UP_AFTER = timedelta(hours=24)


class LeaseLost(Exception):  # noqa: N818 - it is an order to stop, not a fault
    """Another worker took this job over, or it was cancelled: stop and write nothing."""


class GiveBack(Exception):  # noqa: N818 - an order, too
    """This worker was asked to end: stop and clean up; the job is requeued."""


class TookTooLong(Refusal):
    """A job exceeded its time limit. Celery's own limits need a process pool, in which one dead child stops the
    others."""

    kind, code = Kind.CONFLICT, "took_too_long"
    detail = "It exceeded the time limit of such a job and was stopped; ask for less at once."


@dataclass
class Claim:
    """The claim on one attempt of a job; every report checks the fencing token."""

    job: Job
    fence: int
    ends_at: float = math.inf  # by time.monotonic()

    def report(self, progress: int, message: str = "") -> None:
        """Store progress (0-100) and extend the lease. Raises LeaseLost, GiveBack, TookTooLong."""
        self.may_go_on()
        fields: dict[str, Any] = {"lease_until": now() + LEASE, "progress": max(0, min(100, progress))}
        if message:
            fields["message"] = message[:300]
        if not self._mine().update(**fields):
            raise LeaseLost

    def beat(self) -> None:
        """Extend the lease. Raises LeaseLost, GiveBack, TookTooLong."""
        self.may_go_on()
        self.extend()

    def extend(self) -> None:
        """Extend the lease, even when this worker was asked to end. Raises LeaseLost."""
        if not self._mine().update(lease_until=now() + LEASE):
            raise LeaseLost

    def check(self) -> None:
        """Within a transaction: lock the job row and raise LeaseLost unless this attempt still holds it."""
        if not self._mine().select_for_update().exists():
            raise LeaseLost

    def may_go_on(self) -> None:
        """Raise GiveBack or TookTooLong when the job must stop. Makes no query."""
        if pulse.is_stopping():
            raise GiveBack
        if time.monotonic() > self.ends_at:
            raise TookTooLong

    def _mine(self) -> Any:
        return Job.objects.filter(pk=self.job.pk, fence=self.fence, state=JobState.RUNNING)


def claim(job_id: UUID | str) -> Claim | None:
    """Take the job if it is free: queued, or running with a lease that ran out. None otherwise."""
    with transaction.atomic():
        job = (
            Job.objects.select_for_update(skip_locked=True)
            .filter(Q(state=JobState.QUEUED) | Q(state=JobState.RUNNING, lease_until__lt=now()), pk=job_id)
            .first()
        )
        if job is None:
            return None
        if job.attempt >= job.max_attempts:
            end(job, JobState.LOST, code="attempts_used", error="The worker was lost too often; start the job again.")
            return None
        JOB.enter(job, JobState.RUNNING)
        job.attempt, job.fence = job.attempt + 1, job.fence + 1
        job.lease_until, job.started_at, job.message, job.progress = now() + LEASE, now(), "Started", 0
        job.save()
    return Claim(job, job.fence)


def run(job_id: UUID | str, work: Callable[[Claim], dict[str, Any] | None], *, within: timedelta = LONGEST) -> None:
    """Run one attempt: claim, extend the lease, end the row whatever happens. Never raises for a failing job. `within`
    is the job's time limit."""
    if pulse.is_stopping():
        raise Reject("this worker ends", requeue=True)
    held = claim(job_id)
    if held is None:
        return
    held.ends_at = time.monotonic() + within.total_seconds()
    try:
        require_room()
        with pulse.at_work(held.job, held.fence), _heartbeat(held):
            result = work(held)
    except LeaseLost:
        log.warning("job_lease_lost", job=str(job_id))
    except GiveBack:
        give_back(held)
    except StorageAway as away:
        # A temporary failure outside the job: retried until it works or the job is too old.
        if now() - held.job.created_at < GIVE_UP_AFTER:
            wait_for_storage(held, away)
        else:
            finish(held, JobState.FAILED, code=away.code, error=away.detail)
    except Refusal as refusal:
        # A refusal's facts are stored beside the reason.
        finish(held, JobState.FAILED, result=refusal.extra.get("result"), code=refusal.code, error=refusal.detail)
        for hear in listeners_of_refusals:
            hear(refusal, held.job)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in FULL:
            finish(held, JobState.FAILED, code=NoSpace.code, error=NoSpace.detail)
            return
        log.error("job_failed", job=str(job_id), error=traceback.format_exc())
        finish(held, JobState.FAILED, code="internal", error=f"It stopped unexpectedly ({type(error).__name__}).")
    else:
        finish(held, JobState.SUCCEEDED, result=result)


def give_back(held: Claim) -> None:
    """Requeue the job; the attempt is not counted, because nothing went wrong."""
    fields = {
        **JOB.change(JobState.RUNNING, JobState.QUEUED),
        "fence": F("fence") + 1,
        "attempt": F("attempt") - 1,
        "lease_until": None,
        "progress": 0,
        "message": "Waiting for a worker",
    }
    if Job.objects.filter(pk=held.job.pk, fence=held.fence, state=JobState.RUNNING).update(**fields):
        log.info("job_given_back", job=str(held.job.pk))
        send(held.job.pk, held.job.kind)


def wait_for_storage(held: Claim, away: StorageAway) -> None:
    """Requeue the job for `resend_expired` to send again later. The attempt is not counted."""
    fields = {
        **JOB.change(JobState.RUNNING, JobState.QUEUED),
        "fence": F("fence") + 1,
        "attempt": F("attempt") - 1,
        "lease_until": None,
        "progress": 0,
        "sent_at": now(),
        "message": away.detail[:300],
    }
    if Job.objects.filter(pk=held.job.pk, fence=held.fence, state=JobState.RUNNING).update(**fields):
        log.warning("job_waits_for_storage", job=str(held.job.pk))


def finish(held: Claim, state: JobState, *, result: Any = None, code: str = "", error: str = "") -> None:
    """Finish the attempt, if it still holds the job."""
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=held.job.pk, fence=held.fence, state=JobState.RUNNING).first()
        if job is not None:
            end(job, state, result=result, code=code, error=error)


@contextmanager
def _heartbeat(held: Claim) -> Iterator[None]:
    """Extend the lease from a thread while the work runs, so that a stage without reports is not taken for dead. Stops
    at the job's time limit: a hung job then loses its lease, and its worker gives no more proof of work."""
    stop = threading.Event()

    def keep() -> None:
        try:
            while not stop.wait(min(LEASE.total_seconds() / 4, EVERY_SECONDS)) and time.monotonic() < held.ends_at:
                try:
                    close_old_connections()
                    held.extend()
                except Error as error:
                    log.warning("lease_not_extended", job=str(held.job.pk), error=type(error).__name__)
                pulse.taken()
        except LeaseLost:
            return
        finally:
            connection.close()

    thread = threading.Thread(target=keep, name=f"lease-{held.job.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
