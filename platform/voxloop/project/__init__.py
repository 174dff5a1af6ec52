"""Settings, addresses, the Celery application. Nothing imports it."""

from voxloop.project.celery import app as celery_app

__all__ = ["celery_app"]
