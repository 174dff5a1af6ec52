"""Scratch folders: the name tells the owner, and orphaned ones are deleted. Each machine sweeps its own disk (`beat`
may run elsewhere): a worker does so when it starts and every few minutes. Half-written objects of the store are left to
`voxloop.keeping.collect`."""

import os
import re
import shutil
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.conf import settings

from voxloop.embedded.processes import is_alive
from voxloop.jobs.models import Job
from voxloop.jobs.running import Claim
from voxloop.jobs.states import JobState
from voxloop.kernel.ids import new_id

EVERY_SECONDS = 300.0
# A folder without an owner's name is kept as long as the slowest upload or the longest request may take.
NAMELESS_SECONDS = 24 * 3600.0
OF_JOB = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(\d+)(?:\.|$)")
OF_PROCESS = re.compile(r"process\.(?P<pid>\d+)\.(?P<host>.+)\.[0-9a-f-]{36}$")
PARTS = ("imports", "uploads", "learning", "exports", "reports")
EARLIER = ".earlier"


sweepers: list[Callable[[], object]] = []


def on_sweep(sweeper: Callable[[], object]) -> Callable[[], object]:
    """Register a callback that clears what else this machine keeps (call in AppConfig.ready)."""
    if sweeper not in sweepers:
        sweepers.append(sweeper)
    return sweeper


@dataclass
class Swept:
    """What was removed."""

    things: int = 0
    bytes: int = 0


def of_job(part: str, held: Claim) -> Path:
    """The folder of this attempt of a job; another attempt has another one."""
    return Path(settings.WORK_DIR) / part / f"{held.job.pk}.{held.fence}"


def earlier_attempts(part: str, held: Claim) -> list[Path]:
    """Folders that earlier attempts of a job left on this machine, the newest first."""
    found = [(OF_JOB.search(path.name), path) for path in _children(Path(settings.WORK_DIR) / part)]
    mine = [(int(name[2]), path) for name, path in found if name and name[1] == str(held.job.pk)]
    return [path for fence, path in sorted(mine, reverse=True) if fence < held.fence]


def of_process(part: str) -> Path:
    """A folder of this process, for work that is not a job; orphaned when the process ends."""
    return Path(settings.WORK_DIR) / part / f"process.{os.getpid()}.{socket.gethostname()}.{new_id()}"


def sweep_scratch() -> Swept:
    """Remove scratch of finished jobs, superseded attempts, and dead processes and requests. What a training or
    an export left stays until its job has ended: the next attempt goes on from it, and removes it."""
    swept = Swept()
    work = Path(settings.WORK_DIR)
    folders = [path for part in PARTS for path in _children(work / part)]
    folders += [path for path in _children(Path(settings.EXPORT_ROOT)) if path.name.startswith(".part.")]
    running = dict(Job.objects.filter(state=JobState.RUNNING).values_list("pk", "fence"))
    unfinished = Job.objects.filter(
        kind__in=[Job.Kind.TRAIN, Job.Kind.EXPORT_RELEASE], state__in=[JobState.QUEUED, JobState.RUNNING]
    )
    resumed = dict(unfinished.values_list("pk", "kind"))
    for path in folders:
        if path.name.endswith(EARLIER):
            _settle_earlier(path, running, swept)
        elif _is_orphaned(path, running, resumed):
            _remove(path, swept)
    for path in _children(work / "spool"):
        if _age_s(path) > NAMELESS_SECONDS:
            _remove(path, swept)
    for sweeper in sweepers:
        sweeper()
    return swept


_next = 0.0


def sweep_when_due() -> None:
    """Sweep, at most every few minutes."""
    global _next
    if time.monotonic() >= _next:
        _next = time.monotonic() + EVERY_SECONDS
        sweep_scratch()


def _is_orphaned(path: Path, running: dict[UUID, int], resumed: dict[UUID, str]) -> bool:
    if found := OF_JOB.search(path.name):
        job = UUID(found[1])
        is_part = path.name.startswith(".part.")
        of_kind = Job.Kind.EXPORT_RELEASE if is_part else Job.Kind.TRAIN if path.parent.name == "learning" else None
        is_resumed = job in resumed and resumed[job] == of_kind
        return not is_resumed and running.get(job) != int(found[2])
    if (found := OF_PROCESS.fullmatch(path.name)) and found["host"] == socket.gethostname():
        return not is_alive(int(found["pid"]))
    return _age_s(path) > NAMELESS_SECONDS


def _settle_earlier(path: Path, running: dict[UUID, int], swept: Swept) -> None:
    """Restore the earlier export when its replacement was killed between moving it aside and taking its name."""
    if Job.objects.filter(pk__in=running, kind=Job.Kind.EXPORT_RELEASE).exists():
        return
    target = path.with_name(path.name.removeprefix(".part.").removesuffix(EARLIER))
    if target.exists():
        _remove(path, swept)
    else:
        path.rename(target)


def _children(folder: Path) -> Iterable[Path]:
    try:
        return list(folder.resolve().iterdir())
    except OSError:
        return []


def _age_s(path: Path) -> float:
    """Seconds since anything in it changed."""
    newest = 0.0
    for each in (path, *path.rglob("*")):
        try:
            newest = max(newest, each.lstat().st_mtime)
        except OSError:
            continue
    return time.time() - newest


def _remove(path: Path, swept: Swept) -> None:
    for each in (path, *path.rglob("*")):
        try:
            swept.bytes += each.lstat().st_size if not each.is_dir() else 0
        except OSError:
            continue
    swept.things += 1
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
