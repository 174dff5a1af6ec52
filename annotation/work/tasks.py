from datetime import timedelta

from celery import shared_task

from annotation.work.eligibility.judging import judge_job
from annotation.work.services import expire_leases
from voxloop.jobs.running import run


@shared_task(name="jobs.judge_scans")
def judge_scans(job_id: str) -> None:
    run(job_id, judge_job, within=timedelta(minutes=30))


@shared_task(name="beat.expire_leases", soft_time_limit=40)
def expire_unused_leases() -> int:
    return expire_leases()
