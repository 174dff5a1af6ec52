from celery import shared_task

from annotation.scans import erasing


@shared_task(name="beat.finish_erasures", soft_time_limit=50, time_limit=60)
def finish_erasures() -> int:
    return erasing.finish_erasures()
