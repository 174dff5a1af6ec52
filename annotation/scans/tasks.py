from celery import shared_task

from annotation.scans import erasing


@shared_task(name="beat.finish_erasures", soft_time_limit=240, time_limit=280)
def finish_erasures() -> int:
    return erasing.finish_erasures()
