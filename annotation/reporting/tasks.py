"""Background entry points of quantities and reports."""

from datetime import timedelta

from celery import shared_task

from annotation.reporting.measuring import measure_scans, measure_when_due
from annotation.reporting.sending import send_reports
from annotation.reporting.sets import write_set
from voxloop.jobs.running import run


@shared_task(name="jobs.measure_scans")
def measure(job_id: str) -> None:
    run(job_id, measure_scans, within=timedelta(hours=4))


@shared_task(name="jobs.report_batch")
def report_batch(job_id: str) -> None:
    run(job_id, write_set, within=timedelta(hours=4))


@shared_task(name="jobs.send_reports")
def send(job_id: str) -> None:
    run(job_id, send_reports, within=timedelta(hours=1))


@shared_task(name="beat.measure_quantities", soft_time_limit=50)
def measure_quantities() -> int:
    return measure_when_due()
