"""Measure approved masks, each once, by a job that beat asks for; again when lobes came for the scan."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from annotation.masks.models import MaskRevision
from annotation.masks.selectors import newest_given, newest_prediction
from annotation.masks.store import load_labels
from annotation.reporting.models import Measurement
from annotation.reporting.pictures import draw_slice, draw_surface
from annotation.reviews.models import ReviewRound, RoundMask
from annotation.reviews.states import RoundState
from annotation.scans.models import Scan
from annotation.scans.states import ScanState
from annotation.scans.volumes import read_index, read_voxels
from annotation.work.models import Assignment
from annotation.work.schema import Layer, Schema, parse_schema
from voxloop import __version__
from voxloop.accounts.actors import SystemActor
from voxloop.jobs.models import Job
from voxloop.jobs.running import Claim
from voxloop.jobs.services import enqueue
from voxloop.jobs.states import JobState
from voxloop.keeping.services import note_damage
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Damaged, Refusal
from voxloop.kernel.ids import new_id
from voxloop.storage.reading import read_object
from voxloop.storage.store import open_store
from voxloop.volume.geometry import Geometry
from voxloop.volume.labelmap import decode_message
from voxloop.volume.measuring import LOBES, Regions, find_regions, measure_mask
from voxloop.volume.pack.codec import Voxels

AT_ONCE = 50  # scans of one job
AGAIN_AFTER = timedelta(days=1)  # when a scan could not be measured
APPROVED = (RoundState.APPROVED, RoundState.CORRECTED)
BEGUN = "not_finished"  # the fault of a measurement that never ended: its worker was killed


def approved_rounds() -> QuerySet[ReviewRound]:
    """The newest approval of every ready scan in each campaign."""
    rounds = ReviewRound.objects.filter(
        state__in=APPROVED,
        annotation__stage=Assignment.Stage.ANNOTATION,
        annotation__reader=1,
        annotation__scan__state=ScanState.READY,
    )
    keys = ("annotation__campaign_id", "annotation__scan_id")
    newest = rounds.order_by(*keys, "-ended_at", "-number").distinct(*keys)
    return ReviewRound.objects.filter(pk__in=newest.values("pk"))


def waiting_rounds() -> QuerySet[ReviewRound]:
    """Approvals without quantities, with those from before a mask of lobes came, or that failed a day ago."""
    later = MaskRevision.objects.filter(
        scan=OuterRef("annotation__scan"),
        kind__in=[MaskRevision.Kind.IMPORT, MaskRevision.Kind.PREDICTION],
        created_at__gt=OuterRef("measurement__measured_at"),
    ).exclude(layer=OuterRef("measurement__layer"))
    failed = ~Q(measurement__fault="") & Q(measurement__measured_at__lt=now() - AGAIN_AFTER)
    outdated = Q(Q(measurement__fault=""), Exists(later))
    return approved_rounds().filter(Q(measurement__isnull=True) | failed | outdated).order_by("ended_at")


def measure_when_due() -> int:
    """Enqueue a job for approvals that wait, unless one is at work. Called by beat; returns how many scans it holds."""
    if Job.objects.filter(kind=Job.Kind.MEASURE_SCANS, state__in=[JobState.QUEUED, JobState.RUNNING]).exists():
        return 0
    rounds = [str(pk) for pk in waiting_rounds().values_list("pk", flat=True)[:AT_ONCE]]
    if rounds:
        enqueue(Job.Kind.MEASURE_SCANS, payload={"rounds": rounds}, key=f"measure_scans:{new_id()}")
    return len(rounds)


def measure_scans(held: Claim) -> dict[str, Any]:
    """Carry out a `measure_scans` job: scans that cannot be measured are noted, and the others measured."""
    wanted: Sequence[str] = held.job.payload["rounds"]
    measured = 0
    for done, pk in enumerate(wanted):
        found = approved_rounds().select_related("annotation__scan", "annotation__campaign__schema").filter(pk=pk)
        round_ = found.first()
        if round_ is None:  # taken back, or withdrawn meanwhile
            continue
        held.report(100 * done // len(wanted), f"Measuring {round_.annotation.scan} ({done + 1} of {len(wanted)})")
        measured += measure_round(round_, held)
    return {"measured": measured, "not_measured": len(wanted) - measured}


def measure_round(round_: ReviewRound, held: Claim | None = None) -> bool:
    """Measure one approval and keep the result; False when it was refused, with the refusal's code kept."""
    base: dict[str, Any] = {
        "campaign": round_.annotation.campaign,
        "scan": round_.annotation.scan,
        "layer": parse_schema(round_.annotation.campaign.schema.definition).layer().name,
        "software": __version__,
    }
    _keep(round_, held, **base, values=None, fault=BEGUN)
    try:
        found = _measure(round_)
    except Refusal as refusal:
        if isinstance(refusal, Damaged):
            note_damage(refusal, noticed_by=SystemActor.SYSTEM)
        _keep(round_, held, **base, values=None, fault=refusal.code[:64])
        return False
    _keep(round_, held, **base, **found, fault="")
    return True


