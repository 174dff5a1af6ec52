"""What bounds a short task, where no pool of processes can be told to kill it."""

from typing import Any

from celery.contrib.django.task import DjangoTask
from django.db import connection


class BoundedTask(DjangoTask):  # type: ignore[misc]
    """A task whose `soft_time_limit` bounds each of its statements, in the database itself.

    Celery's own limits work in a pool of processes only. A task that hangs elsewhere than in the database takes its
    worker's proof away, and the worker is ended (`voxloop.jobs.pulse`). Jobs have their own limit (`services.run`).
    """

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Run the task."""
        seconds = self.soft_time_limit
        if not seconds or self.request.is_eager or self.request.called_directly:
            return super().__call__(*arguments, **options)
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, false)", [f"{seconds}s"])
        # Celery closes the connection behind each task, and the setting ends with it.
        return super().__call__(*arguments, **options)
