"""Scratch of finished jobs, superseded attempts and dead processes is deleted."""

import os
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from voxloop.jobs.models import Job
from voxloop.jobs.running import Claim, claim, finish
from voxloop.jobs.scratch import earlier_attempts, of_job, of_process, sweep_scratch
from voxloop.jobs.services import enqueue
from voxloop.jobs.states import JobState
from voxloop.kernel.clock import now

pytestmark = pytest.mark.django_db
LONG_AGO = (1, 1)


def start(kind: Job.Kind = Job.Kind.TRAIN, **payload: object) -> Claim:
    held = claim(enqueue(kind, payload=payload, key=str(len(payload)) + kind + os.urandom(4).hex()).pk)
    assert held is not None
    return held


def lay(folder: Path, *, old: bool = False) -> Path:
    """Create a folder with some bytes, as a job or a request leaves it."""
    folder.mkdir(parents=True)
    file = folder / "voxels"
    file.write_bytes(b"v" * 1000)
    if old:
        os.utime(file, LONG_AGO)
        os.utime(folder, LONG_AGO)
    return folder


def take_over(held: Claim) -> Claim:
    Job.objects.filter(pk=held.job.pk).update(lease_until=now() - timedelta(seconds=1))
    again = claim(held.job.pk)
    assert again is not None
    return again


@pytest.mark.parametrize("part", ["learning", "imports", "exports"])
def test_scratch_of_a_running_job_is_never_touched(part: str) -> None:
    held = start()
    mine = lay(of_job(part, held), old=True)
    sweep_scratch()
    assert (mine / "voxels").exists()
    finish(held, JobState.SUCCEEDED)
    swept = sweep_scratch()
    assert (swept.things, swept.bytes) == (1, 1000)
    assert not mine.exists()


def test_scratch_of_an_attempt_that_was_overtaken_goes() -> None:
    held = start(Job.Kind.PREANNOTATE)
    first = lay(of_job("learning", held))
    second = lay(of_job("learning", take_over(held)))
    sweep_scratch()
    assert not first.exists()
    assert second.exists()


def test_what_a_training_left_stays_until_its_job_has_ended() -> None:
    held = start()
    first = lay(of_job("learning", held))
    again = take_over(held)
    sweep_scratch()
    assert earlier_attempts("learning", again) == [first]
    finish(again, JobState.FAILED)
    sweep_scratch()
    assert not first.exists()


def test_scratch_of_a_process_goes_with_it() -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    mine = lay(of_process("imports"), old=True)
    theirs = lay(mine.with_name(f"process.{dead.pid}.{socket.gethostname()}.{'0' * 8}-0000-0000-0000-{'0' * 12}"))
    elsewhere = lay(mine.with_name(f"process.{dead.pid}.another-machine.{'0' * 8}-0000-0000-0000-{'0' * 12}"))
    sweep_scratch()
    assert mine.exists()
    assert not theirs.exists()
    assert elsewhere.exists()


def test_nameless_scratch_goes_by_age() -> None:
    names = ("learning/train-of-an-older-version", "uploads/of-a-killed-request", "spool/tmpx.upload.zip")
    fresh = [lay(settings.WORK_DIR / f"{name}-new") for name in names]
    old = [lay(settings.WORK_DIR / name, old=True) for name in names]
    call_command("sweep_scratch")
    assert all(path.exists() for path in fresh)
    assert not any(path.exists() for path in old)


@pytest.mark.fault("scratch of killed exports")
def test_exports_that_were_killed_leave_nothing_and_lose_nothing() -> None:
    held = start()
    half = lay(settings.EXPORT_ROOT / f".part.chest-1.{held.job.pk}.{held.fence}")
    over = lay(settings.EXPORT_ROOT / f".part.chest-1.{held.job.pk}.{held.fence + 1}")
    lay(settings.EXPORT_ROOT / ".part.chest-2.earlier")  # killed before the new one replaced it
    lay(settings.EXPORT_ROOT / ".part.chest-3.earlier")  # killed after it
    lay(settings.EXPORT_ROOT / "chest-3", old=True)
    sweep_scratch()
    assert half.exists()
    assert not over.exists()
    assert {path.name for path in settings.EXPORT_ROOT.iterdir()} == {half.name, "chest-2", "chest-3"}
