"""Hand work in, judge it, send it back."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from annotation.masks.answers import copy_answers, save_answers
from annotation.masks.models import AnswerSet, MaskRevision
from annotation.masks.selectors import heads_of, newest_answers, schema_of
from annotation.masks.services import copy_heads
from annotation.masks.wholeness import check_masks
from annotation.reviews.comments import pin_comment
from annotation.reviews.interlocks import Interlock, check_interlocks, list_unanswered
from annotation.reviews.models import ReviewRound, RoundMask
from annotation.reviews.risk import assess
from annotation.reviews.selectors import review_queue, visible_rounds
from annotation.reviews.states import REVIEW_ROUND
from annotation.scans.models import Scan
from annotation.scans.volumes import check_volume
from annotation.work.batches import refresh_batch
from annotation.work.models import Assignment, Batch, Campaign
from annotation.work.people import hand_back
from annotation.work.permissions import require_role
from annotation.work.services import check_not_lost, lock_assignment, lock_own
from annotation.work.states import ASSIGNMENT, BATCH
from annotation.work.withdrawing import check_not_withdrawn
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.audit.services import advance
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Damaged, Forbidden, Invalid, NotFound
from voxloop.storage.store import open_store

APPROVAL_MEANING = "I have reviewed this mask and these answers and approve them as reference."


def list_interlocks(assignment: Assignment) -> list[Interlock]:
    """What speaks against handing this assignment in as it is now."""
    try:
        check_volume(assignment.scan)
    except Damaged as found:
        return [Interlock("scan_damaged", f"A part of this scan is damaged: nobody has seen all of it. {found.detail}")]
    return check_interlocks(
        scan=assignment.scan,
        schema=schema_of(assignment),
        answers=newest_answers(assignment),
        masks={layer: head.revision for layer, head in heads_of(assignment).items()},
        store=open_store(settings.STORAGE_URL),
    )


def submit_assignment(
    *, assignment_id: UUID, actor: User, answers: Mapping[str, Any] | None = None, acknowledged: Sequence[str] = ()
) -> ReviewRound:
    """Hand an annotation in: it becomes read-only and waits for review.

    Raises Conflict `interlocks` (with the list) when mask and answers do not tell the same story; the answers
    are kept all the same.
    """
    if answers is not None:
        save_answers(assignment_id=assignment_id, values=answers, actor=actor)
    with transaction.atomic():
        assignment = lock_own(assignment_id, actor)
        if assignment.stage != Assignment.Stage.ANNOTATION:
            raise Conflict("A review ends with a verdict, not by handing it in.", code="state_conflict")
        check_not_withdrawn(assignment.scan)
        check_not_lost(assignment, actor)
        ASSIGNMENT.check(assignment.state, "submitted")
        locks = list_interlocks(assignment)
        open_locks = [lock for lock in locks if lock.blocking or lock.code not in acknowledged]
        if open_locks:
            raise Conflict(
                "Before you submit: " + " ".join(lock.message for lock in open_locks),
                code="interlocks",
                interlocks=[lock.facts() for lock in open_locks],
            )
        advance(assignment, "submitted", table=ASSIGNMENT, actor=actor, submitted_at=now(), lease_until=None)
        heads = heads_of(assignment)
        masks: dict[str, MaskRevision | None] = {
            layer.name: heads[layer.name].revision if layer.name in heads else None
            for layer in schema_of(assignment).editable_layers
        }
        risk, reasons = assess(
            scan=assignment.scan,
            masks=masks,
            starts={layer: heads[layer].start if layer in heads else None for layer in masks},
            warnings=locks,
            number=assignment.round,
            is_first_batch=not Batch.objects.filter(
                assignments__person=actor, number__lt=assignment.batch.number, campaign=assignment.campaign
            ).exists(),
        )
        round_ = ReviewRound.objects.create(
            annotation=assignment,
            number=assignment.round,
            author=actor,
            answers=AnswerSet.objects.filter(assignment=assignment).first(),
            risk=risk,
            reasons=reasons,
        )
        RoundMask.objects.bulk_create(
            [RoundMask(round=round_, layer=layer, submitted=revision) for layer, revision in masks.items()]
        )
        refresh_batch(assignment.batch_id, actor)
    return round_


@transaction.atomic
def claim_next_round(*, actor: User, campaign: Campaign | None = None) -> ReviewRound | None:
    """The riskiest round this reviewer may take, atomically; None when there is none."""
    found = (
        review_queue(actor, campaign).filter(state="pending").select_for_update(skip_locked=True, of=("self",)).first()
    )
    if found is None:
        return None
    _claim(found, actor)
    return found


@transaction.atomic
def claim_round(*, round_id: UUID, actor: User) -> ReviewRound:
    """Take this round to judge it; one's own claim again is no error."""
    found = _lock_round(round_id, actor)
    if found.state == "claimed" and found.reviewer_id == actor.pk:
        return found
    _check_reviewer(found, actor)
    check_not_withdrawn(found.annotation.scan)
    if found.state != "pending":
        raise Conflict(f"This round is {found.state}; somebody else took it.", code="state_conflict")
    _claim(found, actor)
    return found


