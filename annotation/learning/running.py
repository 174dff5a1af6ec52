"""One training run, from its frozen manifest to an evaluated model version."""

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import Max

from annotation.learning.deciding import decide, leave_to_a_person
from annotation.learning.folders import content_of, job_folder, read_model, write_labels, write_model, write_scan
from annotation.learning.manifest import hash_manifest
from annotation.learning.models import ModelVersion, TrainingRun
from annotation.learning.prepared import prepared_folder
from annotation.learning.selectors import IN_PROGRESS, champion_of, hold_out_sites
from annotation.learning.stages import run_stage
from annotation.learning.states import TRAINING_RUN, RunState
from annotation.scans.models import Scan
from annotation.scans.states import ScanState
from annotation.work.schema import parse_schema
from mlservice.contract import (
    EvaluateRequest,
    EvaluateResult,
    PlanRequest,
    PlanResult,
    PredictRequest,
    PredictResult,
    ScanRef,
    Segment,
    TrainingConfig,
    TrainRequest,
    TrainResult,
)
from voxloop.accounts.actors import SystemActor
from voxloop.audit.services import advance
from voxloop.child import Bounds, ChildProgress
from voxloop.jobs.models import Job
from voxloop.jobs.running import Claim
from voxloop.jobs.states import JobState
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict
from voxloop.storage.store import open_store

Refs = tuple[ScanRef, ...]
TRAIN, CHECKPOINT = "train", "checkpoint.safetensors"  # the stage's folder, and where it stands (docs/ml-contract.md)
# Beside a limit of memory: no training comes near them.
MOST_CPU_S, MOST_FILE_BYTES = 10_000_000, 1 << 40
OF_RUNS = (Job.Kind.TRAIN, Job.Kind.BRING_MODEL)


def run_training(held: Claim) -> dict[str, Any]:
    """Execute the run of a `train` job. A second attempt on the same machine goes on from the first one's checkpoint,
    and ends with the same weights; after the model was stored it does nothing. Raises Conflict with the code of the
    stage that failed."""
    run = begin_run(held)
    if run.state not in IN_PROGRESS:
        return outcome_of(run)
    with job_folder(held, keeps=f"{TRAIN}/{CHECKPOINT}") as folder:
        learned, held_out = write_inputs(run, folder / "scans", held)
        config = _plan(run, learned, folder / "plan", held)
        trained = _train(run, config, learned, folder / TRAIN, held)
        model_folder = folder / TRAIN / trained.model
        enter_evaluation(run, held)
        champion = champion_of(run.campaign)
        result = evaluate(run, model_folder, champion, held_out, folder, held)
        held.report(97, "Storing the model")
        weights_key, card = read_model(model_folder, open_store(settings.STORAGE_URL))
    facts = {"seconds": trained.seconds, "parameters": trained.parameters, "device": trained.device}
    facts |= {"begun": trained.begun} if trained.begun else {}
    curve = [msgspec.to_builtins(point) for point in trained.curve]
    return conclude(held, run, weights_key, card, facts, curve, result, champion)


@transaction.atomic
def begin_run(held: Claim) -> TrainingRun:
    """The run of the job, running from now on; unchanged when it has ended. Raises Conflict `manifest_broken`."""
    held.check()
    run = TrainingRun.objects.select_for_update().get(pk=held.job.payload["run"])
    if run.state in IN_PROGRESS:
        if hash_manifest(run.manifest) != run.manifest_hash:
            raise Conflict("The manifest of this run was changed after it was frozen.", code="manifest_broken")
        why = "" if run.state == RunState.QUEUED else f"attempt {held.job.attempt}: the previous worker was lost"
        advance(
            run, RunState.RUNNING, table=TRAINING_RUN, actor=SystemActor.WORKER, why=why, started_at=now(), curves={}
        )
    return run


def write_inputs(run: TrainingRun, folder: Path, held: Claim) -> tuple[Refs, Refs]:
    """Training scans and hold-out scans. Never writes a test site's scan, even if a manifest lists it."""
    sides: dict[str, list[ScanRef]] = {"train": [], "validation": []}
    items = [item for item in run.manifest["items"] if item["split"] in sides]
    scans = Scan.objects.select_related("site").in_bulk([item["scan"] for item in items], field_name="pk")
    found = {str(pk): scan for pk, scan in scans.items()}
    layer = parse_schema(run.campaign.schema.definition).layer()
    for position, item in enumerate(items, start=1):
        scan = found[item["scan"]]
        if scan.site.split != item["split"]:
            raise Conflict(f"Site {scan.site.code} changed sides after the manifest was frozen.", code="split_broken")
        if scan.modality == "CT" and scan.state == ScanState.READY:  # one withdrawn since then is not used
            ref = write_scan(folder, scan, layer)
            write_labels(folder, scan, item["revision"], item["content_hash"])
            sides[item["split"]].append(msgspec.structs.replace(ref, content=content_of(scan, layer, item)))
        held.report(round(10 * position / len(items)), f"Prepared scan {position} of {len(items)}")
    return tuple(sides["train"]), tuple(sides["validation"])


def _plan(run: TrainingRun, scans: Refs, folder: Path, held: Claim) -> TrainingConfig:
    segments = tuple(Segment(segment["id"], segment["key"]) for segment in run.manifest["segments"])
    request = PlanRequest(run.profile, scans, segments, settings.TRAIN_CPU_THREADS, settings.TRAIN_STEPS)
    planned = run_stage("plan", request, PlanResult, folder=folder, held=held, span=(10, 12))
    return planned.config


