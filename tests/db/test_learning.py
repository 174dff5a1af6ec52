"""The learning loop: approved masks, a run, an evaluated model, pre-annotations, scores. Stages run as real
processes."""

import os
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.db import IntegrityError, transaction

from annotation.learning import deciding, running, services, stages
from annotation.learning.manifest import hash_manifest
from annotation.learning.models import ModelVersion, PreAnnotation, TrainingRun
from annotation.learning.preannotation import preannotate, preannotate_when_due
from annotation.learning.running import run_training
from annotation.learning.selectors import champion_of, count_new_approvals
from annotation.masks.models import MaskRevision
from annotation.masks.store import load_labels
from annotation.work.models import CampaignScan, ScanScore
from tests.factories.probability import decode_probability
from tests.factories.world import World
from voxloop.accounts.actors import SystemActor
from voxloop.child import outside
from voxloop.jobs.models import Job
from voxloop.jobs.running import LeaseLost, claim, run
from voxloop.jobs.services import cancel
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict
from voxloop.storage.store import open_store
from voxloop.volume.probability import ProbabilityEntry

pytestmark = pytest.mark.django_db
ALL_HOLD = {"verdict": "promote", "rules": []}


@pytest.fixture(autouse=True)
def quick(settings: Any) -> None:
    settings.TRAIN_STEPS = 2


def request(world: World) -> TrainingRun:
    return services.request_training(campaign=world.campaign, actor=world["coordinator"])


def train(world: World) -> TrainingRun:
    wanted = request(world)
    run(wanted.job_id, run_training)
    wanted.refresh_from_db()
    return wanted


def model_of(world: World, number: int, state: str = "candidate") -> ModelVersion:
    """A version without weights, for tests of decisions."""
    serves = {"promoted_at": now()} if state == "champion" else {}
    run_ = TrainingRun.objects.create(
        campaign=world.campaign,
        number=number,
        state="candidate",
        profile="demo",
        seed=1,
        manifest={"items": []},
        manifest_hash="0" * 64,
        ended_at=now(),
    )
    return ModelVersion.objects.create(
        campaign=world.campaign,
        number=number,
        run=run_,
        weights_key="models/x",
        config={},
        metrics={},
        state=state,
        **serves,
    )


def test_a_run_makes_a_judged_model_that_labels_what_nobody_opened(approved: World) -> None:
    assert count_new_approvals(approved.campaign) == 6
    done = train(approved)
    assert done.error == "", done.error
    model = done.model
    # Two training steps are useless, and two hold-out scans prove nothing: a person decides.
    assert (done.state, model.state) == ("undecided", "undecided")
    assert champion_of(approved.campaign) is None
    assert done.gate["verdict"] == "undecided"
    assert {case["scan"] for case in done.results["cases"]} <= {str(scan.pk) for scan in approved.scans[2::3]}
    deciding.promote_model(model_id=model.pk, actor=approved["coordinator"], why="Somewhere one must begin.")
    model.refresh_from_db()
    done.refresh_from_db()
    assert (done.state, model.state, champion_of(approved.campaign)) == ("promoted", "champion", model)
    assert [rule["key"] for rule in done.gate["rules"]] == ["measured", "mean_dice", "sites", "false_positives"]
    assert [site["site"] for site in done.results["challenger"]["sites"]] == ["c"]
    assert [point["step"] for point in done.curves["train"]] == [1, 2]
    assert model.config["manifest_hash"] == done.manifest_hash
    assert model.weights_key.startswith("models/")
    assert count_new_approvals(approved.campaign) == 0

    job = Job.objects.get(kind=Job.Kind.PREANNOTATE)
    run(job.pk, preannotate)
    job.refresh_from_db()
    assert job.state == "succeeded", job.error
    rows = PreAnnotation.objects.filter(model=model)
    # Site c is held out: it is never pre-annotated. The first six scans were opened.
    assert {row.scan_id for row in rows} == {approved.scans[6].pk, approved.scans[7].pk}
    assert {row.state for row in rows} == {"ready"}
    for row in rows:
        assert load_labels(row.revision, row.scan.shape_zyx).shape == tuple(row.scan.shape_zyx)
        assert row.revision.model_id == model.pk
        assert row.revision.probability_map.segment == 1
        assert map_of(row.revision).shape == (40, 48, 56)
        assert 0 <= row.uncertainty <= 1
        known = CampaignScan.objects.get(campaign=approved.campaign, scan=row.scan)
        assert (known.score_model, known.uncertainty) == (str(model), row.uncertainty)
    # Each strategy orders what is in no batch; of the hold-out site c no model was asked.
    scores = ScanScore.objects.filter(campaign=approved.campaign)
    assert {row.strategy for row in scores} == {"hybrid", "entropy", "foreground_random", "random"}
    assert {row.scan_id for row in scores} == {scan.pk for scan in approved.scans[6:]}
    assert {(row.why, row.surer) for row in scores.filter(scan=approved.scans[8])} == {("held_out", None)}
    assert CampaignScan.objects.get(campaign=approved.campaign, scan=approved.scans[8]).uncertainty is None
    assert preannotate_when_due() == 0


def test_a_second_attempt_after_the_model_was_stored_changes_nothing(approved: World) -> None:
    done = train(approved)
    Job.objects.filter(pk=done.job_id).update(state="running", lease_until=now() - timedelta(seconds=1))
    run(done.job_id, run_training)
    done.refresh_from_db()
    assert (done.state, ModelVersion.objects.count(), done.job.state) == ("undecided", 1, "succeeded")


