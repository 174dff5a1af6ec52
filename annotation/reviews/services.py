"""Submit, approve, correct and return work."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from annotation.masks.answers import save_answers
from annotation.masks.models import AnswerSet, Head, MaskRevision
from annotation.masks.selectors import heads_of, newest_answers, schema_of
from annotation.masks.wholeness import check_masks
from annotation.reviews.certificates import draw_by_policy, fail_certificate
from annotation.reviews.comments import pin_comment, pin_once
from annotation.reviews.interlocks import Interlock, check_interlocks, list_unanswered
from annotation.reviews.models import ReviewRound, RoundMask
from annotation.reviews.proposals import JudgedLayers, check_proposed, judge_proposed
from annotation.reviews.risk import assess
from annotation.reviews.seeing import check_seen, seen_of
from annotation.reviews.selectors import visible_rounds
from annotation.reviews.states import REVIEW_ROUND, CommentState, RoundState
from annotation.scans.volumes import check_volume
from annotation.work.batches import refresh_batch
from annotation.work.handing_over import can_work, hand_back
from annotation.work.independence import reads_scan_of
from annotation.work.models import Assignment, Batch, ReviewPolicy
from annotation.work.permissions import require_role
from annotation.work.requeuing import end_assignment, worked_on_by
from annotation.work.services import check_not_lost, lock_assignment, lock_own
from annotation.work.states import ASSIGNMENT, BATCH, AssignmentState
from annotation.work.withdrawing import check_not_withdrawn
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.audit.services import advance
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Damaged, Forbidden, Invalid, NotFound
from voxloop.kernel.facts import plain
from voxloop.storage.store import open_store
from voxloop.volume.proposals import count_fates

APPROVAL_MEANING = "I have reviewed this mask and these answers and approve them as reference."


def list_interlocks(assignment: Assignment) -> list[Interlock]:
    """The problems of submitting this assignment as it is now."""
    try:
        check_volume(assignment.scan)
    except Damaged as found:
        return [Interlock("scan_damaged", f"A part of this scan is damaged: nobody has seen all of it. {found.detail}")]
    return check_seen(assignment) + check_interlocks(
        scan=assignment.scan,
        schema=schema_of(assignment),
        answers=newest_answers(assignment),
        masks={layer: head.revision for layer, head in heads_of(assignment).items()},
        store=open_store(settings.STORAGE_URL),
    )


def check_interlocked(
    assignment: Assignment, acknowledged: Sequence[str], *, more: Sequence[Interlock] = ()
) -> list[Interlock]:
    """The problems of handing in and `more`, all acknowledged. Raises Conflict `interlocks` with those that are not."""
    locks = [*list_interlocks(assignment), *more]
    open_locks = [lock for lock in locks if lock.blocking or lock.code not in acknowledged]
    if open_locks:
        raise Conflict(
            "Look at this before you submit. " + " ".join(lock.message for lock in open_locks),
            code="interlocks",
            interlocks=plain(open_locks),
        )
    return locks


def submit_assignment(
    *,
    assignment_id: UUID,
    actor: User,
    answers: Mapping[str, Any] | None = None,
    acknowledged: Sequence[str] = (),
    comments: Sequence[Mapping[str, Any]] = (),
) -> ReviewRound:
    """Submit an annotation: it becomes read-only and waits for review. `comments` are questions to the reviewer, as
    those of a return. Raises Conflict `interlocks` (with the list) when mask and answers are inconsistent; the answers
    are saved anyway."""
    if answers is not None:
        save_answers(assignment_id=assignment_id, values=answers, actor=actor)
    with transaction.atomic():
        assignment = lock_own(assignment_id, actor)
        if assignment.stage != Assignment.Stage.ANNOTATION:
            raise Conflict("Only an annotation is handed in to a reviewer.", code="state_conflict")
        check_not_withdrawn(assignment.scan)
        check_not_lost(assignment, actor)
        ASSIGNMENT.check(assignment.state, AssignmentState.SUBMITTED)
        heads = heads_of(assignment)
        judged = judge_proposed(heads, assignment.scan)
        locks = check_interlocked(assignment, acknowledged, more=check_proposed(assignment, judged))
        advance(
            assignment, AssignmentState.SUBMITTED, table=ASSIGNMENT, actor=actor, submitted_at=now(), lease_until=None
        )
        round_ = _begin_round(assignment, actor, locks, heads, judged)
        for comment in comments:
            pin_once(round_, actor, str(comment.get("text", "")), comment.get("ijk"), comment.get("id"))
        refresh_batch(assignment.batch_id, actor)
        if assignment.batch.review_policy == ReviewPolicy.SAMPLE:
            transaction.on_commit(partial(draw_by_policy, assignment.batch_id), robust=True)  # beat draws what is left
    return round_


def _begin_round(
    assignment: Assignment, actor: User, warnings: list[Interlock], heads: Mapping[str, Head], judged: JudgedLayers
) -> ReviewRound:
    """The round of what is being handed in, with its risk and what became of the model's lesions."""
    masks: dict[str, MaskRevision | None] = {
        layer.name: heads[layer.name].revision if layer.name in heads else None
        for layer in schema_of(assignment).editable_layers
    }
    risk, reasons = assess(
        scan=assignment.scan,
        masks=masks,
        starts={layer: heads[layer].start if layer in heads else None for layer in masks},
        warnings=warnings,
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
    lesions = {layer: None if found is None else asdict(count_fates(found)) for layer, found in judged.items()}
    RoundMask.objects.bulk_create(
        RoundMask(round=round_, layer=layer, submitted=revision, lesions=lesions.get(layer))
        for layer, revision in masks.items()
    )
    return round_


def approve_round(*, round_id: UUID, actor: User, signed_at: datetime) -> ReviewRound:
    """Approve the submission unchanged. `signed_at` is when the password was entered."""
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
    if unseen := [lock for lock in check_seen(found.review) if lock.blocking]:
        raise Conflict(
            "Look at this before you approve. " + unseen[0].message, code="interlocks", interlocks=plain(unseen)
        )
    rows = list(found.masks.select_related("submitted"))
    corrections = _corrections(rows, heads_of(found.review))
    changed = list(corrections)
    answers = AnswerSet.objects.filter(assignment=found.review).first()
    if answers is not None and (found.answers is None or answers.values != found.answers.values):
        changed.append("answers")
        found.answers = answers
        if missing := [lock for lock in list_unanswered(schema_of(found.review), answers.values) if corrected]:
            raise Conflict(
                "A question has no answer any more; answer it, then approve.",
                code="interlocks",
                interlocks=plain(missing),
            )
    if corrected and not changed:
        raise Conflict("Nothing was corrected; approve the mask as it is.", code="nothing_corrected")
    if not corrected and changed:
        raise Conflict(
            "You have changed this mask or its answers; choose “Correct and approve”, or undo your changes.",
            code="was_corrected",
        )
    for row in rows:
        row.approved = corrections.get(row.layer, row.submitted)
        check_masks([row.approved])
        row.save(update_fields=["approved"])
    state = RoundState.CORRECTED if corrected else RoundState.APPROVED
    signature = {
        "by": actor.username,
        "meaning": APPROVAL_MEANING,
        "at": now().isoformat(),
        "password_entered_at": signed_at.isoformat(),
        "revisions": {row.layer: row.approved and str(row.approved.pk) for row in rows},
        "hashes": {row.layer: row.approved and row.approved.content_hash for row in rows},
        "answers": found.answers and str(found.answers.pk),
        "looked_at": len(found.looked_at),
        "seen": seen_of(found.review).to_json(),
    }
    advance(
        found.review, AssignmentState.SUBMITTED, table=ASSIGNMENT, actor=actor, submitted_at=now(), lease_until=None
    )
    advance(found, state, table=REVIEW_ROUND, actor=actor, ended_at=now(), signature=signature, answers=found.answers)
    if corrected:
        fail_certificate(found, actor)
    annotation = lock_assignment(found.annotation_id)
    advance(annotation, AssignmentState.APPROVED, table=ASSIGNMENT, actor=actor, ended_at=now())
    if not found.is_planted:
        refresh_batch(annotation.batch_id, actor)
    return found


@transaction.atomic
def return_round(*, round_id: UUID, actor: User, comments: Sequence[Mapping[str, Any]] = ()) -> ReviewRound:
    """Return the work to its author with at least one comment on what to fix."""
    found = lock_claimed(round_id, actor)
    check_not_withdrawn(found.annotation.scan)
    for comment in comments:
        pin_comment(found, actor, str(comment.get("text", "")), comment.get("ijk"))
    # Drafts of a return that was taken back go with this one; their time is that of being said.
    found.comments.filter(is_draft=True, author=actor).update(is_draft=False, created_at=now())
    # A question of the author says nothing of what to fix; a reply to it may.
    said = ~Q(author=found.author) | Q(replies__author=actor)
    if not found.comments.filter(said, is_draft=False).exclude(state=CommentState.RESOLVED).exists():
        raise Invalid("Say in a comment what to fix before you return it.", code="comment_required")
    if found.review is not None:
        advance(
            found.review, AssignmentState.SUBMITTED, table=ASSIGNMENT, actor=actor, submitted_at=now(), lease_until=None
        )
    advance(found, RoundState.RETURNED, table=REVIEW_ROUND, actor=actor, ended_at=now())
    fail_certificate(found, actor)
    annotation = lock_assignment(found.annotation_id)
    advance(annotation, AssignmentState.RETURNED, table=ASSIGNMENT, actor=actor, round=annotation.round + 1)
    if found.is_planted:
        return found  # it comes back to nobody
    if annotation.batch.state in BATCH.final:  # nobody works in it: the scan is free and goes on in another batch
        end_assignment(annotation, actor=actor, why=f"returned after {annotation.batch} had ended")
    elif not can_work(found.author, annotation):
        hand_back(annotation, actor=actor, why=f"{found.author} no longer works on this scan")
    refresh_batch(annotation.batch_id, actor)
    return found


def _corrections(rows: Sequence[RoundMask], heads: Mapping[str, Head]) -> dict[str, MaskRevision]:
    """The reviewer's masks by layer that differ voxel for voxel from those submitted: a stroke and its undo are no
    correction."""
    own = {row.layer: (heads[row.layer].revision, row.submitted) for row in rows if row.layer in heads}
    return {
        layer: mask
        for layer, (mask, submitted) in own.items()
        if (mask.content_hash != submitted.content_hash if submitted else bool(mask.chunks))
    }


def lock_round(round_id: UUID, actor: User) -> ReviewRound:
    found = visible_rounds(actor).select_for_update(of=("self",)).filter(pk=round_id).first()
    if found is None:
        raise NotFound
    return found


def lock_claimed(round_id: UUID, actor: User) -> ReviewRound:
    """Lock the round that this person has claimed. Raises NotFound, Forbidden, Conflict."""
    found = lock_round(round_id, actor)
    check_reviewer(found, actor)
    if found.state != RoundState.CLAIMED:
        raise Conflict(f"This round is {found.state}; claim it before you judge it.", code="state_conflict")
    if found.reviewer_id != actor.pk:
        raise Conflict("Somebody else is judging this round.", code="not_yours")
    return found


def check_reviewer(found: ReviewRound, actor: User) -> None:
    require_role(actor, found.annotation.campaign, Role.REVIEWER)
    if found.author_id == actor.pk or worked_on_by(actor).filter(pk=found.annotation_id).exists():
        raise Forbidden("Nobody reviews their own work.", code="own_work")
    if ReviewRound.objects.filter(reads_scan_of(actor, "annotation"), pk=found.pk).exists():
        raise Forbidden("Nobody reviews another reading of a scan that they read themselves.", code="own_work")
