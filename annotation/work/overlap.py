"""Scans with several independent readers: who gets which reading.

A share of a batch's new scans is drawn by lot (`Campaign.overlap_share`); each is read by `Campaign.overlap_readers`
people who begin blank and see nothing of each other. In a batch of the pool all readings are in that batch, and a claim
gives nobody two of one scan. In a batch of a person the other readings are owed: batches made later begin with them."""

import hashlib
import math
import random
from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from annotation.scans.models import Scan
from annotation.scans.states import ScanState
from annotation.work.choosing import Chosen
from annotation.work.models import Assignment, Batch, Campaign, CampaignScan
from annotation.work.selectors import excluded
from annotation.work.states import AssignmentState
from voxloop.accounts.actors import SystemActor
from voxloop.accounts.models import User
from voxloop.audit.services import record

ENDED = (AssignmentState.RECLAIMED, AssignmentState.SKIPPED)


def list_owed(campaign: Campaign, person: User | None) -> list[Chosen]:
    """Readings that scans with several readers still lack, the oldest first: for a person one of each scan that they
    do not know, for the pool (None) all."""
    plans = list(
        CampaignScan.objects.filter(campaign=campaign, readers__gt=1, scan__state=ScanState.READY)
        .exclude(scan__in=excluded(campaign).values("scan_id"))
        .select_related("scan__site")
        .order_by("added_at", "scan__code")
    )
    there: dict[UUID, set[int]] = defaultdict(set)
    known: set[UUID] = set()
    work = Assignment.objects.filter(campaign=campaign, scan__in=[plan.scan_id for plan in plans], is_gold=False)
    for scan, stage, reader, state, who in work.values_list("scan_id", "stage", "reader", "state", "person_id"):
        if stage == Assignment.Stage.ANNOTATION and state not in ENDED:
            there[scan].add(reader)
        if person is not None and who == person.pk:
            known.add(scan)
    sites = set(person.site_memberships.values_list("site_id", flat=True)) if person else set()
    owed = []
    for plan in plans:
        lacking = sorted(set(range(1, plan.readers + 1)) - there[plan.scan_id])
        if not there[plan.scan_id] or (person and (plan.scan_id in known or plan.scan.site_id not in sites)):
            continue  # what nobody reads is free, and is chosen as a new scan
        owed += [_reading(plan.scan, reader) for reader in (lacking[:1] if person else lacking)]
    return owed


def add_readers(
    batch: Batch,
    chosen: Sequence[Chosen],
    owed: Sequence[Chosen],
    *,
    begun: Container[UUID],
    room: int,
    keeps_all: bool,
) -> list[Chosen]:
    """Draw the scans with several readers among the chosen ones, and mix their readings, those that are owed and the
    second readings into the others, so that no place in the batch tells which they are.

    No more than `room` readings: the last chosen scans wait for another batch, or, where `keeps_all`, the readings
    that do not fit. Scans on which others worked before (`begun`) are not drawn."""
    campaign = batch.campaign
    planned = dict(
        CampaignScan.objects.filter(
            campaign=campaign, scan__in=[one.scan.pk for one in chosen], readers__gt=1
        ).values_list("scan_id", "readers")
    )
    fresh = [one for one in chosen if one.reader == 1]
    repeats = [one for one in chosen if one.reader > 1]
    others = 0 if batch.assignee_id else campaign.overlap_readers - 1
    while True:
        new = [one.scan.pk for one in fresh if one.scan.pk not in planned and one.scan.pk not in begun]
        drawn = draw(batch, new, campaign.overlap_share)
        readers = planned | dict.fromkeys(drawn, campaign.overlap_readers)
        kept = [one for one in fresh if one.scan.pk in readers]
        extras = [_reading(one.scan, n) for n in range(2, others + 2) for one in kept if n <= readers[one.scan.pk]]
        over = len(fresh) + len(repeats) + len(owed) + len(extras) - room
        if over <= 0 or keeps_all or len(fresh) <= 1:
            break
        fresh.pop()
    extras = extras[: max(0, len(extras) - max(0, over))]
    CampaignScan.objects.filter(campaign=campaign, scan__in=drawn).update(readers=campaign.overlap_readers)
    marked = [replace(one, is_overlap=one.scan.pk in readers) for one in fresh]
    return _mix(marked, [*owed, *extras, *repeats])


def draw(batch: Batch, scans: Iterable[UUID], share: float) -> list[UUID]:
    """The share of the scans, rounded half up, by the order of their hashes with the batch: anybody can draw again."""
    order = sorted(scans, key=lambda scan: hashlib.sha256(batch.pk.bytes + scan.bytes).digest())
    return order[: math.floor(share * len(order) + 0.5)]


def add_reader(*, campaign: Campaign, scan: Scan, dice: float, handed_in: int) -> bool:
    """Have one more person read a scan whose readers agree too little; whether it is so. Only when none of its readings
    is missing, and up to `Campaign.overlap_most`. In the transaction of the caller."""
    plan = CampaignScan.objects.select_for_update().filter(campaign=campaign, scan=scan, readers__gt=1).first()
    if plan is None or dice >= campaign.overlap_low_dice or not handed_in == plan.readers < campaign.overlap_most:
        return False
    plan.readers += 1
    plan.save(update_fields=["readers"])
    record(
        actor=SystemActor.SYSTEM,
        action="campaign.reader_added",
        target=campaign,
        new={"scan": scan.code, "readers": plan.readers},
        why=f"two readers agree with a Dice of {dice:.2f}",
    )
    return True


def _reading(scan: Scan, reader: int) -> Chosen:
    return Chosen(scan, {"why": "overlap"}, reader=reader, is_overlap=True)


def _mix(first: Sequence[Chosen], others: Sequence[Chosen]) -> list[Chosen]:
    """All of both in one list, the first in their order, the others anywhere."""
    chance = random.SystemRandom()
    mixed = list(first)
    for one in chance.sample(list(others), len(others)):
        mixed.insert(chance.randint(0, len(mixed)), one)
    return mixed
