"""Workers: a stopping one requeues its job, a killed one is replaced, and /healthz reports faults."""

import os
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django_celery_beat.schedulers import DatabaseScheduler

from voxloop.jobs import health, pulse
from voxloop.jobs.models import Job, Worker
from voxloop.jobs.running import Claim, claim, run
from voxloop.jobs.services import enqueue
from voxloop.jobs.workers import Clock, pulse_queue, release_dead
from voxloop.kernel import pulse as proof
from voxloop.kernel.clock import now
from voxloop.kernel.room import KEPT_BYTES, LAST_BYTES, LOW_BYTES, Room, rooms
from voxloop.project.celery import app

pytestmark = pytest.mark.django_db


@pytest.fixture
def job() -> Job:
    return enqueue(Job.Kind.IMPORT_SCANS, payload={}, key="one")


@pytest.fixture
def stopping(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(pulse, "_stops", type(pulse._stops)())
    return pulse.stop_soon


def worker(name: str = "default-1@here", queue: str | None = "default", **more: Any) -> Worker:
    fields = {"host": socket.gethostname(), "pid": os.getpid(), "started_at": now(), "taken_at": now()} | more
    return Worker.objects.create(name=name, queues=[queue] if queue else [], **fields)


def test_a_job_is_given_back_when_its_worker_is_asked_to_end(job: Job, stopping: Any) -> None:
    def work(held: Claim) -> None:
        stopping()
        held.report(50, "Half")

    run(job.pk, work)
    job.refresh_from_db()
    assert (job.state, job.attempt, job.fence, job.progress, job.lease_until) == ("queued", 0, 2, 0, None)


@pytest.mark.fault("a job without end")
def test_a_job_that_takes_too_long_is_stopped_and_says_so(job: Job) -> None:
    run(job.pk, lambda held: held.beat(), within=timedelta(seconds=-1))
    job.refresh_from_db()
    assert (job.state, job.error_code) == ("failed", "took_too_long")


def test_the_job_of_a_dead_worker_is_taken_up_at_once(job: Job) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    held = claim(job.pk)
    assert held is not None
    worker(pid=dead.pid, busy_with=job, busy_fence=held.fence, busy_since=now())
    assert release_dead() == 1
    again = claim(job.pk)
    assert again is not None
    assert again.fence > held.fence


def test_the_job_of_a_living_worker_or_of_another_machine_is_left_alone(job: Job) -> None:
    held = claim(job.pk)
    assert held is not None
    busy: dict[str, Any] = {"busy_with": job, "busy_fence": held.fence, "busy_since": now()}
    worker(pid=os.getppid(), **busy)
    worker("default-1@there", host="there", pid=2**22 - 1, **busy)
    assert release_dead() == 0
    assert claim(job.pk) is None


def test_a_worker_proves_itself_by_row_and_file_and_takes_leave(job: Job, tmp_path: Path) -> None:
    mine = pulse.Pulse("default-1@here", ["default"], proof.pulse_path(tmp_path, "default-1@here"))
    mine.taken()
    row = Worker.objects.get()
    assert (row.pid, row.queues, row.busy_with) == (os.getpid(), ["default"], None)
    first = proof.proof_of(mine.path)
    with mine.at_work(job, 1):
        row.refresh_from_db()
        assert (row.busy_with, row.busy_fence) == (job, 1)
    row.refresh_from_db()
    assert row.busy_with is None
    assert proof.proof_of(mine.path) > first > 0
    mine.leave()
    assert not Worker.objects.exists()
    assert not mine.path.exists()


def test_a_pulse_queue_fits_every_broker() -> None:
    assert pulse_queue("default-1@here").name == "pulse.default-1@here"
    assert len(pulse_queue("default-1@" + "x" * 200).name) <= 47


@pytest.mark.django_db(transaction=True)
@pytest.mark.fault("the clock is set back")
def test_the_clock_starts_anew_when_the_machines_clock_was_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DatabaseScheduler, "tick", lambda self: 1.0)
    clock = Clock(app=app, lazy=True)
    clock.setup_schedule()
    ahead = now() + timedelta(hours=2)
    for entry in clock.schedule.values():
        entry.last_run_at = ahead  # by the old clock: due in two hours
    clock.tick()
    assert {entry.last_run_at for entry in clock.schedule.values()} == {ahead}
    clock._clock_ahead += 7200
    clock.tick()
    assert max(entry.last_run_at for entry in clock.schedule.values()) <= now()
    assert [row.queues for row in Worker.objects.all()] == [[]]
    clock.close()
    assert not Worker.objects.exists()


