from datetime import timedelta

from celery import shared_task

from annotation.notices.gathering import gather
from annotation.notices.mailing import mail_when_due, send_notices
from annotation.notices.reminding import remind
from voxloop.jobs.running import run


@shared_task(name="beat.tell_people", soft_time_limit=50)
def tell_people() -> int:
    told = gather() + remind()
    mail_when_due()
    return told


@shared_task(name="jobs.send_notices")
def send(job_id: str) -> None:
    run(job_id, send_notices, within=timedelta(minutes=30))
