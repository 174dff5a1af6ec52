"""The certificate of a batch: a random sample is reviewed and the rest waits. Without a defect in the sample somebody
signs for the rest; the first defect sends all of it to review. Scans that are reviewed for their risk stay out of the
estimate. What a sample proves is in `annotation.reviews.sampling`."""

import hashlib
import math
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from annotation.masks.wholeness import check_masks
from annotation.reviews.models import Certificate, ReviewRound
from annotation.reviews.sampling import sample_for
from annotation.reviews.states import CERTIFICATE, REVIEW_ROUND, CertificateState, RoundState
from annotation.work.batches import refresh_batch
from annotation.work.models import Assignment, Batch, ReviewPolicy
from annotation.work.permissions import require_role
from annotation.work.selectors import visible_batches
from annotation.work.services import lock_assignment
from annotation.work.states import ASSIGNMENT, AssignmentState, BatchState
from voxloop.accounts.actors import Actor, SystemActor
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.audit.services import advance, record
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Forbidden, Invalid, NotFound

CONFIDENCES = (0.8, 0.9, 0.95)
# What a batch reviewed by sample excludes, unless somebody draws it by hand before.
POLICY_CONFIDENCE, TENTH, POLICY_EXTRAS = 0.9, 0.1, 3
Part = ReviewRound.Part
DEFECTS = (RoundState.CORRECTED, RoundState.RETURNED)


def order_of(seed: str, rounds: Iterable[UUID]) -> list[UUID]:
    """The order of the draw: by the hash of the seed and the round. Anybody can draw again."""
    return sorted(rounds, key=lambda pk: hashlib.sha256(seed.encode() + pk.bytes).digest())


@transaction.atomic
def draw_sample(*, batch_id: UUID, actor: User, excluded: int, confidence: float, extras: int) -> Certificate:
    """Draw as many scans of a batch as are needed to exclude, without a defect, `excluded` bad ones or more with this
    confidence. The rest waits, but for the `extras` riskiest.

    Raises NotFound, Forbidden, Invalid (`bad_sample`), Conflict (`not_handed_in`, `review_begun`)."""
    batch = _batch(batch_id, actor)
    rounds = _lock_waiting(batch.pk)
    batch = Batch.objects.select_for_update(of=("self",)).select_related("campaign").get(pk=batch.pk)
    _check_whole(batch, rounds)
    count = len(rounds)
    if not 1 <= excluded <= count or confidence not in CONFIDENCES or not 0 <= extras <= count:
        raise Invalid(
            f"Exclude 1 to {count} bad scans with 80, 90 or 95 % confidence, and review 0 to {count} for their risk.",
            code="bad_sample",
        )
    return _draw(batch, rounds, excluded=excluded, confidence=confidence, extras=extras, actor=actor)


def excluded_of(scans: int) -> int:
    """How many bad scans a sample excludes unless somebody says otherwise: one in ten."""
    return max(1, math.ceil(TENTH * scans))


def draw_due() -> int:
    """Draw the samples of batches that are handed in whole and reviewed by sample; returns how many. Called by beat."""
    due = Batch.objects.filter(
        review_policy=ReviewPolicy.SAMPLE, state=BatchState.SUBMITTED, certificates__isnull=True
    ).values_list("pk", flat=True)
    return sum(draw_by_policy(pk) is not None for pk in list(due))


@transaction.atomic
def draw_by_policy(batch_id: UUID) -> Certificate | None:
    """Draw the sample of a batch whose policy asks for one, if it is due: handed in whole, and never drawn before."""
    rounds = _lock_waiting(batch_id)
    batch = Batch.objects.select_for_update(of=("self",)).get(pk=batch_id)
    if batch.review_policy != ReviewPolicy.SAMPLE or batch.certificates.exists():
        return None
    try:
        _check_whole(batch, rounds)
    except Conflict:
        return None
    count = len(rounds)
    return _draw(
        batch,
        rounds,
        excluded=excluded_of(count),
        confidence=POLICY_CONFIDENCE,
        extras=min(POLICY_EXTRAS, count),
        actor=SystemActor.SYSTEM,
    )


