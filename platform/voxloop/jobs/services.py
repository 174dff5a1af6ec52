"""Ask for work, claim it, report on it, end it."""

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
from celery import current_app
from celery.exceptions import Reject
from django.db import Error, close_old_connections, connection, transaction
from django.db.models import F, Q

from voxloop.jobs import pulse
from voxloop.jobs.models import Job
from voxloop.jobs.room import require_room
from voxloop.kernel.clock import now
from voxloop.kernel.errors import FULL, Conflict, Kind, NoSpace, NotFound, Refusal, StorageAway
from voxloop.kernel.pulse import EVERY_SECONDS

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
RESEND_AFTER = timedelta(seconds=90)
LONGEST = timedelta(hours=48)
GIVE_UP_AFTER = timedelta(hours=24)


class LeaseLost(Exception):  # noqa: N818 - it is an order to stop, not a fault
    """Another worker has taken this job over, or it was cancelled: stop and write nothing."""


class GiveBack(Exception):  # noqa: N818 - an order, too
    """This worker was asked to end: stop, leave nothing behind; the job waits for the next worker."""


class TookTooLong(Refusal):
    """The limit of a job. Celery's own limits need a pool of processes, whose dead child stops the others."""

    kind, code = Kind.CONFLICT, "took_too_long"
    detail = "It took longer than such a job may and was stopped; ask for less at once."


def enqueue(kind: Job.Kind, *, payload: dict[str, Any], key: str, actor: Any = None, max_attempts: int = 2) -> Job:
    """Ask for a job; the same key answers the job that is already there. Sent to the broker after commit."""
    job, created = Job.objects.get_or_create(
        key=key,
        defaults={
            "kind": kind,
            "payload": payload,
            "requested_by": actor if getattr(actor, "pk", None) else None,
            "max_attempts": max_attempts,
            "message": "Waiting for a worker",
        },
    )
    if created:
        transaction.on_commit(lambda: send(job.pk, job.kind))
    return job


def send(job_id: UUID, kind: str) -> None:
    """Hand a job to the broker. A broker that is down is no loss: `resend_expired` tries again."""
    try:
        current_app.send_task(f"jobs.{kind}", args=[str(job_id)], queue=Job.QUEUES[Job.Kind(kind)])
    except Exception:
        log.warning("job_not_sent", job=str(job_id), kind=kind, error=traceback.format_exc(limit=1))
        return
    Job.objects.filter(pk=job_id).update(sent_at=now())


@dataclass
class Claim:
    """The right to run one attempt of a job; every report checks the fencing token."""

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
        """Extend the lease, whatever this worker was asked for meanwhile. Raises LeaseLost."""
        if not self._mine().update(lease_until=now() + LEASE):
            raise LeaseLost

    def check(self) -> None:
        """Within a transaction: lock the job row and raise LeaseLost unless this attempt still holds it."""
        if not self._mine().select_for_update().exists():
            raise LeaseLost

    def may_go_on(self) -> None:
        """Raise GiveBack or TookTooLong when it may not. Asks no database."""
        if pulse.is_stopping():
            raise GiveBack
        if time.monotonic() > self.ends_at:
            raise TookTooLong

    def _mine(self) -> Any:
        return Job.objects.filter(pk=self.job.pk, fence=self.fence, state="running")


def claim(job_id: UUID | str) -> Claim | None:
    """Take the job if it is free: queued, or running with a lease that ran out. None otherwise."""
    with transaction.atomic():
        job = (
            Job.objects.select_for_update(skip_locked=True)
            .filter(Q(state="queued") | Q(state="running", lease_until__lt=now()), pk=job_id)
            .first()
        )
        if job is None:
            return None
        if job.attempt >= job.max_attempts:
            _end(job, "lost", code="attempts_used", error="The worker was lost too often; start the job again.")
            return None
        job.state, job.attempt, job.fence = "running", job.attempt + 1, job.fence + 1
        job.lease_until, job.started_at, job.message, job.progress = now() + LEASE, now(), "Started", 0
        job.save()
    return Claim(job, job.fence)


def run(job_id: UUID | str, work: Callable[[Claim], dict[str, Any] | None], *, within: timedelta = LONGEST) -> None:
    """Run one attempt: claim, keep the lease alive, end the row whatever happens. Never raises for a bad job.

    `within` is the longest that such a job may take.
    """
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
        # Not the job's fault, and it passes: tried again until it goes or the job is too old to be still wanted.
        if now() - held.job.created_at < GIVE_UP_AFTER:
            wait_for_storage(held, away)
        else:
            finish(held, "failed", code=away.code, error=away.detail)
    except Refusal as refusal:
        # What a refused job has found out is told beside the reason.
        finish(held, "failed", result=refusal.extra.get("result"), code=refusal.code, error=refusal.detail)
        for hear in _on_refusal:
            hear(refusal, held.job)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in FULL:
            finish(held, "failed", code=NoSpace.code, error=NoSpace.detail)
            return
        log.error("job_failed", job=str(job_id), error=traceback.format_exc())
        finish(held, "failed", code="internal", error=f"It stopped unexpectedly ({type(error).__name__}).")
    else:
        finish(held, "succeeded", result=result)


