"""The Celery application: `celery -A voxloop.project worker -Q default`, `-Q ml`, `beat`."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, celeryd_init, import_modules
from django.db import connection

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voxloop.project.settings")
# Django's own checks cost half a second at each start; `migrate` has made them before any worker runs.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("voxloop", task_cls="voxloop.jobs.bounded:BoundedTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@import_modules.connect(sender=app)
def watch_workers(**_: object) -> None:
    """Connect our handlers to Celery's worker signals, once Django is set up."""
    import voxloop.jobs.workers  # noqa: F401, PLC0415 - its models need the applications


@celeryd_init.connect
@beat_init.connect
def check_keys(**_: Any) -> None:
    """A worker with other keys than the database's would seal the audit log so that it can never be verified."""
    from voxloop.installation.services import check_start  # noqa: PLC0415 - its models need the applications

    check_start()
    connection.close()
