"""Masks of the champion for unopened scans, and the acquisition scores of scans."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from annotation.learning.choosing import rank_scans
from annotation.learning.deciding import request_preannotation
from annotation.learning.folders import job_folder, write_model, write_scan
from annotation.learning.models import ModelVersion, PreAnnotation
from annotation.learning.stages import run_stage
from annotation.learning.states import PRE_ANNOTATION, ModelState, PreAnnotationState
from annotation.masks.models import Head, MaskRevision
from annotation.masks.selectors import newest_prediction
from annotation.masks.services import repeat_prediction, store_prediction
from annotation.scans.models import Scan
from annotation.scans.states import ScanState
from annotation.work.models import Assignment
from annotation.work.schema import Layer, parse_schema
from mlservice.contract import Prediction, PredictRequest, PredictResult
from voxloop.accounts.actors import SystemActor
from voxloop.audit.services import advance
from voxloop.child import ChildProgress, read_json
from voxloop.jobs.models import Job
from voxloop.jobs.running import Claim
from voxloop.jobs.states import JobState
from voxloop.keeping.selectors import open_damage
from voxloop.keeping.services import note_damage
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Damaged
from voxloop.storage.store import open_store

SCANS_AT_ONCE = 32  # limits scratch space; each group costs one start of the stage
RETRY_AFTER = timedelta(minutes=10)


def preannotate(held: Claim) -> dict[str, Any]:
    """Carry out a `preannotate` job: masks for every unopened scan of training sites, then the acquisition scores.

    Stored masks survive a lost worker; the next attempt continues with the rest. A model that is no longer the champion
    does nothing."""
    model = ModelVersion.objects.select_related("campaign__schema").get(pk=held.job.payload["model"])
    if model.state != ModelState.CHAMPION:
        return {"model": str(model.pk), "masks": 0, "state": model.state}
    layer = parse_schema(model.campaign.schema.definition).layer()
    _discard_stale(model)
    waiting = _request(model)
    done = _serve_again(model, layer, held)
    damaged: list[str] = []
    with job_folder(held) as folder:
        for start in range(0, len(waiting), SCANS_AT_ONCE):
            group = waiting[start : start + SCANS_AT_ONCE]
            span = tuple(round(95 * at / len(waiting)) for at in (start, start + len(group)))
            done += _label(model, layer, group, folder / str(start), held, (span[0], span[1]), damaged)
        held.report(95, "Choosing which scans to label next")
        rank_scans(model.campaign, folder / "acquire", held, (95, 99))
    return {"model": str(model.pk), "masks": done, "state": model.state, "damaged": damaged}


def unopened_scans(model: ModelVersion) -> QuerySet[Scan]:
    """Ready CT scans of training sites that nobody has begun in this campaign. Hold-out sites are annotated without a
    model's help, so that measurements on them stay unbiased."""
    begun = Assignment.objects.filter(
        Q(opened_at__isnull=False) | Q(touched_at__isnull=False), campaign=model.campaign_id
    )
    started = Head.objects.filter(assignment__campaign=model.campaign_id)
    return (
        Scan.objects.filter(
            campaign_scans__campaign=model.campaign_id, state=ScanState.READY, modality="CT", site__split="train"
        )
        .exclude(pk__in=begun.values("scan_id"))
        .exclude(pk__in=started.values("assignment__scan_id"))
        .select_related("site")
        .order_by("code")
    )


def _request(model: ModelVersion) -> list[Scan]:
    """Create requests for unopened scans without a mask of this model; returns the pending ones."""
    scans = list(unopened_scans(model))
    PreAnnotation.objects.bulk_create(
        [PreAnnotation(campaign=model.campaign, scan=scan, model=model) for scan in scans], ignore_conflicts=True
    )
    asked = PreAnnotation.objects.filter(model=model, state=PreAnnotationState.REQUESTED).values_list(
        "scan_id", flat=True
    )
    wanted = set(asked) - set(_damaged_scans(model).values_list("pk", flat=True))
    return [scan for scan in scans if scan.pk in wanted]


def _damaged_scans(model: ModelVersion) -> QuerySet[Scan]:
    """Unopened scans whose voxels, lung limit or index are known to be damaged: they wait until they are mended."""
    things = set(open_damage().values_list("thing", flat=True))
    indexes = [thing.removeprefix("indexes/") for thing in things if thing.startswith("indexes/")]
    return unopened_scans(model).filter(Q(pack_key__in=things) | Q(limit_key__in=things) | Q(pk__in=indexes))


def _discard_stale(model: ModelVersion) -> None:
    """Discard requests of former champions and of scans opened meanwhile."""
    requested = PreAnnotation.objects.filter(campaign=model.campaign_id, state=PreAnnotationState.REQUESTED)
    _discard(requested.exclude(model=model).values_list("pk", flat=True), f"{model} serves now")
    late = requested.filter(model=model).exclude(scan__in=unopened_scans(model))
    _discard(late.values_list("pk", flat=True), "somebody opened the scan first")


