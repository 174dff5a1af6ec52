"""Who arbitrates: take an arbitration, give it back, end it without a decision."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction

from annotation.masks.answers import copy_answers
from annotation.masks.selectors import schema_of
from annotation.masks.starting import copy_heads
from annotation.reviews.certificates import end_certificate
from annotation.reviews.consensus import RULES, make_consensus
from annotation.reviews.models import Arbitration, ReviewRound, RoundMask
from annotation.reviews.selectors import has_worked_on, visible_arbitrations
from annotation.reviews.states import ARBITRATION, REVIEW_ROUND, ArbitrationState, CertificateState, RoundState
from annotation.scans.models import Scan
from annotation.work.models import Assignment
from annotation.work.pauses import check_not_paused
from annotation.work.permissions import require_role
from annotation.work.requeuing import end_assignment
from annotation.work.states import ASSIGNMENT, AssignmentState
from annotation.work.withdrawing import check_not_withdrawn
from voxloop.accounts.actors import Actor, SystemActor
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.audit.services import advance
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Forbidden, NotFound
from voxloop.kernel.reasons import kept_reason

OPEN = (ArbitrationState.WAITING, ArbitrationState.CLAIMED)


@transaction.atomic
def claim_arbitration(*, arbitration_id: UUID, actor: User) -> Arbitration:
    """Take an arbitration. Its assignment begins with the mask of reader A; a consensus by each rule is made beside it.
    Idempotent for one's own.

    Raises NotFound, Forbidden (`own_work`), Conflict (`state_conflict`, `paused`, `scan_withdrawn`), Damaged."""
    row = lock_arbitration(arbitration_id, actor)
    if row.state == ArbitrationState.CLAIMED and row.arbitrator_id == actor.pk:
        return row
    check_arbitrator(row, actor)
    check_not_withdrawn(row.scan)
    ARBITRATION.check(row.state, ArbitrationState.CLAIMED)
    carrier = row.round
    check_not_paused(carrier.annotation, actor)
    assignment = Assignment.objects.create(
        campaign=row.campaign,
        batch=carrier.annotation.batch,
        scan=row.scan,
        stage=Assignment.Stage.ARBITRATION,
        person=actor,
        position=carrier.annotation.position,
        round=carrier.number,
    )
    copy_heads(source={mask.layer: mask.submitted for mask in carrier.masks.all()}, assignment=assignment)
    copy_answers(source=carrier.answers, assignment=assignment)
    for layer in schema_of(assignment).editable_layers:
        for rule in RULES:
            make_consensus(
                campaign=row.campaign, scan=row.scan, layer=layer, rule=rule, actor=actor, assignment=assignment
            )
    until = now() + timedelta(minutes=row.campaign.lease_minutes)
    advance(assignment, AssignmentState.OPEN, table=ASSIGNMENT, actor=actor, opened_at=now(), lease_until=until)
    carrier.review = assignment
    carrier.save(update_fields=["review"])
    advance(row, ArbitrationState.CLAIMED, table=ARBITRATION, actor=actor, arbitrator=actor)
    return row


@transaction.atomic
def give_back_arbitration(*, arbitration_id: UUID, actor: User) -> Arbitration:
    """Leave an arbitration to others. Raises NotFound, Conflict (`not_yours`, `state_conflict`)."""
    row = lock_arbitration(arbitration_id, actor)
    if row.arbitrator_id != actor.pk:
        raise Conflict("Somebody else is deciding on this scan.", code="not_yours")
    _unclaim(row, actor, "given back")
    return row


def _unclaim(row: Arbitration, actor: Actor, why: str) -> None:
    _end_desk(row, actor, why)
    advance(row, ArbitrationState.WAITING, table=ARBITRATION, actor=actor, why=why, arbitrator=None)


def _end_desk(row: Arbitration, actor: Actor, why: str) -> None:
    """End the assignment in which somebody was deciding; what was drawn in it stays."""
    review = row.round.review
    if review is not None:
        end_assignment(review, actor=actor, why=why)
        row.round.review = None
        row.round.save(update_fields=["review"])


@transaction.atomic
def cancel_arbitration(*, arbitration_id: UUID, actor: User, why: str) -> Arbitration:
    """Have the readings reviewed one by one instead. Raises NotFound, Forbidden, Conflict (`reason_required`,
    `state_conflict`)."""
    row = lock_arbitration(arbitration_id, actor)
    require_role(actor, row.campaign, Role.COORDINATOR)
    _cancel(row, actor, kept_reason(why, 200), to=RoundState.PENDING)
    return row


def _cancel(row: Arbitration, actor: Actor, why: str, *, to: RoundState) -> None:
    ARBITRATION.check(row.state, ArbitrationState.CANCELLED, why)
    _end_desk(row, actor, why)
    for found in held_rounds(row):
        is_further = RoundMask.objects.filter(
            round__annotation=found.annotation_id, round__number__lt=found.number, approved__isnull=False
        ).exists()
        # What was approved before the arbitration stays so.
        end = RoundState.WITHDRAWN if is_further else to
        more = {"ended_at": now()} if end == RoundState.WITHDRAWN else {}
        advance(found, end, table=REVIEW_ROUND, actor=actor, why=why, **more)
        if end == RoundState.WITHDRAWN:
            end_certificate(found, CertificateState.CANCELLED, actor=actor, why=why)
    advance(row, ArbitrationState.CANCELLED, table=ARBITRATION, actor=actor, why=why, reason=why, ended_at=now())


def end_arbitrations(*, scan: Scan, actor: Actor) -> None:
    """End the open arbitrations of a withdrawn scan (registered with `scans.services.on_withdrawn`)."""
    rows = Arbitration.objects.select_for_update(of=("self",)).select_related("round__review", "campaign")
    for row in rows.filter(scan=scan, state__in=OPEN):
        _cancel(row, actor, "the scan was withdrawn", to=RoundState.WITHDRAWN)


def give_back_arbitrations(*, person: User, actor: Actor, why: str) -> int:
    """Give a person's claimed arbitrations back; returns how many (registered with `work.people.on_closed`)."""
    rows = Arbitration.objects.select_for_update(of=("self",)).select_related("round__review")
    claimed = list(rows.filter(state=ArbitrationState.CLAIMED, arbitrator=person))
    for row in claimed:
        _unclaim(row, actor, why)
    return len(claimed)


