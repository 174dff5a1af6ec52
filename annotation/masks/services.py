"""Save masks; every one is a new row, nothing is changed in place."""

from collections import Counter
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import transaction

from annotation.masks.models import Head, MaskRevision, ProbabilityMap
from annotation.masks.nifti import geometry_of, read_nifti_labels
from annotation.masks.selectors import head_of, schema_of, start_for
from annotation.masks.states import EMPTY
from annotation.masks.store import count_values, get_chunks, hash_of, load_labels, put_chunks, shown_counts
from annotation.masks.strokes import check_stroke
from annotation.scans.models import Scan
from annotation.work.models import Assignment, Campaign
from annotation.work.schema import Layer, parse_schema
from annotation.work.services import check_not_lost, check_not_withdrawn, lock_own, open_assignment, touch
from voxloop.accounts.models import User
from voxloop.audit.services import record
from voxloop.kernel.errors import Conflict, Invalid, PreconditionRequired, Stale, TooLarge
from voxloop.storage.store import open_store
from voxloop.volume.errors import FormatError
from voxloop.volume.labelmap import ERASED, changed_chunks, decode_message, split_labelmap
from voxloop.volume.labelmap.chunks import ChunkIndex, Labels
from voxloop.volume.probability import encode_probability


@transaction.atomic
def begin(*, assignment_id: UUID, actor: User) -> Assignment:
    """Open an assignment; the first time, set the head of each editable layer to where the work starts."""
    assignment = open_assignment(assignment_id=assignment_id, actor=actor)
    prepare(assignment=assignment)
    return assignment


def prepare(*, assignment: Assignment) -> None:
    """Set the starting masks of an annotation that is being opened; a second call changes nothing."""
    if assignment.starts_from or assignment.stage != Assignment.Stage.ANNOTATION or assignment.state != "open":
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
    """Save the changed chunks of a mask message; answer the revision and whether it is new.

    Raises PreconditionRequired, Stale (412, with the head), Invalid (`bad_mask`), Conflict (`not_editable`).
    Nothing is stored unless all of it is.
    """
    _require(if_match, key, message)
    shape = _scan_of(assignment_id).shape_zyx
    try:
        decoded = decode_message(message, shape)
    except FormatError as error:
        raise Invalid(error.message, code="bad_mask") from error
    if decoded.layer != layer:
        raise Invalid(f"The message is for layer {decoded.layer!r}, the address for {layer!r}.", code="bad_mask")
    strokes = [check_stroke(stroke) for stroke in decoded.strokes]
    return _append(assignment_id, layer, decoded.chunks, strokes, if_match, key, actor)


def save_nifti(
    *, assignment_id: UUID, layer: str, body: bytes, if_match: str | None, key: UUID | None, actor: User
) -> tuple[MaskRevision, bool]:
    """Save a whole `.nii.gz` on the scan's grid. Voxels that were erased and are still 0 stay erased."""
    _require(if_match, key, body)
    scan = _scan_of(assignment_id)
    labels = read_nifti_labels(body, geometry_of(scan))
    head = head_of(assignment_id, layer)
    before = load_labels(head, scan.shape_zyx)
    labels[(labels == 0) & (before == ERASED)] = ERASED
    return _append(assignment_id, layer, changed_chunks(before, labels), [], if_match, key, actor)


def _append(
    assignment_id: UUID,
    layer: str,
    payloads: Mapping[ChunkIndex, bytes],
    strokes: list[dict[str, Any]],
    if_match: str | None,
    key: UUID | None,
    actor: User,
) -> tuple[MaskRevision, bool]:
    with transaction.atomic():
        assignment = lock_own(assignment_id, actor)
        done = MaskRevision.objects.filter(assignment=assignment, idempotency_key=key).first()
        if done is not None:
            return done, False
        place = _check_editable(assignment, layer, actor)
        head = head_of(assignment.pk, layer)
        if if_match != (str(head.pk) if head else EMPTY):
            raise Stale(
                "This mask was saved elsewhere meanwhile; nothing of yours was stored or lost.",
                code="stale_revision",
                head=_head_facts(head),
            )
        kind = (
            MaskRevision.Kind.CORRECTION if assignment.stage != Assignment.Stage.ANNOTATION else MaskRevision.Kind.DRAFT
        )
        revision = _store(
            scan=assignment.scan, layer=place, parent=head, payloads=payloads, kind=kind, assignment=assignment,
            author=actor, strokes=strokes, idempotency_key=key,
        )  # fmt: skip
        Head.objects.update_or_create(assignment=assignment, layer=layer, defaults={"revision": revision})
        touch(assignment)
        record(
            actor=actor, action="mask.saved", target=revision, old=head and str(head.pk),
            new={"scan": assignment.scan.code, "layer": layer, "strokes": len(strokes), "hash": revision.content_hash},
        )  # fmt: skip
    return revision, True