def test_the_health_check_of_a_container(tmp_path: Path) -> None:
    def check(*arguments: str) -> int:
        command = [sys.executable, "-m", "voxloop.kernel.pulse", *arguments]
        return subprocess.run(
            command, env=os.environ | {"VOXLOOP_STATE": str(tmp_path)}, capture_output=True
        ).returncode

    path = proof.pulse_path(tmp_path, "default")
    assert check("default") == 1
    proof.give_proof(path)
    assert check("default") == 0
    os.utime(path, (1, 1))
    assert check("default") == 1
    assert check() == 2


def ask(query: str = "") -> tuple[int, set[tuple[str, str]], set[tuple[str, str]]]:
    health._kept = None
    answer = Client().get(f"/healthz{query}")
    body = answer.json()
    told = [{(fault["what"], fault["code"]) for fault in body.get(kind, [])} for kind in ("failing", "warnings")]
    assert "/" not in str(body).replace("/healthz", "")  # no path
    assert socket.gethostname() not in str(body)
    return answer.status_code, told[0], told[1]


BEAT, ML, DEFAULT = ("beat", "clock_late"), ("queue ml", "no_worker"), ("queue default", "no_worker")


def test_healthz_says_what_stands_still() -> None:
    assert ask() == (503, {BEAT, ML, DEFAULT}, set())
    old = now() - timedelta(seconds=proof.SILENT_AFTER_SECONDS + 5)
    one, two = worker(), worker("default-2@here")
    ml, beat = worker("ml-1@here", "ml"), worker("beat@here", None)
    assert ask() == (200, set(), set())
    Worker.objects.filter(pk=two.pk).update(taken_at=old)
    assert ask() == (200, set(), {("queue default", "worker_silent")})
    Worker.objects.filter(pk=one.pk).update(taken_at=old)
    assert ask() == (503, {DEFAULT}, {("queue default", "worker_silent")})
    Worker.objects.filter(pk__in=[one.pk, two.pk]).update(taken_at=now())
    Worker.objects.filter(pk=ml.pk).update(taken_at=old)
    assert ask() == (503, {ML}, {("queue ml", "worker_silent")})
    Worker.objects.filter(pk=ml.pk).update(taken_at=now())
    Worker.objects.filter(pk=beat.pk).update(taken_at=old)
    assert ask() == (503, {BEAT}, set())
    assert ask("?live") == (200, set(), set())


@pytest.mark.parametrize(
    ("free", "failing", "warning"),
    [
        (LOW_BYTES, set(), set()),
        (LOW_BYTES - 1, set(), {("disk", "disk_low")}),
        (KEPT_BYTES - 1, {("disk", "disk_low")}, set()),
        (LAST_BYTES - 1, {("disk", "no_space")}, set()),
    ],
)
def test_healthz_says_how_much_room_is_left(free: int, failing: Any, warning: Any, monkeypatch: Any) -> None:
    for name, queue in (("default-1@here", "default"), ("ml-1@here", "ml"), ("beat@here", None)):
        worker(name, queue)
    monkeypatch.setattr(health, "disks", lambda: [Room("database", free, 1 << 40)])
    assert ask() == (503 if failing else 200, failing, warning)


@pytest.mark.django_db(transaction=True)
@pytest.mark.fault("the database is away, told by /healthz")
def test_healthz_says_that_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    there = connections["default"].settings_dict
    connections["default"].close()
    monkeypatch.setitem(there, "PORT", "1")
    try:
        assert ask() == (503, {("database", "database_away")}, set())
        assert ask("?live")[0] == 200
    finally:
        connections["default"].close()
        monkeypatch.undo()


def test_folders_on_one_file_system_are_one_room(tmp_path: Path) -> None:
    (found,) = rooms([("database", tmp_path), ("working files", tmp_path / "not" / "there")])
    assert found.name == "database, working files"
    assert 0 < found.free_bytes <= found.total_bytes
