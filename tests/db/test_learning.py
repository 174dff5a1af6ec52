"""The loop closes: approved masks, a run, a judged model, pre-annotations, scores. Stages run as real processes."""

import os
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.db import IntegrityError, transaction

from annotation.learning import running, services, stages
from annotation.learning.manifest import hash_manifest
from annotation.learning.models import ModelVersion, PreAnnotation, TrainingRun
from annotation.learning.preannotation import preannotate, preannotate_when_due, settle_used, unopened_scans
from annotation.learning.running import run_training
from annotation.learning.selectors import champion_of, count_new_approvals
from annotation.masks.models import Head, MaskRevision
from annotation.masks.selectors import newest_prediction
from annotation.masks.services import begin, store_prediction
from annotation.masks.store import load_labels
from annotation.scans.models import Scan
from annotation.work.batches import create_batch, publish_batch
from annotation.work.models import Assignment, CampaignScan
from annotation.work.schema import parse_schema
from tests.factories.world import World, approve, build_world, label
from voxloop.audit.models import AuditEntry
from voxloop.jobs.models import Job
from voxloop.jobs.services import Claim, LeaseLost, cancel, claim, run
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Forbidden
from voxloop.storage.store import open_store
from voxloop.volume.probability import ProbabilityEntry, decode_probability

pytestmark = pytest.mark.django_db
ALL_HOLD = {"holds": True, "rules": []}


@pytest.fixture(autouse=True)
def quick(settings: Any) -> None:
    settings.TRAIN_STEPS = 2


@pytest.fixture
def approved() -> World:
    """Nine scans of three sites; two of each site are approved, one of them (site b) confirmed empty."""
    world = build_world(scans=9)
    taken = [scan.pk for scan in world.scans[:6]]
    batch = create_batch(
        campaign=world.campaign, actor=world["coordinator"], scan_ids=taken, assignee=world["annotator"]
    )
    publish_batch(batch_id=batch.pk, actor=world["coordinator"])
    for position, assignment in enumerate(batch.assignments.select_related("scan", "campaign")):
        label(world, assignment, is_empty=position == 3)
        approve(world, assignment)
    return world


def request(world: World) -> TrainingRun:
    return services.request_training(campaign=world.campaign, actor=world["coordinator"])


def train(world: World) -> TrainingRun:
    wanted = request(world)
    run(wanted.job_id, run_training)
    wanted.refresh_from_db()
    return wanted


def model_of(world: World, number: int, state: str = "candidate") -> ModelVersion:
    """A version without weights, for tests of decisions."""
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
        campaign=world.campaign, number=number, run=run_, weights_key="models/x", config={}, metrics={}, state=state
    )


def test_a_run_makes_a_judged_model_that_labels_what_nobody_opened(approved: World) -> None:
    assert count_new_approvals(approved.campaign) == 6
    done = train(approved)
    assert done.error == "", done.error
    model = done.model
    # Two steps teach nothing, yet the first model has no champion to be worse than.
    assert (done.state, model.state) == ("promoted", "champion")
    assert champion_of(approved.campaign) == model
    assert done.gate["holds"]
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
        score = CampaignScan.objects.get(campaign=approved.campaign, scan=row.scan)
        assert score.score_model == model.pk
        assert score.score is not None
    assert CampaignScan.objects.get(campaign=approved.campaign, scan=approved.scans[8]).score is None
    assert preannotate_when_due() == 0


def test_a_second_attempt_after_the_model_was_stored_changes_nothing(approved: World) -> None:
    done = train(approved)
    Job.objects.filter(pk=done.job_id).update(state="running", lease_until=now() - timedelta(seconds=1))
    run(done.job_id, run_training)
    done.refresh_from_db()
    assert (done.state, ModelVersion.objects.count(), done.job.state) == ("promoted", 1, "succeeded")


@pytest.mark.fault("the worker of a training is lost")
def test_a_run_whose_worker_was_lost_starts_again_from_its_manifest(approved: World) -> None:
    wanted = request(approved)
    first = claim(wanted.job_id)
    assert first is not None
    running._begin(first)
    Job.objects.filter(pk=wanted.job_id).update(lease_until=now() - timedelta(seconds=1))
    run(wanted.job_id, run_training)
    wanted.refresh_from_db()
    assert wanted.state == "promoted"
    assert wanted.job.attempt == 2
    # The worker that was overtaken finds out before it writes anything.
    with pytest.raises(LeaseLost):
        running._conclude(first, wanted, "models/x", {}, None, None, None)  # type: ignore[arg-type]
    assert ModelVersion.objects.count() == 1


def test_a_cancelled_run_ends_its_stage_and_its_state(approved: World, monkeypatch: Any, settings: Any) -> None:
    settings.TRAIN_STEPS = 100_000
    wanted = request(approved)
    processes = []
    follow = stages._follow

    def spy(process: Any, path: Any, held: Claim, span: Any, on_progress: Any) -> None:
        if "mlservice.train" in process.args:
            processes.append(process)
            cancel(job_id=held.job.pk, actor="test")
        follow(process, path, held, span, on_progress)

    monkeypatch.setattr(stages, "_follow", spy)
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
        running._begin(held)
        Job.objects.filter(pk=wanted.job_id).update(lease_until=now() - timedelta(seconds=1))
    assert claim(wanted.job_id) is None
    wanted.refresh_from_db()
    assert (wanted.state, wanted.job.state) == ("lost", "lost")
    assert wanted.ended_at is not None
    request(approved)  # a lost run is in nobody's way


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
    environment = stages.bare_environment()
    assert "secret-value" not in environment.values()
    assert environment["PATH"] == os.environ["PATH"]