def give_back(held: Claim) -> None:
    """Let the next worker carry the job out; the attempt is not counted, because nothing went wrong."""
    fields = {
        "state": "queued",
        "fence": F("fence") + 1,
        "attempt": F("attempt") - 1,
        "lease_until": None,
        "progress": 0,
        "message": "Waiting for a worker",
    }
    if Job.objects.filter(pk=held.job.pk, fence=held.fence, state="running").update(**fields):
        log.info("job_given_back", job=str(held.job.pk))
        send(held.job.pk, held.job.kind)


def wait_for_storage(held: Claim, away: StorageAway) -> None:
    """Put the job back; `resend_expired` sends it again after a while. The attempt is not counted."""
    fields = {
        "state": "queued",
        "fence": F("fence") + 1,
        "attempt": F("attempt") - 1,
        "lease_until": None,
        "progress": 0,
        "sent_at": now(),
        "message": away.detail[:300],
    }
    if Job.objects.filter(pk=held.job.pk, fence=held.fence, state="running").update(**fields):
        log.warning("job_waits_for_storage", job=str(held.job.pk))


def take_up_again(job_id: UUID, fence: int) -> None:
    """The worker of this attempt is known to be dead: do not wait until its lease is over."""
    mine = Job.objects.filter(pk=job_id, fence=fence, state="running")
    if mine.update(lease_until=now()):
        send(job_id, Job.objects.get(pk=job_id).kind)


def finish(held: Claim, state: str, *, result: Any = None, code: str = "", error: str = "") -> None:
    """End the attempt, if it still holds the job."""
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=held.job.pk, fence=held.fence, state="running").first()
        if job is not None:
            _end(job, state, result=result, code=code, error=error)


def cancel(*, job_id: UUID, actor: Any) -> Job:
    """Stop a job that waits or runs; the worker notices at its next report."""
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=job_id).first()
        if job is None:
            raise NotFound
        if job.state not in ("queued", "running"):
            raise Conflict(f"This job is already {job.state}.", code="state_conflict")
        _end(job, "cancelled", error=f"Cancelled by {actor}.")
    return job


def resend_expired() -> int:
    """Send again what waits too long or whose worker is gone. Called by beat; answers how many."""
    sent = 0
    stale = now() - RESEND_AFTER
    for job in Job.objects.filter(
        Q(state="queued") & (Q(sent_at__isnull=True) | Q(sent_at__lt=stale)) | Q(state="running", lease_until__lt=now())
    ):
        if job.state == "running" and job.attempt >= job.max_attempts:
            with transaction.atomic():
                late = (
                    Job.objects.select_for_update(skip_locked=True)
                    .filter(pk=job.pk, state="running", fence=job.fence, lease_until__lt=now())
                    .first()
                )
                if late is not None:
                    _end(late, "lost", code="worker_lost", error="The worker was lost; start the job again.")
            continue
        send(job.pk, job.kind)
        sent += 1
    return sent


@transaction.atomic
def requeue_running(why: str) -> int:
    """Hand back what the workers of another time held: queued again, or lost when its attempts are used up.

    Called after a restore, before any worker runs. Beat sends what is queued; answers how many ran.
    """
    running = list(Job.objects.select_for_update().filter(state="running"))
    for job in running:
        if job.attempt >= job.max_attempts:
            _end(job, "lost", code="worker_lost", error=f"{why} Start the job again.")
        else:
            job.state, job.fence, job.lease_until, job.message = "queued", F("fence") + 1, None, why[:300]
            job.save(update_fields=["state", "fence", "lease_until", "message"])
    Job.objects.filter(state="queued").update(sent_at=None)
    return len(running)


_on_end: list[Callable[[Job], None]] = []
_on_refusal: list[Callable[[Refusal, Job], None]] = []


def on_refusal(listener: Callable[[Refusal, Job], None]) -> Callable[[Refusal, Job], None]:
    """Register who must know why a job was refused (registered in AppConfig.ready)."""
    _on_refusal.append(listener)
    return listener


def on_end(listener: Callable[[Job], None]) -> Callable[[Job], None]:
    """Register a service that must know when a job ended without success (registered in AppConfig.ready)."""
    _on_end.append(listener)
    return listener


def _end(job: Job, state: str, *, result: Any = None, code: str = "", error: str = "") -> None:
    job.state, job.ended_at, job.lease_until = state, now(), None
    job.result, job.error_code, job.error = result, code, error
    if state == "succeeded":
        job.progress, job.message = 100, "Done"
    else:
        job.fence = F("fence") + 1
        job.message = error[:300]
    job.save()
    job.refresh_from_db()
    if state != "succeeded":
        for listener in _on_end:
            listener(job)


@contextmanager
def _heartbeat(held: Claim) -> Iterator[None]:
    """Extend the lease from a thread while the work runs, so that a silent stage is not taken for a dead one.

    Not past the limit of the job: one that hangs loses its lease then, and its worker the proof that it works.
    """
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