@transaction.atomic
def review_all(*, batch_id: UUID, actor: User) -> Batch:
    """Have every scan of a batch reviewed whose sample is not drawn yet: its scans need not wait for the last one.

    Raises NotFound, Forbidden, Conflict (`state_conflict`)."""
    _batch(batch_id, actor)
    batch = Batch.objects.select_for_update(of=("self",)).get(pk=batch_id)
    if batch.review_policy != ReviewPolicy.SAMPLE or batch.certificates.exists():
        raise Conflict(f"{batch} does not wait for a sample.", code="state_conflict")
    batch.review_policy = ReviewPolicy.ALL
    batch.save(update_fields=["review_policy"])
    record(actor=actor, action="batch.review_all", target=batch)
    return batch


def _lock_waiting(batch_id: UUID) -> list[ReviewRound]:
    """Rounds of a batch without a verdict, locked: before their batch and its certificate, as a verdict does."""
    return list(
        ReviewRound.objects.select_for_update(of=("self",))
        .filter(annotation__batch=batch_id, state__in=[RoundState.PENDING, RoundState.CLAIMED])
        .order_by("pk")
    )


def _draw(
    batch: Batch, rounds: Sequence[ReviewRound], *, excluded: int, confidence: float, extras: int, actor: Actor
) -> Certificate:
    count = len(rounds)
    seed, size = secrets.token_hex(16), sample_for(count, excluded, confidence)
    drawn = set(order_of(seed, [row.pk for row in rounds])[:size])
    certificate = Certificate.objects.create(
        batch=batch,
        scans=count,
        sampled=size,
        excluded=excluded,
        confidence=confidence,
        seed=seed,
        created_by=actor if isinstance(actor, User) else None,
    )
    others = sorted((row for row in rounds if row.pk not in drawn), key=lambda row: (-row.risk, row.created_at))
    riskiest = {row.pk for row in others[:extras]}
    for row in rounds:
        row.certificate = certificate
        row.part = Part.SAMPLE if row.pk in drawn else Part.EXTRA if row.pk in riskiest else Part.REST
    ReviewRound.objects.bulk_update(rounds, ["certificate", "part"])
    told = {"scans": count, "sampled": size, "excluded": excluded, "confidence": confidence, "extras": len(riskiest)}
    record(actor=actor, action="certificate.drawn", target=certificate, new=told | {"batch": str(batch)})
    return certificate


@transaction.atomic
def accept_rest(*, batch_id: UUID, actor: User, signed_at: datetime) -> Certificate:
    """Approve the rest of a batch on a sample without a defect, signed. `signed_at` is when the password was entered.

    Raises NotFound, Forbidden (`own_work`), Conflict (`sample_open`, `state_conflict`), Damaged."""
    batch = _batch(batch_id, actor)
    rest = list(
        ReviewRound.objects.select_for_update(of=("self",))
        .filter(certificate__batch=batch, certificate__state=CertificateState.DRAWN, part=Part.REST)
        .select_related("answers")
        .order_by("pk")
    )
    certificate = _lock_open(batch)
    if any(row.author_id == actor.pk for row in rest):
        raise Forbidden("Nobody accepts their own work.", code="own_work")
    judged = certificate.rounds.filter(part=Part.SAMPLE, state=RoundState.APPROVED).count()
    if judged != certificate.sampled:
        raise Conflict(
            f"{judged} of {certificate.sampled} drawn scans are approved; the rest waits for all of them.",
            code="sample_open",
        )
    for row in rest:
        _approve(row, certificate, actor, signed_at)
    advance(
        certificate,
        CertificateState.ACCEPTED,
        table=CERTIFICATE,
        actor=actor,
        accepted_by=actor,
        ended_at=now(),
    )
    refresh_batch(batch.pk, actor)
    return certificate


@transaction.atomic
def cancel_sample(*, batch_id: UUID, actor: User) -> Certificate:
    """Have every scan of the batch reviewed after all. Raises NotFound, Forbidden, Conflict."""
    certificate = _lock_open(_batch(batch_id, actor))
    _end(certificate, CertificateState.CANCELLED, actor, "every scan is to be reviewed")
    return certificate