def _claim(found: ReviewRound, actor: User) -> None:
    annotation = found.annotation
    review = found.review
    until = now() + timedelta(minutes=annotation.campaign.lease_minutes)
    if review is None:
        review = Assignment.objects.create(
            campaign=annotation.campaign,
            batch=annotation.batch,
            scan=annotation.scan,
            stage=Assignment.Stage.REVIEW,
            person=actor,
            position=annotation.position,
            round=found.number,
        )
        copy_heads(source={row.layer: row.submitted for row in found.masks.all()}, assignment=review)
    copy_answers(source=found.answers, assignment=review)
    advance(
        review,
        "open",
        table=ASSIGNMENT,
        actor=actor,
        person=actor,
        opened_at=review.opened_at or now(),
        lease_until=until,
    )
    advance(found, "claimed", table=REVIEW_ROUND, actor=actor, reviewer=actor, review=review, claimed_at=now())
    batch = Batch.objects.select_for_update().get(pk=annotation.batch_id)
    if batch.state == "submitted":
        advance(batch, "in_review", table=BATCH, actor=actor)


@transaction.atomic
def give_back_round(*, round_id: UUID, actor: User) -> ReviewRound:
    """Leave a claimed round to others."""
    found = lock_claimed(round_id, actor)
    _unclaim(found, actor, "")
    return found


def _unclaim(found: ReviewRound, actor: Any, why: str) -> None:
    if found.review is not None:
        for head in found.review.heads.all():
            head.revision = head.start  # the next reviewer starts from what was submitted
            head.save(update_fields=["revision"])
        advance(found.review, "queued", table=ASSIGNMENT, actor=actor, why=why, person=None, lease_until=None)
    # Whoever takes it next looks for themselves.
    advance(found, "pending", table=REVIEW_ROUND, actor=actor, why=why, reviewer=None, claimed_at=None, looked_at=[])


def end_rounds(*, scan: Scan, actor: Any) -> None:
    """No verdict is asked of a withdrawn scan any more (registered with `scans.services.on_withdrawn`)."""
    why = "the scan was withdrawn"
    rows = ReviewRound.objects.select_for_update(of=("self",)).select_related("review")
    for found in rows.filter(annotation__scan=scan, state__in=["pending", "claimed"]):
        if found.review is not None and found.review.state in ("queued", "open"):
            advance(
                found.review,
                "reclaimed",
                table=ASSIGNMENT,
                actor=actor,
                why=why,
                reason=why,
                lease_until=None,
                ended_at=now(),
            )
        advance(found, "withdrawn", table=REVIEW_ROUND, actor=actor, why=why, ended_at=now())


def give_back_claims(*, person: User, actor: Any, why: str) -> int:
    """What a person was judging goes to the others; answers how many (registered with `work.people.on_closed`)."""
    rows = ReviewRound.objects.select_for_update(of=("self",)).select_related("review")
    claimed = list(rows.filter(state="claimed", reviewer=person))
    for found in claimed:
        _unclaim(found, actor, why)
    return len(claimed)


def expire_claims() -> int:
    """Put back claims whose lease ran out with nothing corrected; answers how many. Called by beat."""
    late = ReviewRound.objects.filter(
        state="claimed", review__lease_until__lt=now(), review__touched_at__isnull=True
    ).select_related("review")
    given_back = 0
    for pk in late.values_list("pk", flat=True):
        with transaction.atomic():
            row = late.select_for_update(skip_locked=True, of=("self",)).filter(pk=pk).first()
            if row is not None:
                _unclaim(row, "system", "the lease ran out")
                given_back += 1
    return given_back


def approve_round(*, round_id: UUID, actor: User, signed_at: datetime) -> ReviewRound:
    """Approve what was submitted, as it was submitted. `signed_at` is when the password was entered."""
    return _approve(round_id, actor, signed_at, corrected=False)


def correct_round(*, round_id: UUID, actor: User, signed_at: datetime) -> ReviewRound:
    """Approve the reviewer's own correction of what was submitted."""
    return _approve(round_id, actor, signed_at, corrected=True)


