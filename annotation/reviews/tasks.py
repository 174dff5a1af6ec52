from celery import shared_task

from annotation.reviews.claims import expire_claims


@shared_task(name="beat.expire_claims", soft_time_limit=40)
def expire_review_claims() -> int:
    return expire_claims()