@transaction.atomic
def _keep(round_: ReviewRound, held: Claim | None, **fields: Any) -> None:
    if held is not None:
        held.check()
    Measurement.objects.update_or_create(round=round_, defaults={**fields, "measured_at": now()})


def anatomy_of(schema: Schema) -> Layer | None:
    """The layer that holds lobes or lungs: the first read-only one with a lobe, or with the key `lungs`."""
    for layer in schema.layers:
        if not layer.editable and any(segment.key in (*LOBES, "lungs") for segment in layer.segments):
            return layer
    return None


def opacities_of(layer: Layer) -> list[int]:
    """The segments that count as opacity, as in the viewer: the infectious ones, or all where none is."""
    infectious = [segment.id for segment in layer.segments if segment.infectious]
    return infectious or [segment.id for segment in layer.segments]


def _measure(round_: ReviewRound) -> dict[str, Any]:
    scan, schema = round_.annotation.scan, parse_schema(round_.annotation.campaign.schema.definition)
    layer, anatomy = schema.layer(), anatomy_of(schema)
    geometry = read_index(scan).geometry
    voxels_zyx = read_voxels(scan)
    mask = RoundMask.objects.filter(round=round_, layer=layer.name).select_related("approved").first()
    approved = mask.approved if mask else None
    lobes = newest_given(scan.pk, anatomy.name) if anatomy else None
    prediction = newest_prediction(scan.pk, layer.name)
    labels_zyx = load_labels(approved, geometry.shape_zyx)
    model_zyx = load_labels(prediction, geometry.shape_zyx) if prediction else None
    regions = _regions(scan, layer, anatomy, lobes, voxels_zyx, labels_zyx, geometry)
    parts: dict[str, Any] = {"segments": sorted(layer.ids), "opacities": opacities_of(layer), "regions": regions}
    values = measure_mask(labels_zyx, voxels_zyx, geometry, **parts)
    return {
        "revision": approved,
        "content_hash": approved.content_hash if approved else "",
        "anatomy": lobes,
        "values": asdict(values),
        "prediction": prediction,
        "model_values": asdict(measure_mask(model_zyx, voxels_zyx, geometry, **parts))
        if model_zyx is not None
        else None,
        "surface_png": draw_surface(labels_zyx, regions, layer, geometry) if regions else None,
        "slice_png": draw_slice(voxels_zyx, labels_zyx, layer, geometry, values.worst_slice, scan.modality),
    }


def _regions(
    scan: Scan,
    layer: Layer,
    anatomy: Layer | None,
    lobes: MaskRevision | None,
    voxels_zyx: Voxels,
    labels_zyx: Any,
    geometry: Geometry,
) -> Regions | None:
    """The lungs from the newest mask of them, else from the image within the lung limit; None without both."""
    if anatomy is not None and lobes is not None and lobes.voxel_counts:
        keys = {segment.id: segment.key for segment in anatomy.segments}
        return find_regions(geometry, anatomy_zyx=load_labels(lobes, geometry.shape_zyx), anatomy_keys=keys)
    if not scan.limit_key or layer.limit != "lungs" or scan.modality != "CT":
        return None
    packed = read_object(open_store(settings.STORAGE_URL), scan.limit_key)
    limit_zyx = np.asarray(decode_message(packed, geometry.shape_zyx).labels() > 0)
    return find_regions(geometry, voxels_zyx=voxels_zyx, limit_zyx=limit_zyx, labels_zyx=labels_zyx)
