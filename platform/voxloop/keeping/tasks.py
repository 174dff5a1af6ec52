from celery import shared_task

from voxloop.jobs.models import Job
from voxloop.jobs.services import enqueue, run
from voxloop.keeping.collect import collect_unreferenced
from voxloop.keeping.scrub import scrub_as_job
from voxloop.kernel.clock import today


@shared_task(name="jobs.scrub", soft_time_limit=24 * 3600, time_limit=24 * 3600 + 300)
def scrub(job_id: str) -> None:
    run(job_id, scrub_as_job)


@shared_task(name="beat.scrub_weekly", soft_time_limit=20, time_limit=25)
def scrub_weekly() -> None:
    """One scrub a week; asked for each hour, so that a machine that sleeps at night has one too."""
    year, week, _ = today().isocalendar()
    enqueue(Job.Kind.SCRUB, payload={}, key=f"scrub:{year}-{week:02d}")


@shared_task(name="beat.collect_unreferenced", soft_time_limit=3600, time_limit=3660)
def collect() -> dict[str, int]:
    return collect_unreferenced()
