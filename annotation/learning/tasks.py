"""Background entry points of learning."""

from celery import shared_task

from annotation.learning import services


@shared_task(name="beat.retrain_when_due", soft_time_limit=20, time_limit=25)
def retrain_when_due() -> int:
    return services.retrain_when_due()
