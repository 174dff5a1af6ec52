"""Life cycle of a Celery worker and of the scheduler: register, prove that they work, stop cleanly. Imported by
`voxloop.project.celery`, so that Celery's signals reach it in every worker."""

import hashlib
import logging
import os
import socket
import threading
import time
from pathlib import Path
from typing import Any

import structlog
from celery import current_app
from celery.signals import celeryd_after_setup, worker_ready, worker_shutdown, worker_shutting_down
from django.conf import settings
from django.db import Error, connection
from django_celery_beat.schedulers import DatabaseScheduler
from kombu import Exchange, Queue

from voxloop.embedded.processes import is_alive
from voxloop.jobs import pulse
from voxloop.jobs.models import Worker
from voxloop.jobs.services import take_up_again
from voxloop.kernel.pulse import EVERY_SECONDS, pulse_path

log = structlog.get_logger(__name__)

LONGEST_QUEUE_NAME = 40  # pgmq allows 47
PULSE_TASK = "worker.pulse"
CLOCK = "beat"
CLOCK_JUMP_SECONDS = 5.0


def pulse_queue(name: str) -> Queue:
    """The queue that only the worker of this name reads; it expires in the broker when the worker is gone for long."""
    own = f"pulse.{name}"
    if len(own) > LONGEST_QUEUE_NAME:
        own = f"pulse.{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    return Queue(own, Exchange("pulse"), routing_key=own, expires=3600.0)


@celeryd_after_setup.connect
def listen_to_pulses(sender: str, instance: Any, **_: Any) -> None:
    """Let the worker read its own queue in addition to those of its command line."""
    instance.app.amqp.queues.select_add(pulse_queue(sender))
    for name in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(name).addFilter(lambda record: PULSE_TASK not in record.getMessage())


@worker_ready.connect
def arrive(sender: Any, **_: Any) -> None:
    """Register, requeue the jobs of a killed predecessor, and start giving proofs of work."""
    name: str = sender.hostname
    own = pulse_queue(name)
    queues = sorted(queue for queue in sender.app.amqp.queues.consume_from if queue != own.name)
    mine = pulse.begin(pulse.Pulse(name, queues, pulse_path(Path(settings.STATE_DIR), name)))
    try:
        release_dead()
        mine.register()
    except Error as error:
        log.warning("worker_not_registered", worker=name, error=type(error).__name__)
    finally:
        connection.close()

    def send() -> None:
        # Expires: for a worker busy for hours the broker would pile up thousands.
        options = {"queue": own, "expires": 3 * EVERY_SECONDS, "retry": False}
        current_app.send_task(PULSE_TASK, **options)

    threading.Thread(target=mine.watch, args=(send,), name="pulse", daemon=True).start()


@worker_shutting_down.connect
def stop_soon(**_: Any) -> None:
    """SIGTERM: a running job is requeued at its next report."""
    pulse.stop_soon()


@worker_shutdown.connect
def leave(**_: Any) -> None:
    """The pool is empty and the process stops."""
    if pulse.this_process is not None:
        pulse.this_process.leave()
        connection.close()


def release_dead() -> int:
    """Requeue the jobs of killed workers of this host; returns how many."""
    released = 0
    for row in Worker.objects.filter(host=socket.gethostname(), busy_with__isnull=False):
        # In containers every worker has the same pid: an earlier one with our pid is dead.
        if row.pid == os.getpid() or not is_alive(row.pid):
            if row.busy_with_id is not None:
                take_up_again(row.busy_with_id, row.busy_fence)
            Worker.objects.filter(pk=row.pk, pid=row.pid).update(busy_with=None, busy_since=None)
            released += 1
    return released


class Clock(DatabaseScheduler):
    """Celery's beat scheduler; each check for due tasks is its proof of work."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        name = f"{CLOCK}@{socket.gethostname()}"
        self._pulse = pulse.Pulse(name, [], pulse_path(Path(settings.STATE_DIR), name))
        self._due = 0.0
        self._clock_ahead = time.time() - time.monotonic()

    def tick(self, *arguments: Any, **options: Any) -> float:
        """Send due tasks; returns the seconds until the next check."""
        ahead = time.time() - time.monotonic()
        if abs(ahead - self._clock_ahead) > CLOCK_JUMP_SECONDS:
            # The system clock was changed: tasks scheduled by the old time would run hours late, or at once.
            log.warning("clock_was_set", seconds=round(ahead - self._clock_ahead))
            self._clock_ahead, self._heap = ahead, None
            for entry in self.schedule.values():
                entry.last_run_at = min(entry.last_run_at, entry.default_now())
        wait: float = super().tick(*arguments, **options)
        if time.monotonic() >= self._due:
            self._pulse.taken()
            self._due = time.monotonic() + EVERY_SECONDS / 2
        return min(wait, EVERY_SECONDS / 2)

    def close(self) -> None:
        """Stop cleanly."""
        super().close()
        self._pulse.leave()
