from celery import shared_task

from annotation.datasets.exporting import write_export
from voxloop.jobs.services import run


@shared_task(name="jobs.export_release", soft_time_limit=12 * 3600, time_limit=12 * 3600 + 300)
def export_release(job_id: str) -> None:
    run(job_id, write_export)
