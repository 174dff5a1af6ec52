"""The page of gold scans: who reads them how, which there are, and what could become one."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from annotation.masks.selectors import amount_of
from annotation.reviews.models import GoldResult, GoldScan, ReviewRound, RoundMask, Trial
from annotation.reviews.states import RoundState, TrialState
from annotation.reviews.trials import PassMark, pass_mark
from annotation.scans.models import Scan
from annotation.scans.states import ScanState
from annotation.work.certifying import is_certified
from annotation.work.models import Assignment, Campaign, CampaignMember
from annotation.work.schema import parse_schema
from annotation.work.selectors import visible_scans
from annotation.work.states import AssignmentState
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role

LAST = 10  # readings that the newest mean of a person is of
SHOWN_CANDIDATES = 50
HANDED_IN = (AssignmentState.SUBMITTED, AssignmentState.APPROVED, AssignmentState.RETURNED)


@dataclass
class Reader:
    """An annotator: hidden readings measured, their means, and the certification."""

    person: User
    dices: list[float] = field(default_factory=list)  # in the order of handing in
    surface_dice: float | None = None
    too_much_ml: float | None = None
    missed_ml: float | None = None
    attempts: int = 0
    certified: bool = False
    is_member: bool = False
    again: bool = False  # was certified, and is asked again where `certified` is false
    last_trial: Trial | None = None

    @property
    def mean(self) -> float | None:
        return statistics.fmean(self.dices) if self.dices else None

    @property
    def lately(self) -> float | None:
        return statistics.fmean(self.dices[-LAST:]) if self.dices else None


@dataclass(frozen=True)
class GoldRow:
    """A gold scan with how often it was read, and the mean Dice of its readings."""

    gold: GoldScan
    amount_ml: float
    readings: int
    hidden: int
    dice: float | None


@dataclass(frozen=True)
class Candidate:
    """An approved scan, or one with several readings, that is no gold scan yet."""

    scan: Scan
    amount_ml: float | None
    is_approved: bool
    readings: int


@dataclass(frozen=True)
class Found:
    """Everything on the page."""

    readers: list[Reader]
    rows: list[GoldRow]
    candidates: list[Candidate]
    more: int
    mark: PassMark
    results: list[GoldResult]

    @property
    def in_use(self) -> int:
        return sum(row.gold.retired_at is None for row in self.rows)

    @property
    def certifying(self) -> int:
        return sum(row.gold.certifies for row in self.rows)

    @property
    def mean(self) -> float | None:
        return statistics.fmean([one.dice for one in self.results]) if self.results else None


def gold_page(user: User, campaign: Campaign, words: str = "") -> Found:
    """All of it, of the scans that the person may see; `words` is a part of a candidate's code."""
    results = list(visible_results(user, campaign).filter(trial__isnull=True))
    candidates, more = _candidates(user, campaign, words)
    return Found(_readers(campaign, results), _rows(user, campaign), candidates, more, pass_mark(campaign), results)


def visible_results(user: User, campaign: Campaign) -> "QuerySet[GoldResult]":
    """Measured readings of gold scans, certifications too, by the time of handing in."""
    return (
        GoldResult.objects.filter(
            gold__campaign=campaign, gold__scan__in=visible_scans(user), gold__scan__state=ScanState.READY
        )
        .select_related("assignment__person", "assignment__batch", "gold__scan__site", "trial")
        .order_by("handed_in_at")
    )


def _readers(campaign: Campaign, results: Sequence[GoldResult]) -> list[Reader]:
    members = CampaignMember.objects.filter(campaign=campaign, role=Role.ANNOTATOR).select_related("user", "campaign")
    found = {
        row.user_id: Reader(row.user, certified=is_certified(row), is_member=True, again=row.certified_at is not None)
        for row in members
    }
    by_person: dict[Any, list[GoldResult]] = defaultdict(list)
    for one in results:
        person = one.assignment.person
        if person is not None:
            by_person[person.pk].append(one)
            found.setdefault(person.pk, Reader(person))
    for pk, own in by_person.items():
        reader = found[pk]
        reader.dices = [one.dice for one in own]
        reader.surface_dice = statistics.fmean(one.surface_dice for one in own)
        reader.too_much_ml = statistics.fmean(one.too_much_ml for one in own)
        reader.missed_ml = statistics.fmean(one.missed_ml for one in own)
    for trial in Trial.objects.filter(campaign=campaign).exclude(state=TrialState.CANCELLED).order_by("number"):
        if trial.person_id in found:
            found[trial.person_id].attempts += 1
            found[trial.person_id].last_trial = trial
    return sorted(found.values(), key=lambda one: one.person.username)


def _rows(user: User, campaign: Campaign) -> list[GoldRow]:
    layer = parse_schema(campaign.schema.definition).layer().name
    golds = list(
        GoldScan.objects.filter(campaign=campaign, scan__in=visible_scans(user))
        .select_related("scan__site", "made_by")
        .prefetch_related("masks__revision")
        .order_by("retired_at", "scan__code")
    )
    dices: dict[UUID, list[float]] = defaultdict(list)
    for gold, dice in GoldResult.objects.filter(gold__in=golds).values_list("gold_id", "dice"):
        dices[gold].append(dice)
    hidden = Counter(
        Assignment.objects.filter(campaign=campaign, is_gold=True)
        .exclude(state__in=[AssignmentState.RECLAIMED, AssignmentState.SKIPPED])
        .values_list("scan_id", flat=True)
    )
    return [
        GoldRow(
            gold,
            sum(amount_of(mask.revision, gold.scan) for mask in gold.masks.all() if mask.layer == layer),
            len(dices[gold.pk]),
            hidden[gold.scan_id],
            statistics.fmean(dices[gold.pk]) if dices[gold.pk] else None,
        )
        for gold in golds
    ]


def _candidates(user: User, campaign: Campaign, words: str) -> tuple[list[Candidate], int]:
    """The first of them by code, and how many more there are."""
    read = Assignment.objects.filter(
        campaign=campaign, stage=Assignment.Stage.ANNOTATION, is_gold=False, state__in=HANDED_IN
    )
    several = read.values("scan").annotate(n=Count("reader", distinct=True)).filter(n__gt=1)
    approved = ReviewRound.objects.filter(
        annotation__campaign=campaign,
        annotation__reader=1,
        state__in=[RoundState.APPROVED, RoundState.CORRECTED],
    )
    rows = (
        visible_scans(user)
        .filter(Q(pk__in=approved.values("annotation__scan")) | Q(pk__in=several.values("scan")))
        .filter(state=ScanState.READY, modality="CT")
        .exclude(pk__in=GoldScan.objects.filter(campaign=campaign).values("scan"))
        .select_related("site")
        .order_by("code")
    )
    if words:
        rows = rows.filter(code__icontains=words)
    count = rows.count()
    scans = list(rows[:SHOWN_CANDIDATES])
    readings = dict(
        read.filter(scan__in=scans).order_by().values_list("scan_id").annotate(Count("reader", distinct=True))
    )
    layer = parse_schema(campaign.schema.definition).layer().name
    masks = {
        row.round.annotation.scan_id: row
        for row in RoundMask.objects.filter(round__in=approved.filter(annotation__scan__in=scans), layer=layer)
        .select_related("approved", "round__annotation")
        .order_by("round__ended_at")
    }
    found = [
        Candidate(
            scan,
            amount_of(masks[scan.pk].approved, scan) if scan.pk in masks else None,
            scan.pk in masks,
            readings.get(scan.pk, 0),
        )
        for scan in scans
    ]
    return found, max(0, count - len(found))
