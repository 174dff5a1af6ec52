from datetime import timedelta

from celery import shared_task

from annotation.datasets.exporting import write_export
from voxloop.jobs.running import run


@shared_task(name="jobs.export_release")
def export_release(job_id: str) -> None:
    run(job_id, write_export, within=timedelta(hours=12))
