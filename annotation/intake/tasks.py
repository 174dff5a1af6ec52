from datetime import timedelta

from celery import shared_task

from annotation.intake import services
from annotation.intake.uploads import sweep_uploads
from voxloop.jobs.running import run


@shared_task(name="jobs.import_scans")
def import_scans(job_id: str) -> None:
    run(job_id, services.import_scans, within=timedelta(hours=1))


@shared_task(name="beat.sweep_uploads")
def sweep_unwanted_uploads() -> int:
    return sweep_uploads()
