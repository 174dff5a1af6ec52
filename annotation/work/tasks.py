from celery import shared_task

from annotation.work.services import expire_leases


@shared_task(name="beat.expire_leases", soft_time_limit=40)
def expire_unused_leases() -> int:
    return expire_leases()
