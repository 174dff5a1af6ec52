"""kill -9 of every worker and of the scheduler under load, twenty times; and a worker that hangs."""

import json
import os
import signal
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import psycopg
import pytest

from tests.product import Product, wait_for

ROUNDS = 5  # each kills three workers and the scheduler
IMPORTS = 12
SEED = """
import sys
from pathlib import Path
from annotation.intake.services import receive_path
from tests.factories.world import build_world
world = build_world(scans=1)
for path in sorted(Path("{folder}").glob("*.nii")):
    receive_path(path=path, site=world.sites["a"], campaign=world.campaign, actor=world["datamanager"])
"""


class Background:
    """The workers and the scheduler of a product, by their rows."""

    def __init__(self, product: Product) -> None:
        self.product = product

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.product.environment["VOXLOOP_DATABASE"]) as connection:
            return connection.execute(question).fetchall()

    def pids(self) -> dict[str, int]:
        """Pids by name of those with a recent proof of work."""
        rows = self.ask("SELECT name, pid FROM jobs_worker WHERE taken_at > now() - interval '8 seconds'")
        return {name.partition("@")[0]: pid for name, pid in rows}

    def jobs(self) -> dict[str, int]:
        """Imports by state; the clock makes jobs of its own when their hour has come."""
        return dict(self.ask("SELECT state, count(*) FROM jobs_job WHERE kind = 'import_scans' GROUP BY state"))

    def busy(self) -> int:
        return int(self.ask("SELECT count(*) FROM jobs_worker WHERE busy_with_id IS NOT NULL")[0][0])

    def health(self) -> tuple[int, dict[str, Any]]:
        try:
            with urllib.request.urlopen(f"{self.product.url}/healthz", timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)


@pytest.fixture
def background(product: Product, tmp_path: Path) -> Background:
    product.environment["VOXLOOP_PULSE_SECONDS"] = "2"
    product.manage("prepare_broker")
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(IMPORTS):
        hu = np.random.default_rng(number).integers(-1000, 500, (48, 48, 24), np.int16)
        nibabel.save(nibabel.Nifti1Image(hu, np.diag([0.8, 0.8, 1.5, 1.0])), folder / f"{number}.nii")
    product.manage("shell", "-v", "0", "-c", SEED.format(folder=folder))
    product.start("supervisor")
    product.start("web")
    running = Background(product)
    wait_for("every worker", lambda: len(running.pids()) == 4, 240)
    return running


@pytest.mark.timeout(900)
@pytest.mark.fault("twenty kills of workers and beat under load")
def test_twenty_kills_stop_nothing(background: Background) -> None:
    for _ in range(ROUNDS):
        wait_for("work", lambda: background.busy() or not background.jobs().get("queued"), 120)
        killed = background.pids()
        for pid in killed.values():
            os.kill(pid, signal.SIGKILL)
        wait_for(
            "all to be back",
            lambda killed=killed: len(now := background.pids()) == 4 and set(now.values()).isdisjoint(killed.values()),
            240,
        )
    last_kill = time.time()
    wait_for("every job to end", lambda: not {"queued", "running"} & set(background.jobs()), 240)
    ended, why = background.jobs(), background.ask("SELECT DISTINCT error FROM jobs_job")
    assert sum(ended.values()) == IMPORTS
    assert set(ended) <= {"succeeded", "lost"}, why  # killed twice: lost
    assert ended["succeeded"] >= IMPORTS - ROUNDS  # a round kills two attempts, and a job has two
    background.product.manage("sweep_scratch")
    assert [path for path in (background.product.state / "work").rglob("*") if path.is_file()] == []
    anchor = background.product.state / "audit-anchor.jsonl"
    wait_for("what the clock sends", lambda: anchor.exists() and anchor.stat().st_mtime > last_kill, 120)
    assert background.health()[0] == 200

    # Hanging: reported, killed, replaced.
    stopped = background.pids()["ml-1"]
    os.kill(stopped, signal.SIGSTOP)
    told = wait_for("healthz to say it", lambda: (found := background.health())[0] == 503 and found[1], 60)
    assert {fault["what"] for fault in told["failing"]} == {"queue ml"}
    wait_for("another one in its place", lambda: background.pids().get("ml-1") not in (None, stopped), 120)
    wait_for("all to be well", lambda: background.health()[0] == 200, 60)
    assert not Path(f"/proc/{stopped}").exists()


@pytest.mark.fault("workers are asked to end in the middle of jobs")
def test_workers_asked_to_end_give_their_jobs_back_and_leave(background: Background) -> None:
    wait_for("work", lambda: background.busy() == 2, 120)
    supervisor = background.product.processes["supervisor"]
    supervisor.send_signal(signal.SIGTERM)
    assert supervisor.wait(60) == 0
    assert background.ask("SELECT name FROM jobs_worker") == []
    assert set(background.jobs()) <= {"succeeded", "queued"}
    assert background.ask("SELECT max(attempt) FROM jobs_job WHERE state = 'queued'") == [(0,)]
