"""Time limits of short tasks, without a process pool that could kill them."""

from typing import Any

from celery.contrib.django.task import DjangoTask
from django.db import connection


class BoundedTask(DjangoTask):
    """A task whose `soft_time_limit` becomes PostgreSQL's statement_timeout. Celery's own limits need a pool of
    processes. A worker whose task hangs outside the database gives no proof of work and is ended
    (`voxloop.jobs.pulse`). Jobs have their own limit (`running.run`)."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Run the task."""
        seconds = self.soft_time_limit
        if not seconds or self.request.is_eager or self.request.called_directly:
            return super().__call__(*arguments, **options)
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, false)", [f"{seconds}s"])
        # Celery closes the connection after each task, which ends the setting.
        return super().__call__(*arguments, **options)
