"""Health of this installation: the database, the workers of each queue, the scheduler, the disks."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import Error
from django.db.models import Count

from voxloop.jobs.models import Job, Worker
from voxloop.jobs.room import disks
from voxloop.jobs.states import JobState
from voxloop.kernel.clock import now
from voxloop.kernel.pulse import SILENT_AFTER_SECONDS
from voxloop.kernel.room import MB, Room

QUEUES = tuple(dict.fromkeys(Job.QUEUES.values()))
WORK = {
    "default": "imports, exports, leases and the audit anchor wait",
    "ml": "trainings and pre-annotation wait",
}


@dataclass(frozen=True)
class Fault:
    """One fault. `code` is stable; the sentence names no host and no folder."""

    code: str
    what: str
    sentence: str


@dataclass(frozen=True)
class Queue:
    """The jobs of one queue and its workers."""

    name: str
    waiting: int
    running: int
    alive: int


@dataclass(frozen=True)
class Health:
    """`faults`: something has stopped. `warnings`: it works, but somebody should look."""

    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    workers: list[Worker] = field(default_factory=list)
    clock: Worker | None = None
    queues: list[Queue] = field(default_factory=list)
    rooms: list[Room] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        """Whether there are no faults."""
        return not self.faults

    @property
    def is_database_there(self) -> bool:
        """Whether the database answered."""
        return all(fault.code != "database_away" for fault in self.faults)


def is_silent(worker: Worker, at: datetime | None = None) -> bool:
    """Whether its last proof of work is too old."""
    return worker.taken_at < (at or now()) - timedelta(seconds=SILENT_AFTER_SECONDS)


def look_at_machine() -> Health:
    """Check everything now. An unreachable database is reported as a fault, never raised."""
    rooms = disks()
    faults, warnings = _judge_rooms(rooms)
    try:
        at = now()
        everyone = list(Worker.objects.select_related("busy_with"))
        counts = {
            (row["kind"], row["state"]): row["n"]
            for row in Job.objects.filter(state__in=[JobState.QUEUED, JobState.RUNNING])
            .order_by()
            .values("kind", "state")
            .annotate(n=Count("pk"))
        }
    except Error:
        away = Fault("database_away", "database", "The database does not answer; nothing can be saved until it does.")
        return Health([away, *faults], warnings, rooms=rooms)
    workers = [worker for worker in everyone if worker.queues]
    clocks = [worker for worker in everyone if not worker.queues]
    queues = [_count(queue, workers, counts, at) for queue in QUEUES]
    for queue in queues:
        if not queue.alive:
            sentence = f"No worker takes work from the queue {queue.name}: {WORK[queue.name]}."
            faults.append(Fault("no_worker", f"queue {queue.name}", sentence))
    silent = [worker for worker in workers if is_silent(worker, at)]
    for name in sorted({name for worker in silent for name in worker.queues}):
        number = sum(name in worker.queues for worker in silent)
        words = "1 worker" if number == 1 else f"{number} workers"
        sentence = f"{words} of the queue {name} gave no sign of life recently."
        warnings.append(Fault("worker_silent", f"queue {name}", sentence))
    clock = max(clocks, key=lambda each: each.taken_at, default=None)
    if clock is None or is_silent(clock, at):
        faults.append(Fault("clock_late", "beat", "The scheduler (beat) has stopped: scheduled tasks do not run."))
    return Health(faults, warnings, workers, clock, queues, rooms)


_kept: tuple[float, Health] | None = None


def recent_health(seconds: float) -> Health:
    """As `look_at_machine`, cached for some seconds, because anybody may call it."""
    global _kept
    if _kept is None or time.monotonic() - _kept[0] > seconds:
        _kept = (time.monotonic(), look_at_machine())
    return _kept[1]


def _count(queue: str, workers: Iterable[Worker], counts: dict[tuple[str, str], int], at: datetime) -> Queue:
    def total(state: str) -> int:
        return sum(n for (kind, of), n in counts.items() if of == state and Job.QUEUES[Job.Kind(kind)] == queue)

    alive = sum(queue in worker.queues and not is_silent(worker, at) for worker in workers)
    return Queue(queue, total(JobState.QUEUED), total(JobState.RUNNING), alive)


def _judge_rooms(found: Iterable[Room]) -> tuple[list[Fault], list[Fault]]:
    faults, warnings = [], []
    for room in found:
        left = f"{room.free_bytes // MB} MB are left for {room.name}"
        if room.is_gone:
            faults.append(Fault("no_space", "disk", f"The disk is full: {left}. Nothing can be saved."))
        elif room.is_kept:
            sentence = f"The disk is nearly full: {left}. Imports, trainings and exports are refused; saves go on."
            faults.append(Fault("disk_low", "disk", sentence))
        elif room.is_low:
            warnings.append(Fault("disk_low", "disk", f"The disk fills up: {left}."))
    return faults, warnings
