from celery import shared_task

from voxloop.audit.anchors import anchor


@shared_task(name="beat.anchor_audit", soft_time_limit=30)
def anchor_audit() -> None:
    anchor()
