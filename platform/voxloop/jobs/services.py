"""Enqueue jobs, cancel them, re-send lost ones."""

import traceback
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from celery import current_app
from django.db import transaction
from django.db.models import F, Q

from voxloop.accounts.actors import Actor
from voxloop.accounts.models import User
from voxloop.jobs.ending import end
from voxloop.jobs.models import Job
from voxloop.jobs.states import JOB, JobState
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, NotFound

log = structlog.get_logger(__name__)

RESEND_AFTER = timedelta(seconds=90)


def enqueue(
    kind: Job.Kind, *, payload: dict[str, Any], key: str, actor: Actor | None = None, max_attempts: int = 2
) -> Job:
    """Enqueue a job; returns the existing job for the same key. Sent to the broker after commit."""
    job, created = Job.objects.get_or_create(
        key=key,
        defaults={
            "kind": kind,
            "payload": payload,
            "requested_by": actor if isinstance(actor, User) else None,
            "max_attempts": max_attempts,
            "message": "Waiting for a worker",
        },
    )
    if created:
        transaction.on_commit(lambda: send(job.pk, job.kind))
    return job


def send(job_id: UUID, kind: str) -> None:
    """Send a job to the broker. If the broker is down, `resend_expired` retries."""
    try:
        current_app.send_task(f"jobs.{kind}", args=[str(job_id)], queue=Job.QUEUES[Job.Kind(kind)])
    except Exception:
        log.warning("job_not_sent", job=str(job_id), kind=kind, error=traceback.format_exc(limit=1))
        return
    Job.objects.filter(pk=job_id).update(sent_at=now())


def take_up_again(job_id: UUID, fence: int) -> None:
    """Requeue an attempt whose worker is known to be dead, without waiting for its lease to expire."""
    mine = Job.objects.filter(pk=job_id, fence=fence, state=JobState.RUNNING)
    if mine.update(lease_until=now()):
        send(job_id, Job.objects.get(pk=job_id).kind)


def cancel(*, job_id: UUID, actor: Actor) -> Job:
    """Cancel a queued or running job; the worker notices at its next report."""
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=job_id).first()
        if job is None:
            raise NotFound
        if job.state not in (JobState.QUEUED, JobState.RUNNING):
            raise Conflict(f"This job is already {job.state}.", code="state_conflict")
        end(job, JobState.CANCELLED, error=f"Cancelled by {actor}.")
    return job


def resend_expired() -> int:
    """Re-send jobs that wait too long or whose worker is gone. Called by beat; returns how many."""
    sent = 0
    stale = now() - RESEND_AFTER
    for job in Job.objects.filter(
        Q(state=JobState.QUEUED) & (Q(sent_at__isnull=True) | Q(sent_at__lt=stale))
        | Q(state=JobState.RUNNING, lease_until__lt=now())
    ):
        if job.state == JobState.RUNNING and job.attempt >= job.max_attempts:
            with transaction.atomic():
                late = (
                    Job.objects.select_for_update(skip_locked=True)
                    .filter(pk=job.pk, state=JobState.RUNNING, fence=job.fence, lease_until__lt=now())
                    .first()
                )
                if late is not None:
                    end(late, JobState.LOST, code="worker_lost", error="The worker was lost; start the job again.")
            continue
        send(job.pk, job.kind)
        sent += 1
    return sent


@transaction.atomic
def requeue_running(why: str) -> int:
    """Requeue jobs that were running when a back-up was made, or mark them lost when their attempts are used up. Called
    after a restore, before any worker runs. Beat sends them; returns how many were running."""
    running = list(Job.objects.select_for_update().filter(state=JobState.RUNNING))
    for job in running:
        if job.attempt >= job.max_attempts:
            end(job, JobState.LOST, code="worker_lost", error=f"{why} Start the job again.")
        else:
            JOB.enter(job, JobState.QUEUED)
            job.fence, job.lease_until, job.message = F("fence") + 1, None, why[:300]
            job.save(update_fields=["state", "fence", "lease_until", "message"])
    Job.objects.filter(state=JobState.QUEUED).update(sent_at=None)
    return len(running)