@pytest.mark.fault("the worker of a training is lost")
def test_a_run_whose_worker_was_lost_starts_again_from_its_manifest(approved: World) -> None:
    wanted = request(approved)
    first = claim(wanted.job_id)
    assert first is not None
    running.begin_run(first)
    Job.objects.filter(pk=wanted.job_id).update(lease_until=now() - timedelta(seconds=1))
    run(wanted.job_id, run_training)
    wanted.refresh_from_db()
    assert wanted.state == "undecided"
    assert wanted.job.attempt == 2
    # The superseded worker notices before it writes anything.
    with pytest.raises(LeaseLost):
        running.conclude(first, wanted, "models/x", {}, {}, [], None, None)
    assert ModelVersion.objects.count() == 1


def test_a_cancelled_run_ends_its_stage_and_its_state(approved: World, monkeypatch: Any, settings: Any) -> None:
    settings.TRAIN_STEPS = 100_000
    wanted = request(approved)
    processes = []
    follow = outside._follow

    def spy(process: Any, *more: Any) -> None:
        if "mlservice.train" in process.args:
            processes.append(process)
            cancel(job_id=wanted.job_id, actor=SystemActor.OPERATOR)
        follow(process, *more)

    monkeypatch.setattr(outside, "_follow", spy)
    run(wanted.job_id, run_training)
    wanted.refresh_from_db()
    assert (wanted.state, wanted.job.state) == ("cancelled", "cancelled")
    assert processes[0].poll() is not None
    assert not ModelVersion.objects.exists()
    assert list((settings.WORK_DIR / "learning").iterdir()) == []


def test_a_lost_job_is_a_lost_run(approved: World) -> None:
    wanted = request(approved)
    for _ in range(2):
        held = claim(wanted.job_id)
        assert held is not None
        running.begin_run(held)
        Job.objects.filter(pk=wanted.job_id).update(lease_until=now() - timedelta(seconds=1))
    assert claim(wanted.job_id) is None
    wanted.refresh_from_db()
    assert (wanted.state, wanted.job.state) == ("lost", "lost")
    assert wanted.ended_at is not None
    request(approved)  # a lost run does not block the next one


def test_a_stage_that_fails_is_told_in_its_own_sentence(approved: World, settings: Any) -> None:
    wanted = request(approved)
    TrainingRun.objects.filter(pk=wanted.pk).update(profile="magic")
    run(wanted.job_id, run_training)
    wanted.refresh_from_db()
    assert (wanted.state, wanted.job.error_code) == ("failed", "unknown_profile")
    assert wanted.error.startswith("There is no profile 'magic'")


def test_a_changed_manifest_is_refused(approved: World) -> None:
    wanted = request(approved)
    wanted.manifest["items"].pop()
    TrainingRun.objects.filter(pk=wanted.pk).update(manifest=wanted.manifest)
    run(wanted.job_id, run_training)
    wanted.refresh_from_db()
    assert (wanted.state, wanted.job.error_code) == ("failed", "manifest_broken")


def test_a_site_that_changed_sides_is_refused(approved: World) -> None:
    wanted = request(approved)
    for item in wanted.manifest["items"]:
        item["split"] = "train"
    TrainingRun.objects.filter(pk=wanted.pk).update(
        manifest=wanted.manifest, manifest_hash=hash_manifest(wanted.manifest)
    )
    run(wanted.job_id, run_training)
    wanted.refresh_from_db()
    assert (wanted.state, wanted.job.error_code) == ("failed", "split_broken")


def test_a_stage_gets_no_credentials(monkeypatch: Any) -> None:
    for name in ("VOXLOOP_DATABASE", "VOXLOOP_SECRET_KEY", "AWS_SECRET_ACCESS_KEY", "VOXLOOP_STORAGE"):
        monkeypatch.setenv(name, "secret-value")
    environment = stages.stage_environment()
    assert "secret-value" not in environment.values()
    assert environment["PATH"] == os.environ["PATH"]


def test_the_database_allows_one_champion(approved: World) -> None:
    model_of(approved, 1, "champion")
    with pytest.raises(IntegrityError, match="model_version_one_champion"), transaction.atomic():
        model_of(approved, 2, "champion")


def test_enough_new_approvals_start_a_run_by_themselves(approved: World) -> None:
    approved.campaign.retrain_after = 7
    approved.campaign.save()
    assert services.retrain_when_due() == 0
    approved.campaign.retrain_after = 6
    approved.campaign.save()
    assert services.retrain_when_due() == 1
    wanted = TrainingRun.objects.get()
    assert (wanted.trigger, wanted.state) == ("threshold", "queued")
    assert services.retrain_when_due() == 0
    with pytest.raises(Conflict, match="wait for it"):
        request(approved)


def test_the_manifest_is_frozen_and_split_by_site(approved: World) -> None:
    wanted = request(approved)
    items = wanted.manifest["items"]
    assert {(item["site"], item["split"]) for item in items} == {("a", "train"), ("b", "train"), ("c", "validation")}
    assert sum(item["revision"] is None for item in items) == 1
    assert wanted.manifest_hash == hash_manifest(wanted.manifest)
    assert {"code", "seed", "schema", "segments"} <= set(wanted.manifest)


def map_of(revision: MaskRevision) -> np.ndarray:
    """The stored probability of a prediction."""
    found = revision.probability_map
    data = open_store(settings.STORAGE_URL).get(found.key)
    return decode_probability(data, ProbabilityEntry.from_json(found.facts))
