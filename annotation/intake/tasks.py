from celery import shared_task

from annotation.intake import services
from voxloop.jobs.services import run


@shared_task(name="jobs.import_scans", soft_time_limit=3600, time_limit=3660)
def import_scans(job_id: str) -> None:
    run(job_id, services.import_scans)
