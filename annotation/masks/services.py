"""Save masks; every save is a new row."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import transaction

from annotation.masks.facts import HeadFacts
from annotation.masks.models import Head, MaskRevision, ProbabilityMap
from annotation.masks.nifti import geometry_of, read_nifti_labels
from annotation.masks.saving import Held, append, hold
from annotation.masks.selectors import head_of, schema_of, start_for
from annotation.masks.starting import go_on
from annotation.masks.states import EMPTY
from annotation.masks.store import Arrived, chunks_of, hash_of, load_labels, put_chunks, shown_counts
from annotation.masks.strokes import check_stroke
from annotation.scans.models import Scan
from annotation.scans.states import ScanState
from annotation.scans.volumes import ready_volume
from annotation.work.models import Assignment, Campaign
from annotation.work.schema import Layer, parse_schema
from annotation.work.services import check_not_lost, lock_own, open_assignment
from annotation.work.states import AssignmentState
from annotation.work.withdrawing import check_not_withdrawn
from voxloop.accounts.models import User
from voxloop.audit.services import record
from voxloop.kernel.errors import Conflict, Invalid, NotFound, PreconditionRequired, Stale, TooLarge
from voxloop.kernel.facts import plain
from voxloop.storage.store import open_store
from voxloop.volume.errors import FormatError
from voxloop.volume.labelmap import ERASED, changed_chunks, count_chunk, decode_message, split_labelmap
from voxloop.volume.labelmap.chunks import ChunkIndex, Labels
from voxloop.volume.probability import encode_probability


@transaction.atomic
def begin(*, assignment_id: UUID, actor: User) -> Assignment:
    """Open an assignment; the first time, set the head of each editable layer to where the work starts."""
    assignment = open_assignment(assignment_id=assignment_id, actor=actor)
    prepare(assignment=assignment)
    return assignment


def prepare(*, assignment: Assignment) -> None:
    """Set the starting masks of an annotation that is being opened. Idempotent."""
    if (
        assignment.starts_from
        or assignment.stage != Assignment.Stage.ANNOTATION
        or assignment.state != AssignmentState.OPEN
    ):
        return
    if go_on(assignment):
        return
    starts = Assignment.Start.BLANK
    for layer in schema_of(assignment).editable_layers:
        start = start_for(assignment, layer.name)
        if start is not None:
            Head.objects.get_or_create(
                assignment=assignment, layer=layer.name, defaults={"revision": start, "start": start}
            )
            starts = Assignment.Start.PREDICTION
    assignment.starts_from = starts
    assignment.save(update_fields=["starts_from"])


def save_message(
    *, assignment_id: UUID, layer: str, message: bytes, if_match: str | None, key: UUID | None, actor: User
) -> tuple[MaskRevision, bool]:
    """Save the changed chunks of a mask message; returns the revision and whether it is new.

    Raises PreconditionRequired, Stale (412, with the head), Invalid (`bad_mask`), Conflict (`not_editable`).
    Nothing is stored unless all of it is.
    """
    with transaction.atomic():
        held = _hold(assignment_id, layer, key, actor)
        target_layer = held.schema.layer(layer)
        _require(if_match, key, message)
        if held.done_id is not None:
            return MaskRevision.objects.get(pk=held.done_id), False
        _check_can_save(held, if_match)
        arrived = Arrived()
        try:
            decoded = decode_message(message, held.shape_zyx, visit=arrived.add)
        except FormatError as error:
            raise Invalid(error.message, code="bad_mask") from error
        if decoded.layer != layer:
            raise Invalid(f"The message is for layer {decoded.layer!r}, the address for {layer!r}.", code="bad_mask")
        strokes = [check_stroke(stroke) for stroke in decoded.strokes]
        return _append(held, target_layer, arrived, strokes, key), True


def save_nifti(
    *, assignment_id: UUID, layer: str, body: bytes, if_match: str | None, key: UUID | None, actor: User
) -> tuple[MaskRevision, bool]:
    """Save a whole `.nii.gz` on the scan's grid. Voxels that were erased and are still 0 stay erased."""
    with transaction.atomic():
        held = _hold(assignment_id, layer, key, actor)
        target_layer = held.schema.layer(layer)
        _require(if_match, key, body)
        if held.done_id is not None:
            return MaskRevision.objects.get(pk=held.done_id), False
        _check_can_save(held, if_match)
        scan = Scan.objects.get(pk=held.scan_id)
        labels = read_nifti_labels(body, geometry_of(scan))
        before = load_labels(head_of(assignment_id, layer), ready_volume(scan).shape_zyx)
        labels[(labels == 0) & (before == ERASED)] = ERASED
        arrived = Arrived()
        for index, payload in changed_chunks(before, labels).items():
            arrived.add(index, payload, *count_chunk(payload))
        return _append(held, target_layer, arrived, [], key), True


