"""Another scan of the same subject, for comparison."""

from uuid import UUID

from annotation.masks.selectors import readable_revisions
from annotation.reviews.facts import PriorFacts
from annotation.reviews.models import RoundMask
from annotation.reviews.states import RoundState
from annotation.scans.states import ScanState
from annotation.work.models import Assignment
from annotation.work.schema import Schema
from annotation.work.selectors import visible_scans
from annotation.work.states import AssignmentState
from voxloop.accounts.models import User


def find_prior(assignment: Assignment, schema: Schema, user: User) -> PriorFacts | None:
    """The latest imported other ready scan of the subject in this campaign that the person may see. De-identification
    removes dates, so the order of import is used. Includes its approved mask where the person may read that revision
    and has no unfinished work on the scan."""
    scan = assignment.scan
    if scan.subject_id is None:
        return None
    found = (
        visible_scans(user)
        .filter(subject=scan.subject_id, state=ScanState.READY, modality=scan.modality)
        .filter(campaign_scans__campaign=assignment.campaign_id)
        .exclude(pk=scan.pk)
        .order_by("-ready_at", "code")
        .first()
    )
    if found is None:
        return None
    at_work = Assignment.objects.filter(
        person=user,
        scan=found,
        state__in=[AssignmentState.QUEUED, AssignmentState.OPEN, AssignmentState.RETURNED, AssignmentState.BLOCKED],
    )
    approved: UUID | None = None
    if not at_work.exists():
        layers = [layer.name for layer in schema.editable_layers]
        approved = (
            RoundMask.objects.filter(
                round__annotation__scan=found,
                round__annotation__campaign=assignment.campaign_id,
                round__is_planted=False,
                round__state__in=[RoundState.APPROVED, RoundState.CORRECTED],
                layer__in=layers,
                approved__in=readable_revisions(user),
            )
            .order_by("-round__ended_at")
            .values_list("approved", flat=True)
            .first()
        )
    return PriorFacts(
        scan=found.pk,
        code=found.code,
        description=found.description,
        volume=f"/api/v1/scans/{found.pk}/volume",
        mask=f"/api/v1/revisions/{approved}/mask" if approved else None,
    )