def _serve_again(model: ModelVersion, layer: Layer, held: Claim) -> int:
    """After a roll-back: make this model's earlier masks the newest again, without running it."""
    count = 0
    rows = PreAnnotation.objects.filter(model=model, state=PreAnnotationState.READY, scan__in=unopened_scans(model))
    for row in rows.select_related("scan", "revision"):
        newest = newest_prediction(row.scan_id, layer.name)
        if row.revision is not None and newest is not None and newest.model_id != model.pk:
            with transaction.atomic():
                held.check()
                row.revision = repeat_prediction(revision=row.revision, layer=layer)
                row.save(update_fields=["revision"])
            count += 1
    return count


def _label(
    model: ModelVersion,
    layer: Layer,
    scans: Sequence[Scan],
    folder: Path,
    held: Claim,
    span: tuple[int, int],
    damaged: list[str],
) -> int:
    """Predict a group; each mask is stored as soon as it is there. Codes of damaged scans are added to `damaged`."""
    refs = []
    for scan in scans:
        try:
            refs.append(write_scan(folder / "scans", scan, layer))
        except Damaged as found:  # the others are labelled all the same
            note_damage(found, noticed_by=SystemActor.WORKER, during=held.job.get_kind_display())
            damaged.append(scan.code)
        held.beat()
    if not refs:
        return 0
    model_folder = write_model(folder / "model", model, open_store(settings.STORAGE_URL))
    by_id = {str(scan.pk): scan for scan in scans}
    kept = 0

    def keep(lines: list[ChildProgress]) -> None:
        nonlocal kept
        for ref in refs[kept : lines[-1].step]:
            _keep(model, layer, by_id[ref.id], folder / "predictions" / ref.id, held)
            kept += 1

    request = PredictRequest(str(model_folder), tuple(refs), settings.TRAIN_CPU_THREADS)
    run_stage("predict", request, PredictResult, folder=folder, held=held, span=span, on_progress=keep)
    return kept


@transaction.atomic
def _keep(model: ModelVersion, layer: Layer, scan: Scan, folder: Path, held: Claim) -> None:
    """Store one mask with its figures, unless somebody has opened the scan meanwhile."""
    held.check()
    found = read_json(Prediction, folder / "prediction.json")
    row = PreAnnotation.objects.select_for_update().get(model=model, scan=scan)
    list(Assignment.objects.select_for_update().filter(campaign=model.campaign_id, scan=scan).values_list("pk"))
    if row.state != PreAnnotationState.REQUESTED:
        return
    if not unopened_scans(model).filter(pk=scan.pk).exists():
        advance(
            row,
            PreAnnotationState.DISCARDED,
            table=PRE_ANNOTATION,
            actor=SystemActor.WORKER,
            why="somebody opened the scan first",
        )
        return
    revision: MaskRevision = store_prediction(
        scan=scan,
        layer=layer,
        labels_zyx=np.load(folder / "labels.npy"),
        model_id=model.pk,
        model_name=str(model),
        probability=(np.load(folder / "probability.npy"), found.step_zyx),
        segment=_only_segment(model),
    )
    advance(
        row,
        PreAnnotationState.READY,
        table=PRE_ANNOTATION,
        actor=SystemActor.WORKER,
        revision=revision,
        uncertainty=found.uncertainty,
        extent_ml=found.extent_ml,
        extent_ml_by_class=found.extent_ml_by_class,
        embedding=list(found.embedding),
    )


def _only_segment(model: ModelVersion) -> int | None:
    """The segment of the model's probability map; None where it learned several."""
    classes = model.config.get("config", {}).get("classes", [])
    return int(classes[0]["id"]) if len(classes) == 1 else None


@transaction.atomic
def settle_used() -> int:
    """Mark the pre-annotations that were used as a start; returns how many. Called by beat."""
    rows = PreAnnotation.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        state=PreAnnotationState.READY, revision__in=Head.objects.filter(start__isnull=False).values("start_id")
    )
    for count, row in enumerate(rows, start=1):
        advance(row, PreAnnotationState.USED, table=PRE_ANNOTATION, actor=SystemActor.SYSTEM)
        if count >= 500:
            break
    return len(rows)


def preannotate_when_due() -> int:
    """Enqueue pre-annotation where the champion has not seen every unopened scan (new ones, or a failed job). Called by
    beat."""
    asked = 0
    for model in ModelVersion.objects.filter(state=ModelState.CHAMPION, campaign__is_paused=False):
        answered = PreAnnotation.objects.filter(model=model).exclude(state=PreAnnotationState.REQUESTED)
        waiting = unopened_scans(model).exclude(pk__in=answered.values("scan_id"))
        if not waiting.exclude(pk__in=_damaged_scans(model).values("pk")).exists():
            continue
        jobs = Job.objects.filter(kind=Job.Kind.PREANNOTATE, payload__model=str(model.pk))
        recent = Q(state=JobState.FAILED, ended_at__gt=now() - RETRY_AFTER) | Q(
            state__in=[JobState.QUEUED, JobState.RUNNING, JobState.CANCELLED]
        )
        if not jobs.filter(recent).exists():
            request_preannotation(model=model, actor=SystemActor.SYSTEM, again=True)
            asked += 1
    return asked


def _discard(keys: Iterable[UUID], why: str) -> None:
    with transaction.atomic():
        for row in PreAnnotation.objects.select_for_update().filter(
            pk__in=list(keys), state=PreAnnotationState.REQUESTED
        ):
            advance(row, PreAnnotationState.DISCARDED, table=PRE_ANNOTATION, actor=SystemActor.WORKER, why=why)