def _store(
    *,
    scan: Scan,
    layer: Layer,
    parent: MaskRevision | None,
    payloads: Mapping[ChunkIndex, bytes],
    **fields: Any,
) -> MaskRevision:
    names, added = put_chunks(payloads)
    stray = set(added) - layer.ids - {ERASED}
    if stray:
        raise Invalid(f"Layer {layer.name} has no segment {min(stray)}; it has {sorted(layer.ids)}.", code="bad_mask")
    before = dict(parent.chunks) if parent else {}
    counts = Counter({int(value): n for value, n in (parent.voxel_counts if parent else {}).items()})
    counts.subtract(count_values(before, names))
    counts.update(added)
    chunks = {key: name for key, name in {**before, **names}.items() if name}
    return MaskRevision.objects.create(
        scan=scan,
        layer=layer.name,
        parent=parent,
        chunks=chunks,
        content_hash=hash_of(chunks, scan.shape_zyx),
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
    """Keep a model's mask of one layer of a scan as a revision of its own, and beside it how sure the model was.

    `probability` is a coarse map (uint8, zyx, 255 = certain) and the step of its blocks; `segment` what it speaks of,
    None for any finding of the layer.
    """
    _check_labels(labels_zyx, scan)
    revision = _store(
        scan=scan, layer=layer, parent=None, payloads=split_labelmap(labels_zyx),
        kind=MaskRevision.Kind.PREDICTION, model_id=model_id, model_name=model_name,
    )  # fmt: skip
    if probability is not None:
        data, entry = encode_probability(*probability, tuple(scan.shape_zyx))
        key = open_store(settings.STORAGE_URL).put("probabilities", data)
        ProbabilityMap.objects.create(revision=revision, key=key, facts=entry.to_json(), segment=segment)
    return revision


@transaction.atomic
def repeat_prediction(*, revision: MaskRevision, layer: Layer) -> MaskRevision:
    """Offer an older prediction as the newest again; its voxels and its map are those stored before."""
    fresh = _store(
        scan=revision.scan, layer=layer, parent=None, payloads=get_chunks(revision.chunks),
        kind=MaskRevision.Kind.PREDICTION, model_id=revision.model_id, model_name=revision.model_name,
    )  # fmt: skip
    known = ProbabilityMap.objects.filter(revision=revision).first()
    if known is not None:
        ProbabilityMap.objects.create(revision=fresh, key=known.key, facts=known.facts, segment=known.segment)
    return fresh


@transaction.atomic
def store_import(*, scan: Scan, layer: Layer, labels_zyx: Labels, actor: User) -> MaskRevision:
    """Keep a mask that came with the scan."""
    _check_labels(labels_zyx, scan)
    revision = _store(
        scan=scan, layer=layer, parent=None, payloads=split_labelmap(labels_zyx),
        kind=MaskRevision.Kind.IMPORT, author=actor,
    )  # fmt: skip
    record(actor=actor, action="mask.imported", target=revision, new={"scan": scan.code, "layer": layer.name})
    return revision


@transaction.atomic
def attach_imported_mask(*, scan: Scan, campaign: Campaign, layer: str, message: bytes, actor: User) -> None:
    """Keep the mask message that came with a scan at intake; the same mask sent twice is one revision."""
    place = parse_schema(campaign.schema.definition).layer(layer)
    labels = decode_message(message, scan.shape_zyx).labels()
    known = MaskRevision.objects.filter(scan=scan, layer=layer, kind=MaskRevision.Kind.IMPORT)
    if not any(np.array_equal(load_labels(revision, scan.shape_zyx), labels) for revision in known):
        store_import(scan=scan, layer=place, labels_zyx=labels, actor=actor)


@transaction.atomic
def copy_heads(*, source: Mapping[str, MaskRevision | None], assignment: Assignment) -> None:
    """Start an assignment from these revisions (a review starts from what was submitted)."""
    for layer, revision in source.items():
        if revision is not None:
            Head.objects.get_or_create(
                assignment=assignment, layer=layer, defaults={"revision": revision, "start": revision}
            )
    assignment.starts_from = Assignment.Start.SUBMISSION
    assignment.save(update_fields=["starts_from"])


def _check_labels(labels_zyx: Labels, scan: Scan) -> None:
    if labels_zyx.shape != tuple(scan.shape_zyx) or labels_zyx.dtype != np.uint8:
        raise Invalid("The mask does not lie on the grid of its scan.", code="bad_mask")


def _check_editable(assignment: Assignment, layer: str, actor: User) -> Layer:
    check_not_withdrawn(assignment.scan)
    if assignment.state != "open":
        check_not_lost(assignment, actor)
        raise Conflict(
            f"This scan is {assignment.state}; it can no longer be drawn on.", code="not_editable",
            state=assignment.state,
        )  # fmt: skip
    place: Layer = schema_of(assignment).layer(layer)
    if not place.editable:
        raise Conflict(f"Layer {layer} is read only.", code="not_editable")
    return place


def _require(if_match: str | None, key: UUID | None, body: bytes) -> None:
    if if_match is None:
        raise PreconditionRequired('Say in If-Match which revision you changed ("empty" when there was none).')
    if key is None:
        raise PreconditionRequired("Send an Idempotency-Key (a UUID), so that a retry is not saved twice.")
    if len(body) > settings.MAX_MASK_BYTES:
        raise TooLarge(f"A save holds at most {settings.MAX_MASK_BYTES >> 20} MiB.")


def _scan_of(assignment_id: UUID) -> Scan:
    row = Assignment.objects.select_related("scan").filter(pk=assignment_id).first()
    if row is None or row.scan.shape_zyx is None:
        raise Conflict("This scan has no volume yet.", code="not_editable")
    return row.scan


def _head_facts(head: MaskRevision | None) -> dict[str, Any] | None:
    if head is None:
        return None
    return {"revision": str(head.pk), "author": head.author and head.author.username, "created_at": head.created_at}
