"""kill -9 of the ML worker in the middle of a training: no orphaned training, nothing half-written, and the run is
repeated by the next worker, or ends as lost."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.product import Product

SEED = """
from tests.factories.world import approve, build_world, label
from annotation.learning.services import request_training
from annotation.work.batches import create_batch, publish_batch
world = build_world(scans=3)
batch = create_batch(campaign=world.campaign, actor=world["coordinator"], size=3, assignee=world["annotator"])
publish_batch(batch_id=batch.pk, actor=world["coordinator"])
for assignment in batch.assignments.select_related("scan", "campaign"):
    label(world, assignment)
    approve(world, assignment)
request_training(campaign=world.campaign, actor=world["coordinator"])
"""
LOOK = """
SELECT run.state, job.state AS job, job.attempt, run.curves != '{}' AS points, run.error,
       (SELECT count(*) FROM learning_modelversion) AS models, run.results IS NOT NULL AS results
FROM learning_trainingrun run JOIN jobs_job job ON job.id = run.job_id
"""
# As if a minute had passed: the lease expires, and beat re-sends the job.
LAPSE = """
from datetime import timedelta
from voxloop.jobs.models import Job
from voxloop.jobs.services import resend_expired
from voxloop.kernel.clock import now
Job.objects.filter(state="running").update(lease_until=now() - timedelta(seconds=1))
resend_expired()
"""


def shell(product: Product, code: str) -> str:
    return product.manage("shell", "-v", "0", "-c", code).stdout.strip()


def look(product: Product) -> dict[str, Any]:
    with psycopg.connect(product.environment["VOXLOOP_DATABASE"], row_factory=dict_row) as connection:
        found = connection.execute(LOOK).fetchone()
    assert found is not None
    return found


def wait_for(product: Product, holds: Callable[[dict[str, Any]], bool], seconds: float = 180) -> dict[str, Any]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look(product)
        if holds(found):
            return found
        time.sleep(0.5)
    raise AssertionError(f"{found}\n{product.logs()}")


def stages_of(product: Product) -> list[str]:
    """Command lines of ML stages running in this product's folder."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if "mlservice." in words and str(product.state) in words:
            lines.append(words)
    return lines


def kill_in_training(product: Product, attempt: int = 1) -> None:
    """Start the worker, wait for the first points of the curve, and kill it."""
    product.start("ml")
    before = wait_for(product, lambda found: found["attempt"] == attempt and found["points"])
    assert before["models"] == 0
    assert stages_of(product)
    product.kill("ml")
    end = time.monotonic() + 10
    while stages_of(product):
        assert time.monotonic() < end, "the training went on without its worker"
        time.sleep(0.1)
    after = look(product)
    assert (after["state"], after["models"], after["results"]) == ("running", 0, False)


@pytest.fixture
def training(product: Product) -> Product:
    product.manage("prepare_broker")
    product.environment["VOXLOOP_TRAIN_STEPS"] = "100000"
    shell(product, SEED)
    return product


@pytest.mark.fault("a training is killed")
def test_a_killed_training_is_carried_out_again(training: Product) -> None:
    kill_in_training(training)
    shell(training, LAPSE)
    training.environment["VOXLOOP_TRAIN_STEPS"] = "2"
    training.start("ml")
    found = wait_for(training, lambda found: found["job"] not in ("queued", "running"))
    assert (found["job"], found["state"], found["attempt"], found["models"]) == ("succeeded", "undecided", 2, 1), found


@pytest.mark.fault("a training is killed twice")
def test_a_training_killed_twice_is_lost(training: Product) -> None:
    kill_in_training(training)
    shell(training, LAPSE)
    kill_in_training(training, attempt=2)
    shell(training, LAPSE)
    found = look(training)
    assert (found["job"], found["state"], found["models"]) == ("lost", "lost", 0)
    learning = training.state / "work" / "learning"
    assert [path for path in learning.rglob("*") if path.is_file()]  # scratch of a killed attempt
    training.manage("sweep_scratch")
    assert [path for path in learning.rglob("*") if path.is_file()] == []
    assert found["error"].endswith(".")
