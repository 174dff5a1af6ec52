from celery import shared_task
from django.db import connection

from annotation.upkeep.doctor.work import CHANNEL, TASK


@shared_task(name=TASK, soft_time_limit=10, time_limit=20, acks_late=False)
def answer_doctor(token: str) -> None:
    """Notify `manage.py doctor` through the database that a worker took its message."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, token])
