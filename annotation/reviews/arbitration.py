"""Arbitration: where the independent readers of a scan disagree too much and no further reader is added, somebody who
read it not at all decides. The decided mask is a new revision that names its way and the readings; nothing is
overwritten. It becomes the approved mask of every reading that waited for a verdict."""

from collections.abc import Sequence
from itertools import combinations

from django.db import transaction
from django.db.models import F

from annotation.reviews.agreement import ANY
from annotation.reviews.consensus import Reading, readings_of
from annotation.reviews.models import Arbitration, ReadingPair, ReviewRound, RoundMask
from annotation.reviews.selectors import HELD
from annotation.reviews.states import REVIEW_ROUND, ArbitrationState, CertificateState, RoundState
from annotation.scans.models import Scan
from annotation.scans.states import ScanState
from annotation.work.models import Campaign, CampaignScan
from annotation.work.requeuing import end_assignment
from annotation.work.schema import parse_schema
from annotation.work.states import AssignmentState
from voxloop.accounts.actors import SystemActor
from voxloop.audit.services import advance, record

OPEN = (ArbitrationState.WAITING, ArbitrationState.CLAIMED)


def open_due() -> int:
    """Open the arbitrations that are due; returns how many. Called by beat, after pairs were measured."""
    low = (
        ReadingPair.objects.filter(
            segment=ANY, dice__lt=F("campaign__overlap_low_dice"), first__annotation__scan__state=ScanState.READY
        )
        .exclude(first__state=RoundState.TAKEN_BACK)
        .exclude(second__state=RoundState.TAKEN_BACK)
    )
    there = set(Arbitration.objects.values_list("campaign_id", "scan_id"))
    wanted = set(low.values_list("campaign_id", "first__annotation__scan_id")) - there
    opened = 0
    for campaign, scan in sorted(wanted):
        found = open_arbitration(Campaign.objects.select_related("schema").get(pk=campaign), Scan.objects.get(pk=scan))
        opened += found is not None
    return opened


@transaction.atomic
def open_arbitration(campaign: Campaign, scan: Scan) -> Arbitration | None:
    """Take the readings of a scan out of the queue and let one person decide between them; None while it is not due: a
    reading is missing, unmeasured, in review or part of a sample, or they agree well enough."""
    plan = CampaignScan.objects.select_for_update().filter(campaign=campaign, scan=scan, readers__gt=1).first()
    if plan is None or Arbitration.objects.filter(campaign=campaign, scan=scan).exists():
        return None
    readings = readings_of(campaign, scan, parse_schema(campaign.schema.definition).layer())
    if len(readings) < 2 or len(readings) != plan.readers or plan.readers < campaign.overlap_most:
        return None
    rounds = _lock([reading.round for reading in readings])
    lowest = _lowest(readings)
    if lowest is None or lowest.dice >= campaign.overlap_low_dice or not _is_at_rest(rounds):
        return None
    waiting = [found for found in rounds if found.state == RoundState.PENDING]
    first = next(found for found in rounds if found.annotation.reader == readings[0].round.annotation.reader)
    carrier = first if first.state == RoundState.PENDING else _one_more_round(first)
    for found in {one.pk: one for one in (*waiting, carrier)}.values():
        _take_out(found)
    row = Arbitration.objects.create(
        campaign=campaign,
        scan=scan,
        round=carrier,
        first_reader=lowest.first.author,
        second_reader=lowest.second.author,
        dice=lowest.dice,
    )
    told = {"scan": scan.code, "readings": len(readings), "dice": round(lowest.dice, 4)}
    record(actor=SystemActor.SYSTEM, action="arbitration.opened", target=row, new=told)
    return row


def _lock(rounds: Sequence[ReviewRound]) -> list[ReviewRound]:
    return list(
        ReviewRound.objects.select_for_update(of=("self",))
        .select_related("annotation", "author", "review", "answers")
        .filter(pk__in=[found.pk for found in rounds])
        .order_by("pk")
    )


def _lowest(readings: Sequence[Reading]) -> ReadingPair | None:
    """The pair that agrees least; None while one of them is not measured."""
    lines = [reading.round.annotation.reader for reading in readings]
    annotation = readings[0].round.annotation
    pairs = list(
        ReadingPair.objects.filter(
            campaign=annotation.campaign_id, segment=ANY, first__annotation__scan=annotation.scan_id
        )
        .exclude(first__state=RoundState.TAKEN_BACK)
        .exclude(second__state=RoundState.TAKEN_BACK)
        .select_related("first__annotation", "first__author", "second__annotation", "second__author")
    )
    by_lines = {(pair.first.annotation.reader, pair.second.annotation.reader): pair for pair in pairs}
    found = [by_lines.get(both) or by_lines.get(both[::-1]) for both in combinations(lines, 2)]
    measured = [pair for pair in found if pair is not None]
    return min(measured, key=lambda pair: pair.dice) if len(measured) == len(found) else None


def _is_at_rest(rounds: Sequence[ReviewRound]) -> bool:
    """Nobody draws or judges, and no sample of a batch is open or to come."""
    ids = [found.pk for found in rounds]
    in_sample = ReviewRound.objects.filter(pk__in=ids, certificate__state=CertificateState.DRAWN)
    return (
        all(found.state in (RoundState.PENDING, RoundState.APPROVED, RoundState.CORRECTED) for found in rounds)
        and all(found.annotation.state in (AssignmentState.SUBMITTED, AssignmentState.APPROVED) for found in rounds)
        and not in_sample.exists()
        and not ReviewRound.objects.filter(HELD, pk__in=ids).exists()
    )


def _one_more_round(judged: ReviewRound) -> ReviewRound:
    """A further round of a reading that was judged before: the arbitration's; the earlier verdict stays as it is."""
    fresh = ReviewRound.objects.create(
        annotation=judged.annotation,
        number=judged.number + 1,
        author=judged.author,
        answers=judged.answers,
        risk=judged.risk,
    )
    RoundMask.objects.bulk_create(
        [RoundMask(round=fresh, layer=row.layer, submitted=row.submitted) for row in judged.masks.all()]
    )
    return fresh


def _take_out(found: ReviewRound) -> None:
    why = "its readers disagree: one person decides between them"
    if found.review is not None and found.review.state == AssignmentState.QUEUED:  # claimed and given back before
        end_assignment(found.review, actor=SystemActor.SYSTEM, why=why)
    advance(found, RoundState.ARBITRATION, table=REVIEW_ROUND, actor=SystemActor.SYSTEM, why=why, review=None)
