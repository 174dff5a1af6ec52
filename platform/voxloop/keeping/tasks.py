from datetime import timedelta

from celery import shared_task

from voxloop.jobs.models import Job
from voxloop.jobs.running import run
from voxloop.jobs.services import enqueue
from voxloop.keeping.collect import collect_unreferenced
from voxloop.keeping.log import verify_as_job
from voxloop.keeping.scrub import scrub_as_job
from voxloop.kernel.clock import today


@shared_task(name="jobs.scrub")
def scrub(job_id: str) -> None:
    run(job_id, scrub_as_job, within=timedelta(hours=24))


@shared_task(name="beat.scrub_weekly", soft_time_limit=20)
def scrub_weekly() -> None:
    """One scrub a week; checked every hour, because a machine may be off at night."""
    year, week, _ = today().isocalendar()
    enqueue(Job.Kind.SCRUB, payload={}, key=f"scrub:{year}-{week:02d}")


@shared_task(name="jobs.collect_unreferenced")
def collect(job_id: str) -> None:
    run(job_id, lambda claim: collect_unreferenced(), within=timedelta(hours=24))


@shared_task(name="jobs.verify_log")
def verify_log(job_id: str) -> None:
    run(job_id, verify_as_job, within=timedelta(hours=24))


@shared_task(name="beat.collect_daily", soft_time_limit=20)
def collect_daily() -> None:
    """One collection a day; checked every hour for the same reason."""
    enqueue(Job.Kind.COLLECT, payload={}, key=f"collect:{today()}")