def expire_arbitrations() -> int:
    """Give back arbitrations whose lease expired before anything was drawn; returns how many. Called by beat."""
    late = Arbitration.objects.filter(
        state=ArbitrationState.CLAIMED, round__review__lease_until__lt=now(), round__review__touched_at__isnull=True
    )
    given_back = 0
    for pk in late.values_list("pk", flat=True):
        with transaction.atomic():
            rows = late.select_for_update(skip_locked=True, of=("self",)).select_related("round__review")
            row = rows.filter(pk=pk).first()
            if row is not None:
                _unclaim(row, SystemActor.SYSTEM, "the lease ran out")
                given_back += 1
    return given_back


def was_arbitrated(found: ReviewRound) -> bool:
    """Whether a verdict came of an arbitration: it is taken back no more."""
    return Arbitration.objects.filter(round=found).exists()


def held_rounds(row: Arbitration) -> list[ReviewRound]:
    """The rounds that wait for this decision, locked."""
    return list(
        ReviewRound.objects.select_for_update(of=("self",))
        .select_related("annotation")
        .filter(annotation__campaign=row.campaign_id, annotation__scan=row.scan_id, state=RoundState.ARBITRATION)
        .order_by("pk")
    )


def lock_arbitration(arbitration_id: UUID, actor: User) -> Arbitration:
    """Lock one that the person may see. Raises NotFound."""
    if not visible_arbitrations(actor).filter(pk=arbitration_id).exists():
        raise NotFound
    # The rounds first, as when one is opened.
    found = Arbitration.objects.get(pk=arbitration_id)
    held_rounds(found)
    rows = Arbitration.objects.select_for_update(of=("self",)).select_related(
        "campaign__schema", "scan", "round__annotation__batch", "round__annotation__campaign", "round__review"
    )
    return rows.get(pk=arbitration_id)


def check_arbitrator(row: Arbitration, actor: User) -> None:
    """Raise Forbidden unless the person judges in this campaign and never worked on the scan."""
    require_role(actor, row.campaign, Role.REVIEWER, Role.ARBITRATOR)
    if has_worked_on(actor, row):
        raise Forbidden("Nobody arbitrates their own work: you have read or corrected this scan.", code="own_work")
