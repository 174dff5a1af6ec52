"""Measure what approved annotations took, against the mask that a model had of the scan: shown to the reader or not.

An approved annotation is measured once, by beat, and again after it was handed in anew. Lines of work that passed from
hand to hand count as a whole."""

import time
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Func, IntegerField, Q, QuerySet, Sum

from annotation.learning.models import Effort, ModelVersion, PreAnnotation
from annotation.masks.models import Head, MaskRevision
from annotation.masks.nifti import geometry_of
from annotation.masks.store import load_labels
from annotation.scans.models import Scan
from annotation.scans.states import ScanState
from annotation.scans.volumes import ready_volume
from annotation.work.models import Assignment
from annotation.work.requeuing import whole_line
from annotation.work.schema import parse_schema
from annotation.work.states import AssignmentState
from voxloop.accounts.actors import SystemActor
from voxloop.keeping.services import note_damage
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Damaged
from voxloop.volume.edits import Edits, compare
from voxloop.volume.proposals import judge_lesions

AT_ONCE = 50  # of one call
LONGEST_S = 20.0  # after which the rest waits for the next call
MOST_LESIONS = 2000  # kept of a scan, the largest
LEAST_VOXELS = 1000  # of two readings of a scan; below it Dice says nothing (topff2023)


def measure_when_due() -> int:
    """Measure approved annotations of CT that were not measured yet, the oldest first. Called by beat."""
    since = time.monotonic()
    done = 0
    for assignment in _waiting()[:AT_ONCE]:
        if time.monotonic() - since > LONGEST_S:
            break
        try:
            measure(assignment)
        except Damaged as found:  # noted for the page of the system; the others are measured all the same
            note_damage(found, noticed_by=SystemActor.SYSTEM)
            continue
        done += 1
    return done


def _waiting() -> QuerySet[Assignment]:
    approved = Assignment.objects.filter(
        stage=Assignment.Stage.ANNOTATION,
        state=AssignmentState.APPROVED,
        submitted_at__isnull=False,
        scan__state=ScanState.READY,
        scan__modality="CT",
    )
    new = Q(effort__isnull=True) | Q(effort__measured_at__lt=F("submitted_at"))
    new |= Q(effort__model__isnull=False, effort__lesions__isnull=True)  # measured before lesions were judged
    return approved.filter(new).select_related("scan", "campaign__schema").order_by("submitted_at")


@transaction.atomic
def measure(assignment: Assignment) -> Effort:
    """Measure one approved annotation. Raises Damaged."""
    scan = assignment.scan
    layer = parse_schema(assignment.campaign.schema.definition).layer().name
    line = whole_line(assignment)
    head = Head.objects.select_related("revision", "start").filter(assignment=assignment, layer=layer).first()
    begun = line.order_by("opened_at").values_list("opened_at", flat=True).first() or assignment.opened_at or now()
    arm, prediction = _arm(assignment, head, begun)
    drawn = head.revision if head else None
    model = ModelVersion.objects.filter(pk__in=[prediction.model_id]).first() if prediction else None
    judged = _judge(prediction, drawn, scan, _regrown(line.values_list("pk", flat=True), layer)) if model else None
    edits, lesions = judged or (None, None)
    amount = geometry_of(scan).amount
    effort, _ = Effort.objects.update_or_create(
        assignment=assignment,
        defaults={
            "campaign": assignment.campaign,
            "arm": arm if model is not None or arm in (Effort.Arm.IMPORTED, Effort.Arm.REPEAT) else Effort.Arm.NONE,
            "model": model,
            "drawn_ml": amount(sum(drawn.voxel_counts.values())) if drawn else 0.0,
            "predicted_ml": amount(edits.before) if edits else None,
            "added_ml": amount(edits.added) if edits else None,
            "removed_ml": amount(edits.removed) if edits else None,
            "lesions": lesions,
            "repeat_dice": _repeat_dice(assignment, drawn, layer) if assignment.reader > 1 else None,
            "strokes": _count_strokes(line.values_list("pk", flat=True), layer),
            "active_seconds": line.aggregate(all=Sum("active_seconds"))["all"] or 0,
            "measured_at": now(),
        },
    )
    return effort


