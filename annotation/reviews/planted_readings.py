"""The reading that carries a planted fault: its assignment, masks and round, made so that nothing of them tells."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import numpy as np
from django.conf import settings
from django.db import transaction

from annotation.masks.answers import copy_answers
from annotation.masks.models import Head, MaskRevision
from annotation.masks.selectors import newest_given
from annotation.masks.services import store_mask
from annotation.masks.store import load_labels
from annotation.reviews.interlocks import check_interlocks
from annotation.reviews.models import PlantedFault, ReviewRound, RoundMask
from annotation.reviews.risk import assess
from annotation.scans.volumes import read_voxels, ready_volume
from annotation.work.models import Assignment, Batch
from annotation.work.schema import Schema, parse_schema
from annotation.work.states import ASSIGNMENT, AssignmentState
from voxloop.accounts.actors import SystemActor
from voxloop.accounts.models import User
from voxloop.audit.services import advance, record
from voxloop.kernel.clock import now
from voxloop.storage.store import open_store
from voxloop.volume.faults import Case, Fault, FaultyMask, make_fault
from voxloop.volume.labelmap import split_labelmap, strip_erased

LOBES = "_lobe"  # ends the key of a segment that is a lobe


class _MisfitError(Exception):
    """A fault that its author could not have handed in; what was stored for it is undone."""


@dataclass(frozen=True)
class Plan:
    """A fault of the mask that `source` approved, beside the hand-in `host`, for one reviewer."""

    host: ReviewRound
    source: ReviewRound
    reviewer: User
    seed: int


def plant(plan: Plan) -> PlantedFault | None:
    """The first fault, in an order by lot, that applies to the mask and that its author could have handed in."""
    schema = parse_schema(plan.host.annotation.campaign.schema.definition)
    scan, layer = plan.source.annotation.scan, schema.layer()
    approved = {row.layer: row.approved for row in plan.source.masks.select_related("approved")}
    if approved.get(layer.name) is None:
        return None
    shape_zyx, spacing = ready_volume(scan).shape_zyx, ready_volume(scan).spacing_mm_zyx
    good = strip_erased(load_labels(approved[layer.name], shape_zyx))
    case = Case(good, read_voxels(scan), spacing, _lobes(scan.pk, schema, shape_zyx))
    kinds = list(Fault)
    random.Random(plan.seed).shuffle(kinds)  # noqa: S311
    for kind in kinds:
        fault = make_fault(kind, case, plan.seed)
        if fault is None:
            continue
        try:
            with transaction.atomic():
                return _store(plan, schema, approved, fault)
        except _MisfitError:
            continue
    return None


def _lobes(scan: Any, schema: Schema, shape_zyx: tuple[int, int, int]) -> Any:
    """The lobes of a scan as labels, 0 elsewhere; None where they are not known."""
    for layer in schema.layers:
        ids = [segment.id for segment in layer.segments if segment.key.endswith(LOBES)]
        given = newest_given(scan, layer.name) if ids and not layer.editable else None
        if given is not None:
            labels = load_labels(given, shape_zyx)
            return np.where(np.isin(labels, ids), labels, 0).astype(np.uint8)
    return None


def _store(plan: Plan, schema: Schema, approved: Mapping[str, MaskRevision | None], fault: FaultyMask) -> PlantedFault:
    """The reading: its assignment, masks and round. Raises `_MisfitError`."""
    host, source = plan.host, plan.source
    scan, first = source.annotation.scan, schema.layer()
    planted = _assignment(host, source)
    starts = {head.layer: head.start for head in Head.objects.filter(assignment=source.annotation)}
    masks: dict[str, MaskRevision | None] = {}
    for layer in schema.editable_layers:
        good = approved.get(layer.name)
        labels = fault.labels_zyx if layer == first else None
        if labels is None and good is not None:
            labels = load_labels(good, ready_volume(scan).shape_zyx)
        masks[layer.name] = (
            store_mask(
                scan=scan,
                layer=layer,
                payloads=split_labelmap(labels),
                kind=MaskRevision.Kind.DRAFT,
                author=host.author,
                assignment=planted,
                parent=starts.get(layer.name),
                strokes=_strokes(good, host.created_at),
            )
            if labels is not None
            else None
        )
    round_ = _round(host, planted, masks, starts)
    made = PlantedFault.objects.create(
        campaign=planted.campaign,
        round=round_,
        source=source,
        host=host,
        reviewer=plan.reviewer,
        kind=fault.kind,
        seed=plan.seed,
        changed_ml=fault.changed_ml,
    )
    told = {"scan": scan.code, "kind": fault.kind.value, "reviewer": plan.reviewer.username, "seed": plan.seed}
    record(actor=SystemActor.SYSTEM, action="fault.planted", target=made, new=told)
    return made


def _round(
    host: ReviewRound,
    planted: Assignment,
    masks: Mapping[str, MaskRevision | None],
    starts: Mapping[str, MaskRevision | None],
) -> ReviewRound:
    """The round, with risk and reasons as those of any reading. Raises `_MisfitError`."""
    scan, schema = planted.scan, parse_schema(planted.campaign.schema.definition)
    answers = planted.answer_sets.first()
    locks = check_interlocks(
        scan=scan,
        schema=schema,
        answers=answers.values if answers else {},
        masks=masks,
        store=open_store(settings.STORAGE_URL),
    )
    if any(lock.blocking for lock in locks):
        raise _MisfitError
    earlier = Batch.objects.filter(
        assignments__person=host.author, number__lt=host.annotation.batch.number, campaign=planted.campaign
    )
    risk, reasons = assess(
        scan=scan,
        masks=masks,
        starts={layer: starts.get(layer) for layer in masks},
        warnings=locks,
        number=1,
        is_first_batch=not earlier.exists(),
    )
    round_ = ReviewRound.with_planted.create(
        annotation=planted, author=host.author, answers=answers, risk=risk, reasons=reasons, is_planted=True
    )
    RoundMask.objects.bulk_create(RoundMask(round=round_, layer=name, submitted=mask) for name, mask in masks.items())
    return round_


def _assignment(host: ReviewRound, source: ReviewRound) -> Assignment:
    """What the round is a verdict on: in the batch of the hand-in, of nobody."""
    like = source.annotation
    planted = Assignment.objects.create(
        campaign=host.annotation.campaign,
        batch=host.annotation.batch,
        scan=like.scan,
        stage=Assignment.Stage.PLANTED,
        is_planted=True,
        starts_from=like.starts_from,
        seen=like.seen,
        marks=like.marks,
    )
    copy_answers(source=source.answers, assignment=planted)
    for state in (AssignmentState.OPEN, AssignmentState.SUBMITTED):
        advance(planted, state, table=ASSIGNMENT, actor=SystemActor.SYSTEM, submitted_at=now())
    return planted


def _strokes(good: MaskRevision | None, until: datetime) -> list[dict[str, Any]]:
    """The strokes of a mask and those before it, under new names and as if the last was made at `until`: a history of
    nothing, or of weeks ago, would tell."""
    line = [one for row in _line(good) for one in reversed(row.strokes)][::-1]
    names = {one["id"]: str(uuid4()) for one in line if "id" in one}
    moments = [_moment(one.get("at")) for one in line]
    last = max((moment for moment in moments if moment is not None), default=until)
    found = []
    for one, moment in zip(line, moments, strict=True):
        made = dict(one)
        if "id" in made:
            made["id"] = names[made["id"]]
        if moment is not None:
            made["at"] = (moment + (until - last)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if made.get("params", {}).get("of") in names:
            made["params"] = made["params"] | {"of": names[made["params"]["of"]]}
        found.append(made)
    return found


def _line(revision: MaskRevision | None) -> Iterator[MaskRevision]:
    while revision is not None and revision.author_id is not None:
        yield revision
        revision = revision.parent


def _moment(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else None
