"""Background entry points of learning."""

from datetime import timedelta

from celery import shared_task

from annotation.learning import services
from annotation.learning.bringing import run_bringing
from annotation.learning.choosing import choose_next, choose_when_due
from annotation.learning.effort import measure_when_due
from annotation.learning.packing import run_packing
from annotation.learning.preannotation import preannotate, preannotate_when_due, settle_used
from annotation.learning.running import run_training
from voxloop.jobs.running import run


@shared_task(name="jobs.train")
def train(job_id: str) -> None:
    run(job_id, run_training, within=timedelta(hours=48))


@shared_task(name="jobs.preannotate")
def preannotate_scans(job_id: str) -> None:
    run(job_id, preannotate, within=timedelta(hours=24))


@shared_task(name="jobs.bring_model")
def bring_model(job_id: str) -> None:
    run(job_id, run_bringing, within=timedelta(hours=12))


@shared_task(name="jobs.export_model")
def export_model(job_id: str) -> None:
    run(job_id, run_packing, within=timedelta(hours=1))


@shared_task(name="jobs.choose_scans")
def choose_scans(job_id: str) -> None:
    run(job_id, choose_next, within=timedelta(hours=12))


@shared_task(name="beat.retrain_when_due", soft_time_limit=20)
def retrain_when_due() -> int:
    settle_used()
    preannotate_when_due()
    choose_when_due()
    return services.retrain_when_due()


@shared_task(name="beat.measure_effort", soft_time_limit=50)
def measure_effort() -> int:
    return measure_when_due()
