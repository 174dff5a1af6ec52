"""When a training begins, and with which weights."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings as now_set

from annotation.learning import deciding, services, stages
from annotation.learning.models import ModelVersion, TrainingRun
from annotation.learning.prepared import forget_prepared
from annotation.learning.running import run_training
from annotation.work.models import Campaign, TrainStart
from annotation.work.withdrawing import withdraw
from tests.api.test_pages import log_in, text
from tests.factories.brought import own_model
from tests.factories.evidence import FINE, measured, summary_of
from tests.factories.world import World
from voxloop.child import Bounds
from voxloop.jobs.running import run
from voxloop.jobs.scratch import sweep_scratch
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict
from voxloop.storage.store import open_store

pytestmark = pytest.mark.django_db


def begun_long_ago(world: World, days: int) -> None:
    Campaign.objects.filter(pk=world.campaign.pk).update(created_at=now() - timedelta(days=days))


def test_the_calendar_starts_a_training_with_anything_new(approved: World) -> None:
    Campaign.objects.update(retrain_after=100, retrain_every_days=7)
    begun_long_ago(approved, 6)
    assert services.retrain_when_due() == 0
    begun_long_ago(approved, 7)
    assert services.retrain_when_due() == 1
    found = TrainingRun.objects.get()
    assert found.trigger == "calendar"
    # What it saw is not new a week later.
    TrainingRun.objects.update(state="rejected", created_at=now() - timedelta(days=8))
    assert services.retrain_when_due() == 0


def test_a_model_that_was_brought_does_not_put_the_calendar_off(approved: World) -> None:
    Campaign.objects.update(retrain_after=100, retrain_every_days=7)
    begun_long_ago(approved, 7)
    brought, _ = measured(approved, 1, summary_of(FINE))
    TrainingRun.objects.filter(pk=brought.run_id).update(trigger="brought", state="rejected")
    assert services.retrain_when_due() == 1


def champion(world: World, tmp_path: Path) -> ModelVersion:
    """A champion with real weights."""
    found, _ = measured(world, 1, summary_of(FINE))
    folder = own_model(tmp_path / "m")
    found.weights_key = open_store(now_set.STORAGE_URL).put_file("models", folder / "weights.safetensors")
    found.config = json.loads((folder / "model.json").read_text())
    found.save()
    return deciding.promote_model(model_id=found.pk, actor=world["coordinator"])


def test_a_training_begins_with_the_champion_where_the_campaign_says_so(
    approved: World, tmp_path: Path, settings: Any
) -> None:
    settings.TRAIN_STEPS = 2
    Campaign.objects.update(train_start=TrainStart.CHAMPION)
    first = services.request_training(campaign=approved.campaign, actor=approved["coordinator"])
    assert "start" not in first.manifest  # there is none yet
    services.cancel_training(run_id=first.pk, actor=approved["coordinator"])
    TrainingRun.objects.all().delete()
    serving = champion(approved, tmp_path)
    wanted = services.request_training(campaign=approved.campaign, actor=approved["coordinator"])
    assert wanted.manifest["start"]["weights"] == serving.weights_key
    run(wanted.job_id, run_training)
    wanted.refresh_from_db()
    assert wanted.error == "", wanted.error
    assert "tensors of the earlier model." in wanted.results["begun"]
    page = text(log_in(approved, "coordinator"), "/campaigns/chest-ct/models/?model=2")
    assert wanted.results["begun"] in page
    assert "It begins with the weights of the model that serves." in page


def kept(world: World) -> list[str]:
    """The scans of the entries on this machine."""
    return sorted(path.read_text() for path in (now_set.WORK_DIR / "prepared").glob("*/scan"))


def test_prepared_scans_are_taken_over_and_go_with_their_scan(approved: World, settings: Any) -> None:
    settings.TRAIN_STEPS = 2
    models = []
    for _ in range(2):
        wanted = services.request_training(campaign=approved.campaign, actor=approved["coordinator"])
        TrainingRun.objects.filter(pk=wanted.pk).update(seed=1)
        run(wanted.job_id, run_training)
        wanted.refresh_from_db()
        assert wanted.error == "", wanted.error
        models.append(wanted.model.config["weights_sha256"])
    learned = [item["scan"] for item in wanted.manifest["items"] if item["split"] == "train"]
    assert kept(approved) == sorted(learned)
    assert models[0] == models[1]
    scan = next(scan for scan in approved.scans if str(scan.pk) == learned[0])
    withdraw(scan_id=scan.pk, actor=approved["datamanager"], why="consent taken back")
    sweep_scratch()
    assert kept(approved) == sorted(learned[1:])
    assert forget_prepared([UUID(learned[1])]) == 1
    settings.PREPARED_BYTES = 1
    sweep_scratch()
    assert kept(approved) == []


@pytest.mark.parametrize(("limit", "wanted"), [(0, None), (8 << 30, 8 << 30)])
def test_a_limit_of_memory_bounds_the_stage_that_trains(
    limit: int, wanted: int | None, approved: World, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TRAIN_MEMORY_BYTES = limit
    given: list[Bounds | None] = []
    real = stages.run_stage

    def look(stage: str, *more: Any, **options: Any) -> Any:
        if stage != "train":
            return real(stage, *more, **options)
        given.append(options["bounds"])
        raise Conflict("It needs more memory than its limit.", code="out_of_memory")

    monkeypatch.setattr("annotation.learning.running.run_stage", look)
    asked = services.request_training(campaign=approved.campaign, actor=approved["coordinator"])
    run(asked.job_id, run_training)
    asked.refresh_from_db()
    assert (asked.state, asked.job.error_code, asked.error[-1]) == ("failed", "out_of_memory", ".")
    assert [bounds and bounds.memory_bytes for bounds in given] == [wanted]
