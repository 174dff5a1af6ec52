"""Background entry points of learning."""

from celery import shared_task

from annotation.learning import services
from annotation.learning.preannotation import preannotate, preannotate_when_due, settle_used
from annotation.learning.running import run_training
from voxloop.jobs.services import run


@shared_task(name="jobs.train", soft_time_limit=48 * 3600, time_limit=48 * 3600 + 300)
def train(job_id: str) -> None:
    run(job_id, run_training)


@shared_task(name="jobs.preannotate", soft_time_limit=24 * 3600, time_limit=24 * 3600 + 300)
def preannotate_scans(job_id: str) -> None:
    run(job_id, preannotate)


@shared_task(name="beat.retrain_when_due", soft_time_limit=20, time_limit=25)
def retrain_when_due() -> int:
    settle_used()
    preannotate_when_due()
    return services.retrain_when_due()