def _hold(assignment_id: UUID, layer: str, key: UUID | None, actor: User) -> Held:
    """Lock one's own assignment for a save of a layer. Raises as `lock_own` when it is not one's own."""
    held = hold(assignment_id, layer, key, actor)
    if held is None:
        lock_own(assignment_id, actor)  # raises the reason
        raise NotFound
    return held


def _check_can_save(held: Held, if_match: str | None) -> None:
    """Raise Conflict (withdrawn, handed in, read only, without a volume), or Stale with the head."""
    if (
        held.state != AssignmentState.OPEN
        or held.scan_state != ScanState.READY
        or not held.schema.layer(held.layer).editable
    ):
        _check_editable(lock_own(held.assignment_id, held.actor), held.layer, held.actor)
    if held.shape_zyx is None:
        raise Conflict("This scan has no volume yet.", code="not_editable")
    if if_match != (str(held.head_id) if held.head_id else EMPTY):
        raise Stale(
            "This mask was saved elsewhere meanwhile; nothing of yours was stored or lost.",
            code="stale_revision",
            head=plain(_head_facts(head_of(held.assignment_id, held.layer))),
        )


def _append(
    held: Held, target_layer: Layer, arrived: Arrived, strokes: list[dict[str, Any]], key: UUID | None
) -> MaskRevision:
    _check_segments(target_layer, arrived.counts)
    is_first_reading = held.stage in (Assignment.Stage.ANNOTATION, Assignment.Stage.CERTIFICATION)
    kind = MaskRevision.Kind.DRAFT if is_first_reading else MaskRevision.Kind.CORRECTION
    return append(held, arrived, strokes, kind=kind, key=key)


def store_mask(
    *,
    scan: Scan,
    layer: Layer,
    payloads: Mapping[ChunkIndex, bytes],
    **fields: Any,
) -> MaskRevision:
    """Store a mask without a parent."""
    names, counts = put_chunks(payloads)
    _check_segments(layer, counts)
    chunks = {key: name for key, name in names.items() if name}
    return MaskRevision.objects.create(
        scan=scan,
        layer=layer.name,
        chunks=chunks,
        content_hash=hash_of(chunks, ready_volume(scan).shape_zyx),
        voxel_counts=shown_counts(counts),
        **fields,
    )


@transaction.atomic
def store_prediction(
    *,
    scan: Scan,
    layer: Layer,
    labels_zyx: Labels,
    model_id: UUID,
    model_name: str,
    probability: tuple[Labels, tuple[int, int, int]] | None = None,
    segment: int | None = None,
) -> MaskRevision:
    """Store a model's mask of one layer of a scan as a revision, with its probability map. `probability` is a coarse
    map (uint8, zyx, 255 = certain) and the step of its blocks; `segment` is its segment, None for any finding of the
    layer."""
    check_labels(labels_zyx, scan)
    revision = store_mask(
        scan=scan,
        layer=layer,
        payloads=split_labelmap(labels_zyx),
        kind=MaskRevision.Kind.PREDICTION,
        model_id=model_id,
        model_name=model_name,
    )
    if probability is not None:
        data, entry = encode_probability(*probability, ready_volume(scan).shape_zyx)
        key = open_store(settings.STORAGE_URL).put("probabilities", data)
        ProbabilityMap.objects.create(revision=revision, key=key, facts=entry.to_json(), segment=segment)
    return revision


