"""Proof that this process takes work: a touched file for the supervisor, a row for the pages. A Celery worker sends
itself a message every few seconds, which its pool must take; while it runs a job, extending the job's lease is the
proof. Does nothing in a process that is not a worker (web, commands, tests)."""

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import structlog
from django.db import Error, close_old_connections, connection

from voxloop.jobs.models import Job, Worker
from voxloop.kernel.clock import now
from voxloop.kernel.pulse import DEAD_AFTER_SECONDS, EVERY_SECONDS, give_proof

log = structlog.get_logger(__name__)


class Pulse:
    """The proof of one process. `taken` may be called from any thread."""

    def __init__(self, name: str, queues: list[str], path: Path) -> None:
        self.name, self.queues, self.path = name, queues, path
        self.waits_since: float | None = None  # when the oldest untaken message was sent
        self.proved_at = time.monotonic()
        self.busy = False
        self._ended = threading.Event()

    def register(self) -> None:
        """Write this process's row, replacing an earlier one of the same name."""
        Worker.objects.update_or_create(
            name=self.name,
            defaults={
                "queues": self.queues,
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "started_at": now(),
                "taken_at": now(),
                "busy_with": None,
                "busy_fence": 0,
                "busy_since": None,
            },
        )
        give_proof(self.path)

    def taken(self, **fields: Any) -> None:
        """Record that work was taken or goes on. The file needs no database; a row that cannot be written is retried
        later."""
        self.waits_since, self.proved_at = None, time.monotonic()
        give_proof(self.path)
        with contextlib.suppress(Error):
            if not connection.in_atomic_block:
                close_old_connections()
            if not self._mine().update(taken_at=now(), **fields) and not self._ended.is_set():
                self.register()  # the row was removed, or the database was unreachable at the start

    @contextlib.contextmanager
    def at_work(self, job: Job, fence: int) -> Iterator[None]:
        """Mark this attempt of a job as running here."""
        self.busy = True
        self.taken(busy_with=job, busy_fence=fence, busy_since=now())
        try:
            yield
        finally:
            self.busy = False
            self.taken(busy_with=None, busy_fence=0, busy_since=None)

    def leave(self) -> None:
        """Remove the row: this process stops cleanly."""
        self._ended.set()
        with contextlib.suppress(Error):
            self._mine().delete()
        self.path.unlink(missing_ok=True)

    def _mine(self) -> Any:
        return Worker.objects.filter(name=self.name, pid=os.getpid())

    def watch(self, send: Callable[[], None]) -> None:
        """Send pulses for ever (the body of a thread); end this process when its pool takes none. Does not count while
        the broker is unreachable."""
        while not self._ended.wait(EVERY_SECONDS):
            if self.busy:
                self._end_if_late(self.proved_at)
                continue
            try:
                send()
            except Exception as error:
                log.warning("pulse_not_sent", worker=self.name, error=type(error).__name__)
                self.waits_since = None
                give_proof(self.path)
                continue
            since, self.waits_since = self.waits_since, self.waits_since or time.monotonic()
            self._end_if_late(since)

    def _end_if_late(self, since: float | None) -> None:
        if since is not None and time.monotonic() - since > DEAD_AFTER_SECONDS:
            log.error("worker_takes_nothing", worker=self.name, seconds=round(time.monotonic() - since))
            os.kill(os.getpid(), signal.SIGKILL)


this_process: Pulse | None = None
_stops = threading.Event()


def begin(pulse: Pulse) -> Pulse:
    """Start giving proofs for this process."""
    global this_process
    this_process = pulse
    return pulse


def taken() -> None:
    """Record that this process takes work, if it gives proofs."""
    if this_process is not None:
        this_process.taken()


def at_work(job: Job, fence: int) -> contextlib.AbstractContextManager[None]:
    """Mark a job as running in this process."""
    return contextlib.nullcontext() if this_process is None else this_process.at_work(job, fence)


def stop_soon() -> None:
    """This process was asked to end: its jobs are requeued at their next report."""
    _stops.set()


def is_stopping() -> bool:
    """Whether this process was asked to end."""
    return _stops.is_set()