def fail_certificate(found: ReviewRound, actor: Actor) -> None:
    """A round was returned or corrected: if it was drawn, all of its batch is reviewed."""
    if found.part == Part.SAMPLE:
        end_certificate(found, CertificateState.FAILED, actor=actor, why="a defect was found in the sample")


def stands_for_others(found: ReviewRound) -> bool:
    """Whether a verdict is part of a sample on which others were accepted: it is taken back no more."""
    if found.part != Part.SAMPLE or found.certificate_id is None:
        return False
    certificate = Certificate.objects.select_for_update().get(pk=found.certificate_id)
    return certificate.state == CertificateState.ACCEPTED


def end_certificate(found: ReviewRound, to: CertificateState, *, actor: Actor, why: str) -> None:
    """End the open certificate that a locked round belongs to, if there is one; the rest is in the queue again."""
    if found.certificate_id is None:
        return
    certificate = Certificate.objects.select_for_update().get(pk=found.certificate_id)
    if certificate.state == CertificateState.DRAWN:
        _end(certificate, to, actor, why)


def _end(certificate: Certificate, to: CertificateState, actor: Actor, why: str) -> None:
    advance(certificate, to, table=CERTIFICATE, actor=actor, why=why, reason=why, ended_at=now())


def _batch(batch_id: UUID, actor: User) -> Batch:
    batch = visible_batches(actor).select_related("campaign").filter(pk=batch_id).first()
    if batch is None:
        raise NotFound
    require_role(actor, batch.campaign, Role.COORDINATOR)
    return batch


def _lock_open(batch: Batch) -> Certificate:
    found = Certificate.objects.select_for_update().filter(batch=batch, state=CertificateState.DRAWN).first()
    if found is None:
        raise Conflict(f"No sample of {batch} is open.", code="state_conflict")
    return found


def _check_whole(batch: Batch, rounds: Iterable[ReviewRound]) -> None:
    """The whole batch is handed in, and no review of it has begun."""
    if any(row.state == RoundState.CLAIMED for row in rounds):
        raise Conflict(f"A review of {batch} has begun; a sample is drawn before the first one.", code="review_begun")
    live = batch.assignments.filter(stage=Assignment.Stage.ANNOTATION).exclude(
        state__in=[AssignmentState.RECLAIMED, AssignmentState.SKIPPED]
    )
    waiting = {row.annotation_id for row in rounds}
    if not waiting or set(live.values_list("pk", flat=True)) != waiting:
        raise Conflict(
            f"A sample stands for a whole batch: {batch} has scans that are not handed in, or approved already.",
            code="not_handed_in",
        )
    if Certificate.objects.filter(batch=batch, state=CertificateState.DRAWN).exists():
        raise Conflict(f"A sample of {batch} is drawn already.", code="state_conflict")


def _approve(row: ReviewRound, certificate: Certificate, actor: User, signed_at: datetime) -> None:
    masks = list(row.masks.select_related("submitted"))
    check_masks([mask.submitted for mask in masks])
    for mask in masks:
        mask.approved = mask.submitted
        mask.save(update_fields=["approved"])
    signature: dict[str, Any] = {
        "by": actor.username,
        "meaning": "I accept this mask and these answers as reference without having reviewed them: none of the "
        f"{certificate.sampled} scans drawn at random of {certificate.scans} of {certificate.batch} had a defect.",
        "at": now().isoformat(),
        "password_entered_at": signed_at.isoformat(),
        "certificate": str(certificate.pk),
        "revisions": {mask.layer: mask.approved and str(mask.approved.pk) for mask in masks},
        "hashes": {mask.layer: mask.approved and mask.approved.content_hash for mask in masks},
        "answers": row.answers and str(row.answers.pk),
    }
    advance(
        row,
        RoundState.APPROVED,
        table=REVIEW_ROUND,
        actor=actor,
        why="accepted on the certificate of its batch",
        reviewer=actor,
        ended_at=now(),
        signature=signature,
    )
    annotation = lock_assignment(row.annotation_id)
    advance(annotation, AssignmentState.APPROVED, table=ASSIGNMENT, actor=actor, ended_at=now())