@transaction.atomic
def repeat_prediction(*, revision: MaskRevision, layer: Layer) -> MaskRevision:
    """Make an older prediction the newest again, reusing its stored voxels and map."""
    fresh = store_mask(
        scan=revision.scan,
        layer=layer,
        payloads=chunks_of(revision, ready_volume(revision.scan).shape_zyx),
        kind=MaskRevision.Kind.PREDICTION,
        model_id=revision.model_id,
        model_name=revision.model_name,
    )
    known = ProbabilityMap.objects.filter(revision=revision).first()
    if known is not None:
        ProbabilityMap.objects.create(revision=fresh, key=known.key, facts=known.facts, segment=known.segment)
    return fresh


@transaction.atomic
def store_import(
    *, scan: Scan, layer: Layer, labels_zyx: Labels, actor: User, source: Mapping[str, Any] | None = None
) -> MaskRevision:
    """Store a mask that came with the scan, or from elsewhere (`source`)."""
    check_labels(labels_zyx, scan)
    revision = store_mask(
        scan=scan,
        layer=layer,
        payloads=split_labelmap(labels_zyx),
        kind=MaskRevision.Kind.IMPORT,
        author=actor,
        source=source,
    )
    told = {"scan": scan.code, "layer": layer.name, **({"source": dict(source)} if source else {})}
    record(actor=actor, action="mask.imported", target=revision, new=told)
    return revision


@transaction.atomic
def attach_imported_mask(*, scan: Scan, campaign: Campaign, layer: str, message: bytes, actor: User) -> None:
    """Store the mask message that came with a scan at intake; the same mask sent twice is one revision."""
    target_layer = parse_schema(campaign.schema.definition).layer(layer)
    shape_zyx = ready_volume(scan).shape_zyx
    labels = decode_message(message, shape_zyx).labels()
    known = MaskRevision.objects.filter(scan=scan, layer=layer, kind=MaskRevision.Kind.IMPORT)
    if not any(np.array_equal(load_labels(revision, shape_zyx), labels) for revision in known):
        store_import(scan=scan, layer=target_layer, labels_zyx=labels, actor=actor)


def check_labels(labels_zyx: Labels, scan: Scan) -> None:
    """Raise Invalid (`bad_mask`) for labels that are not on the grid of the scan."""
    if labels_zyx.shape != ready_volume(scan).shape_zyx or labels_zyx.dtype != np.uint8:
        raise Invalid("The mask is not on the grid of its scan.", code="bad_mask")


def _check_editable(assignment: Assignment, layer: str, actor: User) -> Layer:
    check_not_withdrawn(assignment.scan)
    if assignment.state != AssignmentState.OPEN:
        check_not_lost(assignment, actor)
        raise Conflict(
            f"This scan is {assignment.state}; it can no longer be drawn on.",
            code="not_editable",
            state=assignment.state,
        )
    target_layer: Layer = schema_of(assignment).layer(layer)
    if not target_layer.editable:
        raise Conflict(f"Layer {layer} is read only.", code="not_editable")
    return target_layer


def _check_segments(layer: Layer, counts: Iterable[int]) -> None:
    stray = set(counts) - layer.ids - {ERASED}
    if stray:
        raise Invalid(f"Layer {layer.name} has no segment {min(stray)}; it has {sorted(layer.ids)}.", code="bad_mask")


def _require(if_match: str | None, key: UUID | None, body: bytes) -> None:
    if if_match is None:
        raise PreconditionRequired('Name in If-Match the revision that you changed ("empty" when there was none).')
    if key is None:
        raise PreconditionRequired("Send an Idempotency-Key (a UUID), so that a retry is not saved twice.")
    if len(body) > settings.MAX_MASK_BYTES:
        raise TooLarge(f"A save holds at most {settings.MAX_MASK_BYTES >> 20} MiB.")


def _head_facts(head: MaskRevision | None) -> HeadFacts | None:
    if head is None:
        return None
    return HeadFacts(head.pk, head.author.username if head.author else None, head.created_at)
