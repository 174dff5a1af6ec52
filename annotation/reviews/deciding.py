"""The decision of an arbitration: signed, a new revision of each layer, the approved mask of every waiting reading."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from annotation.masks.consensus import store_consensus
from annotation.masks.models import AnswerSet, Head, MaskRevision
from annotation.masks.selectors import heads_of, schema_of
from annotation.masks.store import load_labels
from annotation.masks.wholeness import check_masks
from annotation.reviews.arbitrators import check_arbitrator, held_rounds, lock_arbitration
from annotation.reviews.consensus import Reading, named, readings_of
from annotation.reviews.interlocks import list_unanswered
from annotation.reviews.models import Arbitration, ReviewRound
from annotation.reviews.seeing import check_seen, seen_of
from annotation.reviews.states import ARBITRATION, REVIEW_ROUND, ArbitrationState, RoundState
from annotation.scans.volumes import check_volume, ready_volume
from annotation.work.batches import refresh_batch
from annotation.work.models import Assignment
from annotation.work.schema import Layer
from annotation.work.services import lock_assignment
from annotation.work.states import ASSIGNMENT, AssignmentState
from annotation.work.withdrawing import check_not_withdrawn
from voxloop.accounts.models import User
from voxloop.audit.services import advance
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict
from voxloop.kernel.facts import plain

DECISION_MEANING = (
    "I have compared the readings of this scan, read none of them myself, and approve this mask and these answers as "
    "reference."
)
Way = Arbitration.Way


@transaction.atomic
def decide(*, arbitration_id: UUID, actor: User, signed_at: datetime) -> ReviewRound:
    """Decide by the mask that the arbitrator has before them. `signed_at` is when the password was entered.

    Raises NotFound, Forbidden (`own_work`), Conflict (`state_conflict`, `not_yours`, `interlocks`), Damaged."""
    row = lock_arbitration(arbitration_id, actor)
    if row.state != ArbitrationState.CLAIMED or row.round.review is None:
        raise Conflict(f"This arbitration is {row.state}; take it before you decide.", code="state_conflict")
    if row.arbitrator_id != actor.pk:
        raise Conflict("Somebody else is deciding on this scan.", code="not_yours")
    check_arbitrator(row, actor)
    check_not_withdrawn(row.scan)
    check_volume(row.scan)
    desk = lock_assignment(row.round.review.pk)
    answers = _answers(desk)
    heads = heads_of(desk)
    decided, way = _decided(row, desk, heads, actor)
    check_masks(list(decided.values()))
    signature: dict[str, Any] = {
        "by": actor.username,
        "meaning": DECISION_MEANING,
        "at": now().isoformat(),
        "password_entered_at": signed_at.isoformat(),
        "arbitration": str(row.pk),
        "way": way,
        "revisions": {layer: mask and str(mask.pk) for layer, mask in decided.items()},
        "hashes": {layer: mask and mask.content_hash for layer, mask in decided.items()},
        "answers": answers and str(answers.pk),
        "seen": seen_of(desk).to_json(),
    }
    advance(desk, AssignmentState.SUBMITTED, table=ASSIGNMENT, actor=actor, submitted_at=now(), lease_until=None)
    for found in held_rounds(row):
        _approve(found, decided, answers, signature, actor)
    advance(row, ArbitrationState.DECIDED, table=ARBITRATION, actor=actor, way=way, ended_at=now())
    return ReviewRound.objects.select_related("annotation__campaign").get(pk=row.round_id)


def _answers(desk: Assignment) -> AnswerSet | None:
    """The answers of the arbitrator, all given. Raises Conflict `interlocks` for those, and for what was not seen."""
    found = [lock for lock in check_seen(desk) if lock.blocking]
    answers = AnswerSet.objects.filter(assignment=desk).first()
    if answers is not None:
        found += list_unanswered(schema_of(desk), answers.values)
    if found:
        raise Conflict(
            "Look at this before you decide. " + " ".join(lock.message for lock in found),
            code="interlocks",
            interlocks=plain(found),
        )
    return answers


def _decided(
    row: Arbitration, desk: Assignment, heads: Mapping[str, Head], actor: User
) -> tuple[dict[str, MaskRevision | None], str]:
    """A new revision of each layer, and how it came about (of the first layer)."""
    decided: dict[str, MaskRevision | None] = {}
    ways = []
    for layer in schema_of(desk).editable_layers:
        readings = readings_of(row.campaign, row.scan, layer)
        mask = heads[layer.name].revision if layer.name in heads else None
        way = _way(mask, readings, _consensus_of(desk, layer))
        ways.append(way)
        decided[layer.name] = mask and store_consensus(
            scan=row.scan,
            layer=layer,
            labels_zyx=load_labels(mask, ready_volume(row.scan).shape_zyx),
            actor=actor,
            source={"way": way, "readings": named(readings)},
            assignment=desk,
            parent=mask,
        )
    return decided, ways[0]


def _way(mask: MaskRevision | None, readings: Sequence[Reading], consensus: Mapping[str, MaskRevision]) -> str:
    """Whose mask it is, voxel for voxel; else it was merged or drawn."""
    marked = _hash(mask)
    if marked == _hash(readings[0].mask):
        return Way.FIRST
    if any(marked == _hash(reading.mask) for reading in readings[1:]):
        return Way.OTHER
    return next((rule for rule, made in consensus.items() if marked == _hash(made)), Way.MERGED)


def _hash(mask: MaskRevision | None) -> str:
    return mask.content_hash if mask is not None and mask.chunks else ""


def _consensus_of(desk: Assignment, layer: Layer) -> dict[str, MaskRevision]:
    rows = MaskRevision.objects.filter(assignment=desk, layer=layer.name, kind=MaskRevision.Kind.CONSENSUS)
    return {row.source["way"]: row for row in rows if row.source}


def _approve(
    found: ReviewRound,
    decided: Mapping[str, MaskRevision | None],
    answers: AnswerSet | None,
    signature: Mapping[str, Any],
    actor: User,
) -> None:
    """Give a waiting reading the decided mask; its own stays beside it."""
    is_same = True
    for row in found.masks.select_related("submitted"):
        row.approved = decided.get(row.layer)
        row.save(update_fields=["approved"])
        is_same &= _hash(row.approved) == _hash(row.submitted)
    state = RoundState.APPROVED if is_same else RoundState.CORRECTED
    advance(
        found,
        state,
        table=REVIEW_ROUND,
        actor=actor,
        why="decided by arbitration",
        reviewer=actor,
        ended_at=now(),
        signature=dict(signature),
        answers=answers or found.answers,
    )
    annotation = lock_assignment(found.annotation_id)
    if annotation.state == AssignmentState.SUBMITTED:
        advance(annotation, AssignmentState.APPROVED, table=ASSIGNMENT, actor=actor, ended_at=now())
    refresh_batch(annotation.batch_id, actor)
