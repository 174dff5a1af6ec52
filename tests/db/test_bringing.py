"""A model from elsewhere: checked, measured on the hold-out, judged, and promoted by a person alone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from annotation.learning import deciding, services
from annotation.learning.bringing import bring_model, run_bringing
from annotation.learning.cards import write_card
from annotation.learning.models import ModelVersion, PreAnnotation, TrainingRun
from annotation.learning.preannotation import preannotate
from annotation.learning.selectors import champion_of, count_new_approvals
from tests.factories.brought import KEY, conv, files_of, onnx_files, own_model, with_weights, zipped
from tests.factories.evidence import FINE, measured, summary_of
from tests.factories.world import World
from voxloop.audit.models import AuditEntry
from voxloop.jobs.models import Job
from voxloop.jobs.running import run
from voxloop.jobs.services import cancel
from voxloop.kernel.errors import Conflict, Forbidden, Invalid, TooLarge
from voxloop.storage.store import open_store

pytestmark = pytest.mark.django_db


def bring(world: World, body: bytes, *, who: str = "coordinator", name: str = "model.zip") -> TrainingRun:
    return bring_model(campaign=world.campaign, actor=world[who], upload=SimpleUploadedFile(name, body))


Commit = Callable[..., Any]


def carried_out(world: World, body: bytes, commit: Commit) -> TrainingRun:
    found = bring(world, body)
    commit(run, found.job_id, run_bringing)
    found.refresh_from_db()
    return found


def stored(prefix: str) -> list[str]:
    return [entry.key for entry in open_store(settings.STORAGE_URL).list(prefix)]


def bright() -> bytes:
    """It marks what is brighter than half-way: in these volumes, the ball."""
    return zipped(onnx_files(conv((0, 0))))


def test_a_brought_model_is_measured_and_waits_for_a_person(approved: World, commit: Commit) -> None:
    approved.campaign.promotes_by_itself = True
    approved.campaign.save()
    done = carried_out(approved, bright(), commit)
    assert done.error == "", done.error
    model = done.model
    assert (done.state, model.state, done.trigger) == ("undecided", "undecided", "brought")
    assert model.metrics["mean_dice"] > 0.95  # the ball is all that is bright
    assert {item["split"] for item in done.manifest["items"]} == {"validation"}
    assert stored("uploads") == []
    assert list((settings.WORK_DIR / "learning").iterdir()) == []
    card = write_card(model)
    assert card["is_brought"]
    assert "what it learned from is not known" in " ".join(card["limits"])
    assert AuditEntry.objects.get(action="model.brought").new["sha256"] == done.manifest["brought"]["sha256"]
    # What was approved is as new as before to the next training.
    assert count_new_approvals(approved.campaign) == 6

    deciding.promote_model(model_id=model.pk, actor=approved["coordinator"], why="It is better on my scans.")
    job = Job.objects.get(kind=Job.Kind.PREANNOTATE)
    run(job.pk, preannotate)
    job.refresh_from_db()
    assert job.state == "succeeded", job.error
    assert {row.state for row in PreAnnotation.objects.filter(model=model)} == {"ready"}
    assert champion_of(approved.campaign) == model


def test_the_gate_that_passes_does_not_promote_what_was_brought(world: World) -> None:
    assert world.campaign.promotes_by_itself
    for trigger, state in (("brought", "candidate"), ("person", "champion")):
        model, gate = measured(world, 1 + ModelVersion.objects.count(), summary_of(FINE))
        assert gate["verdict"] == "promote"
        TrainingRun.objects.filter(pk=model.run_id).update(trigger=trigger)
        model = ModelVersion.objects.select_related("run", "campaign").get(pk=model.pk)
        deciding.decide(model=model, gate=gate)
        model.refresh_from_db()
        assert model.state == state


def test_our_own_folder_is_a_challenger_like_any_other(approved: World, tmp_path: Path, commit: Commit) -> None:
    done = carried_out(approved, zipped(files_of(own_model(tmp_path / "m"))), commit)
    assert (done.state, done.results["form"]) == ("undecided", "voxloop")
    assert done.model.weights_key in stored("models")
    assert done.model.config["config"]["classes"] == [{"id": 1, "key": KEY}]


@pytest.mark.parametrize("poison", ["a pickle", "a flood"])
def test_a_refused_model_leaves_nothing_behind(approved: World, tmp_path: Path, poison: str, commit: Commit) -> None:
    """`a flood` asks for some hundred TB while it runs: the child's bounds refuse them."""
    own = files_of(own_model(tmp_path / "m"))
    body, code = {
        "a pickle": (zipped(with_weights(own, b"\x80\x04K\x01.")), "model_pickle"),
        "a flood": (zipped(onnx_files(flood())), "model_fails"),
    }[poison]
    done = carried_out(approved, body, commit)
    assert (done.state, done.job.error_code) == ("failed", code)
    assert done.error.endswith(".")
    assert not ModelVersion.objects.exists()
    assert (stored("uploads"), stored("models")) == ([], [])
    assert list((settings.WORK_DIR / "learning").iterdir()) == []
    # The campaign is free for the next run.
    assert services.request_training(campaign=approved.campaign, actor=approved["coordinator"]).number == 2


def flood() -> Any:
    """It repeats its answer 100,000 times along each side, and takes the mean: a small file with a huge middle."""
    model = conv((0, 0))
    model.graph.node[0].output[0] = "small"
    kind = type(model.graph.node[0])
    shape = type(model.graph.initializer[0])(name="times", data_type=7, dims=[4], int64_data=[1, 1, 10**5, 10**5])
    model.graph.initializer.append(shape)
    model.graph.node.append(kind(op_type="Tile", input=["small", "times"], output=["huge"]))
    model.graph.node.append(kind(op_type="GlobalAveragePool", input=["huge"], output=["one"]))
    model.graph.node.append(kind(op_type="Add", input=["small", "one"], output=["y"]))
    return model


def test_one_run_at_a_time_and_the_second_file_is_not_kept(approved: World) -> None:
    first = bring(approved, bright())
    with pytest.raises(Conflict) as refusal:
        bring(approved, zipped(onnx_files(conv((0, 0), bias=-3.0))))
    assert refusal.value.code == "training_busy"
    assert stored("uploads") == [first.job.payload["upload"]]


def test_a_cancelled_one_is_a_cancelled_run(approved: World) -> None:
    found = bring(approved, bright())
    cancel(job_id=found.job_id, actor=approved["coordinator"])
    found.refresh_from_db()
    assert (found.state, ModelVersion.objects.count()) == ("cancelled", 0)


def test_who_brings_and_what(approved: World) -> None:
    for who in ("annotator", "datamanager", "admin"):
        with pytest.raises(Forbidden):
            bring(approved, bright(), who=who)
    with pytest.raises(Invalid) as refusal:
        bring(approved, bright(), name="model.pt")
    assert refusal.value.code == "unknown_file"
    large = SimpleUploadedFile("model.zip", b"")
    large.size = 3 << 30
    with pytest.raises(TooLarge):
        bring_model(campaign=approved.campaign, actor=approved["coordinator"], upload=large)
    assert stored("uploads") == []


def test_a_campaign_without_approved_hold_out_leaves_it_to_a_person(world: World, commit: Commit) -> None:
    done = carried_out(world, bright(), commit)
    assert (done.state, done.model.metrics["scored"]) == ("undecided", 0)
    assert json.dumps(done.gate)
