"""The Celery application: `celery -A voxloop.project worker -Q default`, `-Q ml`, `beat`."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, celeryd_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voxloop.project.settings")

app = Celery("voxloop")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@celeryd_init.connect
@beat_init.connect
def check_keys(**_: Any) -> None:
    """A worker with other keys than the database's would seal the audit log so that it can never be verified."""
    from django.db import connection  # needs the applications

    from voxloop.installation.services import check_start

    check_start()
    connection.close()