@transaction.atomic
def _approve(round_id: UUID, actor: User, signed_at: datetime, *, corrected: bool) -> ReviewRound:
    found = lock_claimed(round_id, actor)
    check_not_withdrawn(found.annotation.scan)
    check_volume(found.annotation.scan)
    if found.review is None:
        raise Conflict("This round was never opened; open it, then judge it.", code="state_conflict")
    heads = heads_of(found.review)
    rows = list(found.masks.select_related("submitted"))
    changed = [row.layer for row in rows if row.layer in heads and heads[row.layer].revision_id != row.submitted_id]
    answers = AnswerSet.objects.filter(assignment=found.review).first()
    if answers is not None and (found.answers is None or answers.values != found.answers.values):
        changed.append("answers")
        found.answers = answers
        if missing := [lock for lock in list_unanswered(schema_of(found.review), answers.values) if corrected]:
            raise Conflict(
                "A question has no answer any more; answer it, then approve.",
                code="interlocks",
                interlocks=[lock.facts() for lock in missing],
            )
    if corrected and not changed:
        raise Conflict("Nothing was corrected; approve the mask as it is.", code="nothing_corrected")
    if not corrected and changed:
        raise Conflict(
            "You have changed this mask or its answers; choose “Correct and approve”, or undo your changes.",
            code="was_corrected",
        )
    for row in rows:
        row.approved = heads[row.layer].revision if row.layer in heads else row.submitted
        check_masks([row.approved])
        row.save(update_fields=["approved"])
    state = "corrected" if corrected else "approved"
    signature = {
        "by": actor.username,
        "meaning": APPROVAL_MEANING,
        "at": now().isoformat(),
        "password_entered_at": signed_at.isoformat(),
        "revisions": {row.layer: row.approved and str(row.approved.pk) for row in rows},
        "hashes": {row.layer: row.approved and row.approved.content_hash for row in rows},
        "answers": found.answers and str(found.answers.pk),
        "looked_at": len(found.looked_at),
    }
    advance(found.review, "submitted", table=ASSIGNMENT, actor=actor, submitted_at=now(), lease_until=None)
    advance(found, state, table=REVIEW_ROUND, actor=actor, ended_at=now(), signature=signature, answers=found.answers)
    annotation = lock_assignment(found.annotation_id)
    advance(annotation, "approved", table=ASSIGNMENT, actor=actor, ended_at=now())
    refresh_batch(annotation.batch_id, actor)
    return found


@transaction.atomic
def return_round(*, round_id: UUID, actor: User, comments: Sequence[Mapping[str, Any]] = ()) -> ReviewRound:
    """Send the work back to its author with comments; at least one says what to mend."""
    found = lock_claimed(round_id, actor)
    check_not_withdrawn(found.annotation.scan)
    for comment in comments:
        pin_comment(found, actor, str(comment.get("text", "")), comment.get("ijk"))
    if not found.comments.exclude(state="resolved").exists():
        raise Invalid("Say in a comment what to mend before you return it.", code="comment_required")
    if found.review is not None:
        advance(found.review, "submitted", table=ASSIGNMENT, actor=actor, submitted_at=now(), lease_until=None)
    advance(found, "returned", table=REVIEW_ROUND, actor=actor, ended_at=now())
    annotation = lock_assignment(found.annotation_id)
    advance(annotation, "returned", table=ASSIGNMENT, actor=actor, round=annotation.round + 1)
    if not found.author.is_active:
        hand_back(annotation, actor=actor, why=f"{found.author} no longer works here")
    refresh_batch(annotation.batch_id, actor)
    return found


def _lock_round(round_id: UUID, actor: User) -> ReviewRound:
    found = visible_rounds(actor).select_for_update(of=("self",)).filter(pk=round_id).first()
    if found is None:
        raise NotFound
    return found


def lock_claimed(round_id: UUID, actor: User) -> ReviewRound:
    """The locked round that this person judges now. Raises NotFound, Forbidden, Conflict."""
    found = _lock_round(round_id, actor)
    _check_reviewer(found, actor)
    if found.state != "claimed":
        raise Conflict(f"This round is {found.state}; claim it before you judge it.", code="state_conflict")
    if found.reviewer_id != actor.pk:
        raise Conflict("Somebody else is judging this round.", code="not_yours")
    return found


def _check_reviewer(found: ReviewRound, actor: User) -> None:
    require_role(actor, found.annotation.campaign, Role.REVIEWER)
    if found.author_id == actor.pk:
        raise Forbidden("Nobody reviews their own work.", code="own_work")
