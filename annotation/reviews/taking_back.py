"""Taking back what was handed in, and a verdict just given, while nobody has begun on it.

Both are done at once on the server and taken back by a second change: a page that closes in between loses nothing and
doubles nothing, and the audit log has both."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from annotation.masks.models import AnswerSet
from annotation.reviews.certificates import end_certificate
from annotation.reviews.models import Reply, ReviewRound
from annotation.reviews.services import check_reviewer, lock_round
from annotation.reviews.states import REVIEW_ROUND, CertificateState, RoundState
from annotation.work.batches import refresh_batch
from annotation.work.leases import extended
from annotation.work.models import Assignment, Batch
from annotation.work.requeuing import end_assignment
from annotation.work.services import lock_assignment, lock_own
from annotation.work.states import ASSIGNMENT, BATCH, AssignmentState, BatchState
from annotation.work.withdrawing import check_not_withdrawn
from voxloop.accounts.models import User
from voxloop.audit.services import advance, record
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict

UNDO_LASTS = timedelta(seconds=10)
ON_THE_WAY = timedelta(seconds=3)  # what a press in the last moment may need to arrive
ENDS = {
    RoundState.APPROVED: AssignmentState.APPROVED,
    RoundState.CORRECTED: AssignmentState.APPROVED,
    RoundState.RETURNED: AssignmentState.RETURNED,
}

_uses: list[Callable[[ReviewRound], bool]] = []


def on_verdict_taken_back(is_used: Callable[[ReviewRound], bool]) -> None:
    """Register what says whether a higher app has built on a round (a frozen release, a training)."""
    _uses.append(is_used)


@transaction.atomic
def take_back_submission(*, assignment_id: UUID, actor: User) -> Assignment:
    """Reopen one's own submission with its mask and answers, as long as no reviewer has begun on it.

    Raises NotFound, Forbidden, Conflict (`review_begun`, `withdrawn`, `batch_ended`)."""
    # The round first, as a verdict does; the other order could deadlock with it.
    found = (
        ReviewRound.objects.select_for_update(of=("self",))
        .select_related("review")
        .filter(annotation=assignment_id, author=actor, state__in=[RoundState.PENDING, RoundState.CLAIMED])
        .first()
    )
    assignment = lock_own(assignment_id, actor)
    check_not_withdrawn(assignment.scan)
    if found is None or found.state != RoundState.PENDING or assignment.state != AssignmentState.SUBMITTED:
        raise Conflict(
            "A reviewer has begun on this scan; it comes back to you with comments if something is to change.",
            code="review_begun",
        )
    if assignment.batch.state in BATCH.final:
        raise Conflict(
            f"{assignment.batch} is {assignment.batch.state}; ask the coordinator for this scan in another batch.",
            code="batch_ended",
        )
    why = "taken back by its author"
    if found.review is not None:  # claimed and given back before
        end_assignment(found.review, actor=actor, why=why)
    advance(found, RoundState.TAKEN_BACK, table=REVIEW_ROUND, actor=actor, why=why, ended_at=now())
    end_certificate(found, CertificateState.CANCELLED, actor=actor, why="a scan of the batch was taken back")
    advance(
        assignment,
        AssignmentState.OPEN,
        table=ASSIGNMENT,
        actor=actor,
        why=why,
        submitted_at=None,
        lease_until=extended(assignment),
    )
    refresh_batch(assignment.batch_id, actor)
    return assignment


@transaction.atomic
def take_back_verdict(*, round_id: UUID, actor: User) -> ReviewRound:
    """Void one's own verdict within ten seconds: the round is claimed again as it was before. Comments of a return
    are its reviewer's drafts again, except those that were answered.

    Raises NotFound, Forbidden, Conflict (`not_yours`, `verdict_sealed` when it is too late or somebody has begun on
    it)."""
    found = lock_round(round_id, actor)
    check_reviewer(found, actor)
    if found.reviewer_id != actor.pk or found.review is None:
        raise Conflict("Somebody else has judged this round.", code="not_yours")
    check_not_withdrawn(found.annotation.scan)
    annotation = lock_assignment(found.annotation_id)
    is_late = found.ended_at is None or now() - found.ended_at > UNDO_LASTS + ON_THE_WAY
    if found.state not in ENDS or is_late or annotation.state != ENDS[RoundState(found.state)] or _is_used(found):
        raise Conflict(
            "This verdict is sealed: it can be taken back for 10 seconds, while nobody has begun on it.",
            code="verdict_sealed",
        )
    record(
        actor=actor,
        action="review_round.verdict_taken_back",
        target=found,
        old={"state": found.state, "signature": found.signature},
    )
    if found.state == RoundState.RETURNED:
        annotation.round -= 1
        _make_drafts(found, actor)
    found.masks.update(approved=None)
    submitted = AnswerSet.objects.filter(assignment=annotation).first()
    why = "the verdict was taken back"
    advance(
        found,
        RoundState.CLAIMED,
        table=REVIEW_ROUND,
        actor=actor,
        why=why,
        ended_at=None,
        signature=None,
        answers=submitted,
    )
    advance(
        annotation,
        AssignmentState.SUBMITTED,
        table=ASSIGNMENT,
        actor=actor,
        why=why,
        ended_at=None,
        round=annotation.round,
    )
    advance(
        found.review,
        AssignmentState.OPEN,
        table=ASSIGNMENT,
        actor=actor,
        why=why,
        submitted_at=None,
        lease_until=extended(found.review),
    )
    _reopen_batch(found, actor)
    return found


def _make_drafts(found: ReviewRound, actor: User) -> None:
    answered = Reply.objects.filter(comment__round=found).exclude(author=actor)
    found.comments.filter(author=actor).exclude(pk__in=answered.values("comment")).update(is_draft=True)


def _is_used(found: ReviewRound) -> bool:
    return any(is_used(found) for is_used in _uses)


def _reopen_batch(found: ReviewRound, actor: User) -> None:
    if found.is_planted:
        return  # no batch knows of it
    batch_id = found.annotation.batch_id
    refresh_batch(batch_id, actor)
    batch = Batch.objects.select_for_update().get(pk=batch_id)
    if batch.state in (BatchState.ACCEPTED, BatchState.SUBMITTED):
        advance(batch, BatchState.IN_REVIEW, table=BATCH, actor=actor)