def _arm(assignment: Assignment, head: Head | None, begun: Any) -> tuple[Effort.Arm, MaskRevision | None]:
    """The arm, and the model's mask to measure against: that of the start, else the newest when the work began."""
    start = head.start if head else None
    newest = _newest_before(assignment, begun)
    if assignment.reader > 1:
        return Effort.Arm.REPEAT, newest
    if start is not None and start.kind == MaskRevision.Kind.PREDICTION:
        is_older = newest is not None and newest.model_id != start.model_id and newest.created_at > start.created_at
        return (Effort.Arm.OLDER if is_older else Effort.Arm.SHOWN), start
    if start is not None:
        return Effort.Arm.IMPORTED, newest
    return (Effort.Arm.BLANK, newest) if newest is not None else (Effort.Arm.NONE, None)


def _newest_before(assignment: Assignment, moment: Any) -> MaskRevision | None:
    row = (
        PreAnnotation.objects.select_related("revision")
        .filter(
            campaign=assignment.campaign_id,
            scan=assignment.scan_id,
            revision__isnull=False,
            revision__created_at__lte=moment,
        )
        .order_by("-revision__created_at")
        .first()
    )
    return row.revision if row else None


def _judge(
    before: MaskRevision | None, after: MaskRevision | None, scan: Scan, regrown: set[str]
) -> tuple[Edits, list[Any]]:
    """How far the reader's mask lies from the model's, and what became of each lesion."""
    shape, geometry = ready_volume(scan).shape_zyx, geometry_of(scan)
    proposed, drawn = load_labels(before, shape), load_labels(after, shape)
    said = [row for row in (after.accepted if after else ()) if row[4]]
    accepted = [(i, j, k) for stroke, i, j, k, _ in said if stroke not in regrown]
    anew = [(i, j, k) for stroke, i, j, k, _ in said if stroke in regrown]
    lesions = [
        [each.fate, *(round(geometry.amount(n), 4) for n in (each.proposed, each.kept, each.drawn))]
        for each in judge_lesions(proposed, drawn, accepted, anew)
    ]
    return compare(proposed, drawn), lesions[:MOST_LESIONS]


def _regrown(line: Iterable[UUID], layer: str) -> set[str]:
    """The strokes that grew a proposed lesion anew."""
    found = MaskRevision.objects.filter(assignment__in=line, layer=layer, strokes__contains=[{"tool": "regrow"}])
    strokes = (stroke for listed in found.values_list("strokes", flat=True) for stroke in listed)
    return {stroke["id"] for stroke in strokes if stroke.get("tool") == "regrow"}


def _compare(before: MaskRevision | None, after: MaskRevision | None, scan: Scan) -> Edits:
    shape = ready_volume(scan).shape_zyx
    return compare(load_labels(before, shape), load_labels(after, shape))


def _repeat_dice(assignment: Assignment, drawn: MaskRevision | None, layer: str) -> float | None:
    """Dice of a second reading with the first one; None where one is missing or both are small."""
    first = Assignment.objects.filter(
        campaign=assignment.campaign_id,
        scan=assignment.scan_id,
        stage=Assignment.Stage.ANNOTATION,
        reader=1,
        state=AssignmentState.APPROVED,
    ).first()
    if first is None:
        return None
    head = Head.objects.select_related("revision").filter(assignment=first, layer=layer).first()
    edits = _compare(head.revision if head else None, drawn, assignment.scan)
    return edits.dice if max(edits.before, edits.after) >= LEAST_VOXELS else None


def _count_strokes(line: Iterable[UUID], layer: str) -> int:
    rows = MaskRevision.objects.filter(assignment__in=line, layer=layer)
    length = Func(F("strokes"), function="jsonb_array_length", output_field=IntegerField())
    return rows.aggregate(all=Sum(length))["all"] or 0
