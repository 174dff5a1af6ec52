"""A training whose worker dies goes on where it stood, and ends with the model of an undisturbed one."""

import shutil
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as now_set

from annotation.learning import folders, services, stages
from annotation.learning.models import TrainingRun
from annotation.learning.running import run_training
from tests.factories.world import World
from voxloop.child import outside
from voxloop.jobs.models import Job
from voxloop.jobs.running import GiveBack, claim, give_back, run
from voxloop.jobs.scratch import of_job, sweep_scratch
from voxloop.jobs.services import enqueue
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick(settings: Any) -> None:
    settings.TRAIN_STEPS, settings.TRAIN_CPU_THREADS = 40, 1


def request(world: World) -> TrainingRun:
    return services.request_training(campaign=world.campaign, actor=world["coordinator"])


def kill_after_the_first_checkpoint(wanted: TrainingRun) -> None:
    """As kill -9 of the worker and its child leaves things: the folder stays, the lease runs out."""
    follow = outside._follow

    def kill(process: Any, path: Path, *more: Any) -> None:
        if "mlservice.train" in process.args:
            checkpoint = path.with_name("checkpoint.safetensors")
            while not checkpoint.exists() and process.poll() is None:
                time.sleep(0.01)
            process.kill()
        follow(process, path, *more)

    first = claim(wanted.job_id)
    assert first is not None
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(outside, "_follow", kill)
        patched.setattr(shutil, "rmtree", lambda *_, **__: None)
        with pytest.raises(Conflict, match="killed"):
            run_training(first)
    Job.objects.filter(pk=wanted.job_id).update(lease_until=now() - timedelta(seconds=1))


@pytest.mark.fault("a training is killed and goes on")
def test_another_attempt_goes_on_where_the_first_was_killed(approved: World, monkeypatch: pytest.MonkeyPatch) -> None:
    undisturbed = request(approved)
    run(undisturbed.job_id, run_training)
    undisturbed.refresh_from_db()
    assert undisturbed.error == "", undisturbed.error
    wanted = request(approved)
    TrainingRun.objects.filter(pk=wanted.pk).update(
        seed=undisturbed.seed, manifest=undisturbed.manifest, manifest_hash=undisturbed.manifest_hash
    )
    kill_after_the_first_checkpoint(wanted)
    sweep_scratch()  # as the next worker does when it starts
    said: list[str] = []
    look = stages._Relay.look

    def listen(self: Any, fresh: Any) -> None:
        said.extend(line.sentence for line in fresh)
        look(self, fresh)

    monkeypatch.setattr(stages._Relay, "look", listen)
    run(wanted.job_id, run_training)
    wanted.refresh_from_db()
    assert wanted.error == "", wanted.error
    assert [sentence for sentence in said if sentence.startswith("Continued after step ")]
    assert wanted.model.config["weights_sha256"] == undisturbed.model.config["weights_sha256"]
    assert wanted.curves == undisturbed.curves
    assert list((now_set.WORK_DIR / "learning").iterdir()) == []


def test_a_training_that_is_given_back_keeps_where_it_stood(world: World) -> None:
    held = claim(enqueue(Job.Kind.TRAIN, payload={}, key="t").pk)
    assert held is not None
    kept = "train/checkpoint.safetensors"
    folder = of_job("learning", held)

    def work() -> None:
        with folders.job_folder(held, keeps=kept):
            (folder / "train").mkdir()
            (folder / kept).write_bytes(b"40")
            (folder / "train" / "prepared").write_bytes(b"voxels")
            raise GiveBack

    with pytest.raises(GiveBack):
        work()
    assert [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()] == [kept]
    give_back(held)
    sweep_scratch()
    again = claim(held.job.pk)
    assert again is not None
    with folders.job_folder(again, keeps=kept) as following:
        assert (following / kept).read_bytes() == b"40"
        assert not folder.exists()
    assert not following.exists()