def test_a_failed_gate_rejects_and_says_why(approved: World) -> None:
    model = model_of(approved, 1)
    rule = {"key": "mean_dice", "holds": False, "sentence": "Mean Dice is lower."}
    services.decide(model=model, gate={"holds": False, "rules": [rule]})
    model.refresh_from_db()
    assert (model.state, TrainingRun.objects.get().state) == ("rejected", "rejected")
    assert AuditEntry.objects.filter(action="model_version.rejected", why="Mean Dice is lower.").exists()
    with pytest.raises(Conflict, match="say why"):
        services.promote_model(model_id=model.pk, actor=approved["coordinator"])
    services.promote_model(model_id=model.pk, actor=approved["coordinator"], why="The hold-out is tiny.")
    assert champion_of(approved.campaign) == model


def test_a_person_decides_where_the_campaign_says_so(approved: World) -> None:
    approved.campaign.promotes_by_itself = False
    approved.campaign.save()
    model = model_of(approved, 1)
    services.decide(model=model, gate=ALL_HOLD)
    model.refresh_from_db()
    assert model.state == "candidate"
    with pytest.raises(Forbidden):
        services.promote_model(model_id=model.pk, actor=approved["datamanager"])


def test_the_database_allows_one_champion(approved: World) -> None:
    model_of(approved, 1, "champion")
    with pytest.raises(IntegrityError, match="model_version_one_champion"), transaction.atomic():
        model_of(approved, 2, "champion")


def map_of(revision: MaskRevision) -> np.ndarray:
    """The stored probability of a prediction."""
    found = revision.probability_map
    data = open_store(settings.STORAGE_URL).get(found.key)
    return decode_probability(data, ProbabilityEntry.from_json(found.facts))


def keep_prediction(world: World, model: ModelVersion, scan: Scan, value: int) -> PreAnnotation:
    layer = parse_schema(world.campaign.schema.definition).editable_layers[0]
    labels = np.zeros(scan.shape_zyx, np.uint8)
    labels[5, 5:9, 5:9] = value
    revision = store_prediction(
        scan=scan,
        layer=layer,
        labels_zyx=labels,
        model_id=model.pk,
        model_name=str(model),
        probability=(labels * np.uint8(100), (1, 1, 1)),
        segment=1,
    )
    return PreAnnotation.objects.create(
        campaign=world.campaign, scan=scan, model=model, state="ready", revision=revision
    )


def test_rolling_back_offers_the_older_models_masks_again(approved: World) -> None:
    first, second = model_of(approved, 1), model_of(approved, 2)
    services.decide(model=first, gate=ALL_HOLD)
    for scan in approved.scans[6:8]:
        keep_prediction(approved, first, scan, 1)
    services.decide(model=second, gate=ALL_HOLD)
    for scan in approved.scans[6:8]:
        keep_prediction(approved, second, scan, 2)
    services.promote_model(model_id=first.pk, actor=approved["coordinator"], why="The new one is worse at site b.")
    second.refresh_from_db()
    assert (champion_of(approved.campaign), second.state) == (first, "replaced")
    job = Job.objects.filter(kind=Job.Kind.PREANNOTATE, payload__model=str(first.pk)).order_by("-created_at").first()
    assert job is not None
    run(job.pk, preannotate)
    job.refresh_from_db()
    assert job.state == "succeeded", job.error
    newest = newest_prediction(approved.scans[6].pk, "findings")
    assert newest is not None
    assert newest.model_id == first.pk
    assert newest.voxel_counts == {"1": 16}
    assert map_of(newest).max() == 100


def test_opened_scans_are_left_alone_and_a_mask_that_was_used_is_marked(approved: World) -> None:
    model = model_of(approved, 1)
    services.decide(model=model, gate=ALL_HOLD)
    scan = approved.scans[6]
    row = keep_prediction(approved, model, scan, 1)
    assert {found.pk for found in unopened_scans(model)} == {approved.scans[6].pk, approved.scans[7].pk}
    assert settle_used() == 0
    batch = create_batch(
        campaign=approved.campaign, actor=approved["coordinator"], scan_ids=[scan.pk], assignee=approved["annotator"]
    )
    publish_batch(batch_id=batch.pk, actor=approved["coordinator"])
    assignment = batch.assignments.get()
    assert scan.pk in {found.pk for found in unopened_scans(model)}  # given out, not begun
    begin(assignment_id=assignment.pk, actor=approved["annotator"])
    assert Head.objects.get(assignment=assignment).start == row.revision
    assert scan.pk not in {found.pk for found in unopened_scans(model)}
    assert settle_used() == 1
    row.refresh_from_db()
    assert row.state == "used"
    assert Assignment.objects.get(pk=assignment.pk).starts_from == "prediction"


def test_new_scans_are_labelled_without_being_asked(approved: World) -> None:
    model = model_of(approved, 1)
    services.decide(model=model, gate=ALL_HOLD)
    first = Job.objects.get(kind=Job.Kind.PREANNOTATE)
    assert preannotate_when_due() == 0  # the job of the promotion still waits
    Job.objects.filter(pk=first.pk).update(state="failed", ended_at=now())
    assert preannotate_when_due() == 0  # it failed just now
    Job.objects.filter(pk=first.pk).update(ended_at=now() - timedelta(hours=1))
    assert preannotate_when_due() == 1
    assert preannotate_when_due() == 0


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
