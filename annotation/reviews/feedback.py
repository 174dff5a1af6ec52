"""What a person learns of a scan of their certification once it is handed in: figures, and the reference."""

import statistics

from annotation.masks.models import MaskRevision
from annotation.reviews.facts import FeedbackFacts
from annotation.reviews.models import GoldMask, GoldResult, Trial
from annotation.reviews.states import TrialState
from annotation.work.models import Assignment
from annotation.work.states import AssignmentState
from voxloop.accounts.models import User


def feedback_of(assignment: Assignment, user: User) -> FeedbackFacts | None:
    """The figures of a measured scan of the person's own certification, else None."""
    result = _result_of(assignment, user)
    if result is None or result.trial is None:
        return None
    trial = result.trial
    measured = list(GoldResult.objects.filter(trial=trial).values_list("dice", flat=True))
    following = next_of(trial, assignment) if trial.state == TrialState.WORKING else None
    return FeedbackFacts(
        dice=result.dice,
        surface_dice=result.surface_dice,
        tolerance_mm=result.tolerance_mm,
        too_much_ml=result.too_much_ml,
        missed_ml=result.missed_ml,
        gold_ml=result.gold_ml,
        attempt=trial.number,
        state=TrialState(trial.state),
        pass_dice=trial.pass_dice,
        mean_dice=statistics.fmean(measured),
        measured=len(measured),
        scans=trial.batch.assignments.filter(stage=Assignment.Stage.CERTIFICATION).count(),
        next=f"/view/{following.pk}/" if following else None,
    )


def next_of(trial: Trial, assignment: Assignment | None = None) -> Assignment | None:
    """The next scan of an attempt to work on."""
    rows = trial.batch.assignments.filter(
        stage=Assignment.Stage.CERTIFICATION, state__in=[AssignmentState.OPEN, AssignmentState.QUEUED]
    )
    if assignment is not None:
        rows = rows.exclude(pk=assignment.pk)
    return rows.order_by("position").first()


def reference_of(assignment: Assignment, layer: str, user: User) -> MaskRevision | None:
    """The reference mask of a layer, once the person's own scan of a certification is measured."""
    result = _result_of(assignment, user)
    if result is None:
        return None
    found = GoldMask.objects.select_related("revision").filter(gold=result.gold_id, layer=layer).first()
    return found.revision if found else None


def _result_of(assignment: Assignment, user: User) -> GoldResult | None:
    if assignment.stage != Assignment.Stage.CERTIFICATION or assignment.person_id != user.pk:
        return None
    return GoldResult.objects.select_related("trial__batch").filter(assignment=assignment).first()
