from datetime import timedelta

from celery import shared_task

from annotation.intake import services
from voxloop.jobs.services import run


@shared_task(name="jobs.import_scans")
def import_scans(job_id: str) -> None:
    run(job_id, services.import_scans, within=timedelta(hours=1))
