"""Who judges a round: claim it, give it back, end it."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction

from annotation.masks.answers import copy_answers
from annotation.masks.starting import copy_heads
from annotation.reviews.certificates import end_certificate
from annotation.reviews.models import ReviewRound
from annotation.reviews.selectors import HELD, own_claims, review_queue
from annotation.reviews.services import check_reviewer, lock_claimed, lock_round
from annotation.reviews.states import REVIEW_ROUND, CertificateState, RoundState
from annotation.scans.models import Scan
from annotation.work.models import Assignment, Batch, Campaign
from annotation.work.pauses import check_not_paused
from annotation.work.requeuing import end_assignment
from annotation.work.states import ASSIGNMENT, BATCH, AssignmentState, BatchState
from annotation.work.withdrawing import check_not_withdrawn
from voxloop.accounts.actors import Actor, SystemActor
from voxloop.accounts.models import User
from voxloop.audit.services import advance
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict


@transaction.atomic
def claim_next_round(*, actor: User, campaign: Campaign | None = None) -> ReviewRound | None:
    """The riskiest round this reviewer may take, atomically; None when there is none."""
    found = (
        review_queue(actor, campaign)
        .filter(state=RoundState.PENDING)
        .select_for_update(skip_locked=True, of=("self",))
        .first()
    )
    if found is None:
        return None
    _claim(found, actor)
    return found


def open_next_round(*, actor: User, campaign: Campaign | None = None) -> ReviewRound | None:
    """What this reviewer has begun, else the riskiest round they may take; None when there is neither."""
    return own_claims(actor, campaign).first() or claim_next_round(actor=actor, campaign=campaign)


@transaction.atomic
def claim_round(*, round_id: UUID, actor: User) -> ReviewRound:
    """Claim this round for review. Idempotent for one's own claim."""
    found = lock_round(round_id, actor)
    if found.state == RoundState.CLAIMED and found.reviewer_id == actor.pk:
        return found
    check_reviewer(found, actor)
    check_not_withdrawn(found.annotation.scan)
    if found.state != RoundState.PENDING:
        raise Conflict(f"This round is {found.state}; somebody else took it.", code="state_conflict")
    _claim(found, actor)
    return found


def _claim(found: ReviewRound, actor: User) -> None:
    if ReviewRound.with_planted.filter(HELD, pk=found.pk).exists():
        raise Conflict("This scan waits for others of its batch; take the next one of the queue.", code="held")
    annotation = found.annotation
    check_not_paused(annotation, actor)
    review = found.review
    until = now() + timedelta(minutes=annotation.campaign.lease_minutes)
    if review is None:
        review = Assignment.objects.create(
            campaign=annotation.campaign,
            batch=annotation.batch,
            scan=annotation.scan,
            stage=Assignment.Stage.REVIEW,
            person=actor,
            position=1,  # a reviewer has no place in a batch; the author's would tell a planted one by its double
            is_planted=found.is_planted,
            round=found.number,
        )
        copy_heads(source={row.layer: row.submitted for row in found.masks.all()}, assignment=review)
    copy_answers(source=found.answers, assignment=review)
    advance(
        review,
        AssignmentState.OPEN,
        table=ASSIGNMENT,
        actor=actor,
        person=actor,
        opened_at=review.opened_at or now(),
        lease_until=until,
    )
    advance(found, RoundState.CLAIMED, table=REVIEW_ROUND, actor=actor, reviewer=actor, review=review, claimed_at=now())
    if found.is_planted:
        return  # nothing of a batch moves by it
    batch = Batch.objects.select_for_update().get(pk=annotation.batch_id)
    if batch.state == BatchState.SUBMITTED:
        advance(batch, BatchState.IN_REVIEW, table=BATCH, actor=actor)


@transaction.atomic
def give_back_round(*, round_id: UUID, actor: User) -> ReviewRound:
    """Leave a claimed round to others."""
    found = lock_claimed(round_id, actor)
    _unclaim(found, actor, "")
    return found


def _unclaim(found: ReviewRound, actor: Actor, why: str) -> None:
    if found.review is not None:
        for head in found.review.heads.all():
            # The next reviewer starts from the submitted masks; a layer without one starts blank.
            if head.start is None:
                head.delete()
            else:
                head.revision = head.start
                head.save(update_fields=["revision"])
        advance(
            found.review,
            AssignmentState.QUEUED,
            table=ASSIGNMENT,
            actor=actor,
            why=why,
            person=None,
            lease_until=None,
            seen={},
        )
    # The next reviewer checks everything again.
    advance(
        found,
        RoundState.PENDING,
        table=REVIEW_ROUND,
        actor=actor,
        why=why,
        reviewer=None,
        claimed_at=None,
        looked_at=[],
    )


def end_rounds(*, scan: Scan, actor: Actor) -> None:
    """End the open rounds of a withdrawn scan (registered with `scans.services.on_withdrawn`)."""
    why = "the scan was withdrawn"
    rows = ReviewRound.with_planted.select_for_update(of=("self",)).select_related("review")
    for found in rows.filter(annotation__scan=scan, state__in=[RoundState.PENDING, RoundState.CLAIMED]):
        if found.review is not None and found.review.state in (AssignmentState.QUEUED, AssignmentState.OPEN):
            end_assignment(found.review, actor=actor, why=why)
        advance(found, RoundState.WITHDRAWN, table=REVIEW_ROUND, actor=actor, why=why, ended_at=now())
        end_certificate(found, CertificateState.CANCELLED, actor=actor, why="a scan of the batch was withdrawn")


def give_back_claims(*, person: User, actor: Actor, why: str) -> int:
    """Give a person's claimed rounds back; returns how many (registered with `work.people.on_closed`)."""
    rows = ReviewRound.with_planted.select_for_update(of=("self",)).select_related("review")
    claimed = list(rows.filter(state=RoundState.CLAIMED, reviewer=person))
    for found in claimed:
        _unclaim(found, actor, why)
    return len(claimed)


def expire_claims() -> int:
    """Give back claims whose lease expired without corrections; returns how many. Called by beat."""
    late = ReviewRound.with_planted.filter(
        state=RoundState.CLAIMED, review__lease_until__lt=now(), review__touched_at__isnull=True
    ).select_related("review")
    given_back = 0
    for pk in late.values_list("pk", flat=True):
        with transaction.atomic():
            row = late.select_for_update(skip_locked=True, of=("self",)).filter(pk=pk).first()
            if row is not None:
                _unclaim(row, SystemActor.SYSTEM, "the lease ran out")
                given_back += 1
    return given_back
