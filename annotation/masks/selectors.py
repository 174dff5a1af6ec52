"""Heads, starting masks, answers, and the revisions that a person may read."""

import hashlib
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from annotation.masks.models import AnswerSet, Head, MaskRevision
from annotation.masks.nifti import geometry_of
from annotation.scans.models import Scan
from annotation.work.models import Assignment, CampaignScan
from annotation.work.permissions import OVERSEERS, campaigns_with_role
from annotation.work.requeuing import line_of, lines_of
from annotation.work.schema import Layer, Schema, parse_schema
from annotation.work.selectors import visible_scans
from annotation.work.states import AssignmentState
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role


def schema_of(assignment: Assignment) -> Schema:
    """The parsed label schema of the assignment's campaign."""
    return parse_schema(assignment.campaign.schema.definition)


def amount_of(revision: MaskRevision | None, scan: Scan) -> float:
    """Everything drawn in a revision, in the unit of its scan (mL, or cm² of one plane); no mask has 0."""
    return geometry_of(scan).amount(sum(revision.voxel_counts.values())) if revision else 0.0


def head_of(assignment_id: UUID, layer: str) -> MaskRevision | None:
    """The newest accepted revision of an assignment's layer."""
    head = (
        Head.objects.select_related("revision", "revision__author")
        .filter(assignment=assignment_id, layer=layer)
        .first()
    )
    return head.revision if head else None


def heads_of(assignment: Assignment) -> dict[str, Head]:
    """The heads of every layer of an assignment."""
    return {head.layer: head for head in assignment.heads.select_related("revision", "start")}


def shown_revision(assignment: Assignment, layer: Layer) -> MaskRevision | None:
    """The shown mask of a layer: the assignment's head, or for a read-only layer the newest one."""
    if layer.editable:
        return head_of(assignment.pk, layer.name)
    return newest_given(assignment.scan_id, layer.name)


def newest_given(scan_id: UUID, layer: str) -> MaskRevision | None:
    """The newest imported or predicted mask of a layer."""
    return (
        MaskRevision.objects.filter(
            scan=scan_id, layer=layer, kind__in=[MaskRevision.Kind.IMPORT, MaskRevision.Kind.PREDICTION]
        )
        .order_by("-created_at")
        .first()
    )


def newest_prediction(scan_id: UUID, layer: str) -> MaskRevision | None:
    """The newest mask that a model made of the layer."""
    return (
        MaskRevision.objects.filter(scan=scan_id, layer=layer, kind=MaskRevision.Kind.PREDICTION)
        .order_by("-created_at")
        .first()
    )


def prediction_before(newest: MaskRevision) -> MaskRevision | None:
    """The newest mask of the model that came before the one of `newest`: made before the first mask of that one."""
    of_scan = MaskRevision.objects.filter(
        scan=newest.scan_id, layer=newest.layer, kind=MaskRevision.Kind.PREDICTION
    ).order_by("created_at")
    first = of_scan.filter(model_id=newest.model_id).first()
    return of_scan.filter(created_at__lt=(first or newest).created_at).last()


def start_for(assignment: Assignment, layer: str) -> MaskRevision | None:
    """Where a new line of work begins: the newest prediction, an imported mask, or blank (None).

    To measure the bias of pre-annotation, a share of assignments (`Campaign.blank_share`) starts blank despite a
    prediction; to measure what a newer model saves, another one (`older_share`) from the mask of the model before.
    They are selected by a hash of the name of the line of work, so that passing on changes nothing. Second and
    independent readings start blank always."""
    if assignment.reader > 1 or assignment.is_overlap:
        return None
    imported = (
        MaskRevision.objects.filter(scan=assignment.scan, layer=layer, kind=MaskRevision.Kind.IMPORT)
        .order_by("-created_at")
        .first()
    )
    if imported is not None:
        return imported
    if is_served_blank(assignment):
        return None
    newest = newest_prediction(assignment.scan_id, layer)
    if newest is not None and is_drawn(assignment, assignment.campaign.older_share, of="older"):
        return prediction_before(newest) or newest
    return newest


def is_served_blank(assignment: Assignment) -> bool:
    """Whether the assignment always starts blank: it is a second or an independent reading, or of the share that its
    line of work is drawn into."""
    if assignment.reader > 1 or assignment.is_overlap:
        return True
    return is_drawn(assignment, assignment.campaign.blank_share)


def is_drawn(assignment: Assignment, share: float, *, of: str = "") -> bool:
    """Whether the line of work is of this share; draws of different names (`of`) have nothing to do with each other."""
    digest = hashlib.sha256(line_of(assignment).bytes + of.encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < share


def newest_answers(assignment: Assignment) -> dict[str, Any]:
    """The valid answers, or none."""
    newest = AnswerSet.objects.filter(assignment=assignment).first()
    return dict(newest.values) if newest else {}


def readable_revisions(user: User) -> QuerySet[MaskRevision]:
    """Revisions of visible scans: for overseers and reviewers all, for an annotator those of their own work and of
    those whose work they go on with.

    An annotator whose scan starts blank may not fetch the model's mask of it: that would undo the bias check.
    """
    seen = MaskRevision.objects.filter(scan__in=visible_scans(user)).select_related("scan", "author")
    if user.is_administrator:
        return seen
    judged = CampaignScan.objects.filter(
        campaign__in=campaigns_with_role(user, *OVERSEERS, Role.REVIEWER, Role.ARBITRATOR)
    )
    own = Assignment.objects.filter(person=user).exclude(state=AssignmentState.RECLAIMED)
    earlier = lines_of(own)
    return seen.filter(
        Q(scan__in=judged.values("scan_id"))
        | Q(pk__in=MaskRevision.objects.filter(assignment__in=own).values("pk"))
        | Q(pk__in=Head.objects.filter(assignment__in=own).values("revision_id"))
        | Q(pk__in=Head.objects.filter(assignment__in=own).values("start_id"))
        | Q(pk__in=MaskRevision.objects.filter(assignment__in=earlier).values("pk"))
        | Q(pk__in=MaskRevision.objects.filter(approved_in__round__annotation__in=own).values("pk"))
        # After a scan of their certification was handed in and measured, its reference.
        | Q(
            pk__in=MaskRevision.objects.filter(
                gold_masks__gold__results__assignment__in=own.filter(stage=Assignment.Stage.CERTIFICATION)
            ).values("pk")
        )
    )