def _train(run: TrainingRun, config: TrainingConfig, scans: Refs, folder: Path, held: Claim) -> TrainResult:
    curve: list[dict[str, float]] = []

    def relay(lines: list[ChildProgress]) -> None:
        points = [{"step": line.step, "loss": line.losses["train"]} for line in lines if "train" in line.losses]
        if points:
            curve.extend(points)
            TrainingRun.objects.filter(pk=run.pk, state=RunState.RUNNING).update(curves={"train": curve})

    # Relative: the checkpoint of another attempt, in another folder, is one of the same request.
    near = tuple(msgspec.structs.replace(scan, folder=os.path.relpath(scan.folder, folder)) for scan in scans)
    start = ""
    if begun := run.manifest.get("start"):
        model = ModelVersion.objects.get(pk=begun["model"])
        start = os.path.relpath(write_model(folder.parent / "start", model, open_store(settings.STORAGE_URL)), folder)
    processes = min(settings.TRAIN_PROCESSES, config.batch)
    request = TrainRequest(config, near, run.seed, run.manifest_hash, start, prepared_folder(), processes)
    bounds = Bounds(settings.TRAIN_MEMORY_BYTES, MOST_CPU_S, MOST_FILE_BYTES) if settings.TRAIN_MEMORY_BYTES else None
    return run_stage(
        "train", request, TrainResult, folder=folder, held=held, span=(12, 75), on_progress=relay, bounds=bounds
    )


@transaction.atomic
def enter_evaluation(run: TrainingRun, held: Claim) -> None:
    """The model is there; it is measured from now on."""
    held.check()
    advance(
        TrainingRun.objects.select_for_update().get(pk=run.pk),
        RunState.EVALUATING,
        table=TRAINING_RUN,
        actor=SystemActor.WORKER,
    )


def evaluate(
    run: TrainingRun, model_folder: Path, champion: ModelVersion | None, scans: Refs, folder: Path, held: Claim
) -> EvaluateResult:
    """Evaluate both models on the same hold-out scans with the same code."""
    ours = theirs = ""
    if scans:
        ours = _predict(model_folder, scans, folder / "challenger", held, (75, 85))
    if scans and champion is not None:
        model_folder = write_model(folder / "champion-model", champion, open_store(settings.STORAGE_URL))
        theirs = _predict(model_folder, scans, folder / "champion", held, (85, 93))
    segments = tuple(int(segment["id"]) for segment in run.manifest["segments"])
    request = EvaluateRequest(scans, segments, ours, theirs, hold_out_sites(run.campaign), settings.GATE_POLICY)
    return run_stage("evaluate", request, EvaluateResult, folder=folder / "evaluate", held=held, span=(93, 97))


def _predict(model: Path, scans: Refs, folder: Path, held: Claim, span: tuple[int, int]) -> str:
    request = PredictRequest(str(model), scans, settings.TRAIN_CPU_THREADS)
    run_stage("predict", request, PredictResult, folder=folder, held=held, span=span)
    return str(folder / "predictions")


@transaction.atomic
def conclude(
    held: Claim,
    run: TrainingRun,
    weights_key: str,
    card: Mapping[str, Any],
    facts: Mapping[str, Any],
    curve: list[dict[str, Any]],
    found: EvaluateResult,
    champion: ModelVersion | None,
) -> dict[str, Any]:
    """Store model, figures and verdict in one transaction, if this attempt still holds the job."""
    held.check()
    run = TrainingRun.objects.select_for_update().get(pk=run.pk)
    results = msgspec.to_builtins(found)
    gate = results.pop("gate")
    number = (ModelVersion.objects.filter(campaign=run.campaign_id).aggregate(top=Max("number"))["top"] or 0) + 1
    model = ModelVersion.objects.create(
        campaign=run.campaign,
        number=number,
        run=run,
        weights_key=weights_key,
        config=card,
        metrics=results["challenger"],
    )
    advance(
        run,
        RunState.CANDIDATE,
        table=TRAINING_RUN,
        actor=SystemActor.WORKER,
        ended_at=now(),
        gate=gate,
        results={**results, **facts},
        curves={"train": curve},
    )
    serving = champion_of(run.campaign)
    if serving == champion:
        decide(model=model, gate=gate)
    else:
        leave_to_a_person(model=model, why=_say_compared(champion, serving))
    return outcome_of(TrainingRun.objects.get(pk=run.pk))


def _say_compared(champion: ModelVersion | None, serving: ModelVersion | None) -> str:
    """Why the gate's verdict does not count: another model serves than the one it compared with."""
    compared = f"It was compared with {champion}" if champion else "It was measured without a champion"
    return f"{compared}, but {serving or 'no model'} serves now."


def outcome_of(run: TrainingRun) -> dict[str, Any]:
    """The result of the run's job."""
    model = ModelVersion.objects.filter(run=run).first()
    dice = model.metrics.get("mean_dice") if model else None
    return {
        "run": str(run.pk),
        "state": run.state,
        "model": model and str(model.pk),
        "mean_dice": dice if dice is None or math.isfinite(dice) else None,
    }


@transaction.atomic
def end_with_job(job: Job) -> None:
    """End the run of a job that ended without success in the same way (registered with `jobs.on_end`)."""
    if job.kind not in OF_RUNS or job.state == JobState.SUCCEEDED:
        return
    run = TrainingRun.objects.select_for_update().filter(pk=job.payload.get("run"), state__in=IN_PROGRESS).first()
    if run is not None:
        advance(
            run,
            RunState(job.state),
            table=TRAINING_RUN,
            actor=SystemActor.WORKER,
            why=job.error_code,
            ended_at=now(),
            error=job.error,
        )
