"""The Celery application: `celery -A voxloop.project worker -Q default`, `-Q ml`, `beat`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voxloop.project.settings")

app = Celery("voxloop")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
