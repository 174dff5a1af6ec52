from celery import shared_task

from annotation.reviews.agreement import measure_pairs
from annotation.reviews.arbitration import open_due
from annotation.reviews.arbitrators import expire_arbitrations
from annotation.reviews.certificates import draw_due
from annotation.reviews.claims import expire_claims
from annotation.reviews.gold import measure_gold
from annotation.reviews.planting import measure_corrections, plant_due
from annotation.reviews.style import measure_styles
from annotation.reviews.trials import measure_trials


@shared_task(name="beat.expire_claims", soft_time_limit=40)
def expire_review_claims() -> int:
    return expire_claims() + expire_arbitrations()


@shared_task(name="beat.measure_agreement", soft_time_limit=50)
def measure_agreement() -> int:
    return measure_pairs() + open_due()


@shared_task(name="beat.measure_gold", soft_time_limit=50)
def measure_gold_readings() -> int:
    return measure_gold() + measure_trials() + measure_styles()


@shared_task(name="beat.plant_faults", soft_time_limit=50)
def plant_faults() -> int:
    return plant_due() + measure_corrections()


@shared_task(name="beat.draw_samples", soft_time_limit=40)
def draw_due_samples() -> int:
    return draw_due()
