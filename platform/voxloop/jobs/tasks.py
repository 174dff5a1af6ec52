from celery import shared_task

from voxloop.jobs import pulse
from voxloop.jobs.scratch import sweep_when_due
from voxloop.jobs.services import resend_expired


@shared_task(name="beat.resend_expired_jobs", soft_time_limit=20)
def resend_expired_jobs() -> int:
    return resend_expired()


# Not a BoundedTask: a worker must also take pulses while the database is unreachable.
@shared_task(name="worker.pulse")
def prove() -> None:
    pulse.taken()
    sweep_when_due()
