"""Certification: a newcomer works the certification set of a campaign, sees after each scan how far the mask is from
the reference, and is let work when the mean Dice reaches the mark. Every attempt counts.

The mark is what the panel reaches among itself: the mean Dice of its readers on gold scans, less one standard
deviation; while that is not known, the campaign's own figure (`Campaign.certification_dice`)."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from annotation.masks.answers import save_answers
from annotation.reviews.agreement import ANY
from annotation.reviews.gold import heads_as_masks, measure_reading
from annotation.reviews.models import GoldResult, GoldScan, ReadingPair, Trial
from annotation.reviews.services import check_interlocked
from annotation.reviews.states import TRIAL, RoundState, TrialState
from annotation.scans.states import ScanState
from annotation.work.certifying import is_certified
from annotation.work.models import GOLD_READERS_FROM, Assignment, Batch, Campaign, CampaignMember
from annotation.work.permissions import require_role, site_ids
from annotation.work.services import lock_own
from annotation.work.states import ASSIGNMENT, BATCH, AssignmentState, BatchState
from annotation.work.withdrawing import check_not_withdrawn
from voxloop.accounts.actors import Actor, SystemActor
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.audit.services import advance, record
from voxloop.keeping.services import note_damage
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Damaged, Invalid, NotFound
from voxloop.kernel.reasons import kept_reason

LEAST_PAIRS = 5  # of the panel; fewer say nothing of how far it agrees
CHOSEN_BY = "certification"  # of the batch of an attempt
UNDER_WAY = (AssignmentState.QUEUED, AssignmentState.OPEN)


@dataclass(frozen=True)
class PassMark:
    """The mean Dice to reach. `pairs` of the panel's readers stand behind it; 0: the campaign's own figure."""

    dice: float
    pairs: int
    mean: float | None = None
    sd: float | None = None


def pass_mark(campaign: Campaign) -> PassMark:
    """The mark as it stands now."""
    found = list(
        ReadingPair.objects.filter(
            campaign=campaign,
            segment=ANY,
            first__annotation__scan__in=GoldScan.objects.filter(campaign=campaign).values("scan"),
            first__annotation__scan__state=ScanState.READY,
        )
        .exclude(first__state=RoundState.TAKEN_BACK)
        .exclude(second__state=RoundState.TAKEN_BACK)
        .values_list("dice", flat=True)
    )
    if len(found) < LEAST_PAIRS:
        return PassMark(campaign.certification_dice, 0)
    mean, sd = statistics.fmean(found), statistics.stdev(found)
    return PassMark(max(0.0, mean - sd), len(found), mean, sd)


def certification_set(campaign: Campaign, person: User) -> list[GoldScan]:
    """The gold scans of the set that this person may see and has not read before as ordinary work, by their codes."""
    read = Assignment.objects.filter(campaign=campaign, person=person, opened_at__isnull=False)
    return list(
        GoldScan.objects.filter(
            campaign=campaign, certifies=True, scan__state=ScanState.READY, scan__site__in=site_ids(person)
        )
        .exclude(scan__in=read.exclude(stage=Assignment.Stage.CERTIFICATION).values("scan"))
        .select_related("scan")
        .order_by("scan__code")
    )


@transaction.atomic
def begin_trial(*, campaign: Campaign, actor: User) -> Trial:
    """Begin the next attempt: a batch of the person's own with every scan of the set, each to be drawn from blank.

    Raises Forbidden, Conflict (`paused`, `certified`, `trial_open`, `no_certification`)."""
    require_role(actor, campaign, Role.ANNOTATOR)
    campaign = Campaign.objects.select_for_update().get(pk=campaign.pk)
    member = (
        CampaignMember.objects.select_for_update(of=("self",))
        .select_related("campaign")
        .get(campaign=campaign, user=actor, role=Role.ANNOTATOR)
    )
    if campaign.is_paused or member.is_paused:
        raise Conflict("Your work here is paused; the certification can wait until it goes on.", code="paused")
    if is_certified(member):
        raise Conflict("You have passed already; ordinary work is open to you.", code="certified")
    if Trial.objects.filter(campaign=campaign, person=actor, state=TrialState.WORKING).exists():
        raise Conflict("Your certification is under way; go on with its scans.", code="trial_open")
    gold = certification_set(campaign, actor)
    if not campaign.certifies or not gold:
        is_there = campaign.certifies and GoldScan.objects.filter(campaign=campaign, certifies=True).exists()
        why = (
            "You have read every scan of the certification set before"
            if is_there
            else "There is no certification set yet"
        )
        raise Conflict(f"{why}; ask the coordinator of the campaign.", code="no_certification")
    batches = Batch.objects.filter(campaign=campaign)
    number = (batches.aggregate(top=Max("number"))["top"] or 0) + 1
    batch = Batch.objects.create(
        campaign=campaign, number=number, name=f"C-{number:03d}", assignee=actor, chosen_by=CHOSEN_BY, created_by=actor
    )
    Assignment.objects.bulk_create(
        [
            Assignment(
                campaign=campaign,
                batch=batch,
                scan=one.scan,
                stage=Assignment.Stage.CERTIFICATION,
                person=actor,
                position=position,
                reader=GOLD_READERS_FROM,
                starts_from=Assignment.Start.BLANK,
            )
            for position, one in enumerate(gold, start=1)
        ]
    )
    advance(batch, BatchState.PUBLISHED, table=BATCH, actor=actor, published_at=now())
    before = Trial.objects.filter(campaign=campaign, person=actor).count()
    mark = pass_mark(campaign)
    trial = Trial.objects.create(campaign=campaign, person=actor, number=before + 1, batch=batch, pass_dice=mark.dice)
    told = {"number": trial.number, "scans": len(gold), "pass_dice": mark.dice, "pairs": mark.pairs}
    record(actor=actor, action="trial.begun", target=trial, new=told)
    return trial


def hand_in_trial(
    *,
    assignment_id: UUID,
    actor: User,
    answers: Mapping[str, Any] | None = None,
    acknowledged: Sequence[str] = (),
) -> Assignment:
    """Hand in a scan of one's certification; it is compared with its reference at once. Raises Conflict as
    `submit_assignment`."""
    if answers is not None:
        save_answers(assignment_id=assignment_id, values=answers, actor=actor)
    with transaction.atomic():
        assignment = lock_own(assignment_id, actor)
        if assignment.stage != Assignment.Stage.CERTIFICATION:
            raise Conflict("This scan is not part of a certification.", code="state_conflict")
        check_not_withdrawn(assignment.scan)
        ASSIGNMENT.check(assignment.state, AssignmentState.SUBMITTED)
        check_interlocked(assignment, acknowledged)
        advance(
            assignment, AssignmentState.SUBMITTED, table=ASSIGNMENT, actor=actor, submitted_at=now(), lease_until=None
        )
    measure_trial(assignment, actor)  # after the commit: the hand-in stands, whatever the measuring meets
    return assignment


@transaction.atomic
def measure_trial(assignment: Assignment, actor: Actor) -> None:
    """Measure a scan of a certification, and end the attempt when it was the last one. Raises Damaged."""
    trial = Trial.objects.select_for_update(of=("self",)).filter(batch=assignment.batch_id).first()
    if trial is None:
        return
    measure_reading(assignment, heads_as_masks(assignment), trial)
    _end_if_done(trial, actor)


def _end_if_done(trial: Trial, actor: Actor) -> None:
    """Pass or fail a locked attempt of which nothing is left to do."""
    rows = trial.batch.assignments.filter(stage=Assignment.Stage.CERTIFICATION)
    if trial.state != TrialState.WORKING or rows.filter(state__in=UNDER_WAY, scan__state=ScanState.READY).exists():
        return
    found = list(GoldResult.objects.filter(trial=trial).values_list("dice", flat=True))
    if len(found) < rows.filter(state=AssignmentState.SUBMITTED, scan__state=ScanState.READY).count():
        return  # one of them is not measured yet
    batch = Batch.objects.select_for_update().get(pk=trial.batch_id)
    if batch.state == BatchState.PUBLISHED:
        advance(batch, BatchState.CLOSED, table=BATCH, actor=actor)
    if not found:
        why = "no scan of it is left"
        advance(trial, TrialState.CANCELLED, table=TRIAL, actor=actor, why=why, ended_at=now())
        return
    mean = statistics.fmean(found)
    if mean < trial.pass_dice:
        advance(trial, TrialState.FAILED, table=TRIAL, actor=actor, dice=mean, ended_at=now())
        return
    advance(trial, TrialState.PASSED, table=TRIAL, actor=actor, dice=mean, ended_at=now())
    CampaignMember.objects.filter(campaign=trial.campaign, user=trial.person, role=Role.ANNOTATOR).update(
        # An attempt that began before the guidelines asked again has shown nothing of the new ones.
        certified_at=trial.created_at
    )


def measure_trials() -> int:
    """Measure what a stopped server left, and end attempts whose last scans were withdrawn; returns how many were
    measured. Called by beat."""
    done = 0
    left = Assignment.objects.filter(
        stage=Assignment.Stage.CERTIFICATION,
        state=AssignmentState.SUBMITTED,
        gold_result__isnull=True,
        scan__state=ScanState.READY,
        batch__trial__state=TrialState.WORKING,
    ).select_related("campaign__schema", "scan", "batch")
    for row in left:
        try:
            measure_trial(row, SystemActor.SYSTEM)
            done += 1
        except Damaged as damage:
            note_damage(damage, noticed_by=SystemActor.SYSTEM)
    for pk in Trial.objects.filter(state=TrialState.WORKING).values_list("pk", flat=True):
        with transaction.atomic():
            trial = Trial.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=pk).first()
            if trial is not None:
                _end_if_done(trial, SystemActor.SYSTEM)
    return done


@transaction.atomic
def let_work(*, campaign: Campaign, person_id: UUID, actor: User, why: str) -> CampaignMember:
    """Let an annotator work without the certification (somebody of the panel, who knows its scans), with a reason.

    Raises Forbidden, NotFound, Invalid (`reason_required`), Conflict (`certified`)."""
    require_role(actor, campaign, Role.COORDINATOR)
    rows = CampaignMember.objects.select_for_update(of=("self",)).select_related("user", "campaign")
    member = rows.filter(campaign=campaign, user=person_id, role=Role.ANNOTATOR).first()
    if member is None:
        raise NotFound
    if not why.strip():
        raise Invalid("Say why this person needs no certification.", code="reason_required")
    if is_certified(member):
        raise Conflict(f"{member.user} may work already.", code="certified")
    member.certified_at = now()
    member.save(update_fields=["certified_at"])
    record(
        actor=actor,
        action="campaign.let_work",
        target=campaign,
        new={"user": member.user.username},
        why=kept_reason(why),
    )
    return member
