"""Gold scans in batches: readings of scans that have a reference mask, hidden among the others to measure their reader.

A gold reading looks like any other to everybody who works on it: it lies anywhere in its batch, starts blank as a share
of all scans does, and is handed in and reviewed as they are. It never enters a release, a training or the agreement of
readers. Which scans have a reference, and the figures, are in `annotation.reviews.gold`."""

import math
import random
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet

from annotation.scans.models import Scan
from annotation.scans.states import ScanState
from annotation.work.choosing import Chosen, choose_scans
from annotation.work.models import GOLD_READERS_FROM, Assignment, Batch, Campaign, CampaignMember
from annotation.work.permissions import require_role
from annotation.work.selectors import visible_batches
from annotation.work.states import AssignmentState, BatchState
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.audit.services import record
from voxloop.kernel.errors import Conflict, Invalid, NotFound

MOST_ADDED = 20
RUNNING = (BatchState.DRAFT, BatchState.PUBLISHED, BatchState.IN_PROGRESS)


def draw_gold(campaign: Campaign, size: int, assignee: User | None) -> list[Chosen]:
    """The gold readings of a new batch: `Campaign.gold_share` of its size, as far as there are gold scans that its
    reader does not know (of the pool: that somebody does not know)."""
    return choose_gold(campaign, math.floor(campaign.gold_share * size + 0.5), assignee)


def choose_gold(campaign: Campaign, count: int, assignee: User | None, scan_ids: Sequence[UUID] = ()) -> list[Chosen]:
    """Up to `count` gold readings, of these scans or of those that were read least; each gets a number of its own."""
    if count <= 0:
        return []
    rows = unknown_gold(campaign, assignee)
    if scan_ids:
        rows = rows.filter(pk__in=scan_ids)
    read = Assignment.objects.filter(campaign=campaign, is_gold=True)
    times = Counter(read.exclude(state=AssignmentState.RECLAIMED).values_list("scan_id", flat=True))
    highest = dict(read.order_by().values_list("scan_id").annotate(Max("reader")))
    found = list(rows.select_related("site"))
    random.SystemRandom().shuffle(found)
    found.sort(key=lambda scan: times[scan.pk])
    return [
        Chosen(
            scan,
            {"why": "gold"},
            reader=max(GOLD_READERS_FROM, highest.get(scan.pk, 0) + 1),
            is_overlap=True,
            is_gold=True,
        )
        for scan in found[:count]
    ]


def unknown_gold(campaign: Campaign, assignee: User | None) -> QuerySet[Scan]:
    """Ready gold scans that a person has never worked on or judged, of their sites; without one those that at least one
    annotator of the campaign has not."""
    rows = Scan.objects.filter(
        campaign_scans__campaign=campaign, campaign_scans__is_gold=True, state=ScanState.READY
    ).distinct()
    if assignee is not None:
        known = Assignment.objects.filter(campaign=campaign, person=assignee)
        return rows.filter(site__memberships__user=assignee).exclude(pk__in=known.values("scan_id"))
    known = Assignment.objects.filter(campaign=campaign, person=OuterRef("user"), scan=OuterRef(OuterRef("pk")))
    readers = CampaignMember.objects.filter(
        ~Exists(known),
        campaign=campaign,
        role=Role.ANNOTATOR,
        user__is_active=True,
        user__site_memberships__site=OuterRef("site"),
    )
    return rows.filter(Exists(readers))


@transaction.atomic
def hide_gold(*, batch_id: UUID, actor: User, count: int = 1, scan_ids: Sequence[UUID] = ()) -> list[Assignment]:
    """Hide gold scans in a batch that is not finished; returns their assignments.

    So that a scan that is new in a list does not tell what it is, as many free scans of the campaign come with them
    where there are some, and all of them take places among those that nobody has begun.
    Raises NotFound, Forbidden, Invalid (`bad_size`), Conflict (`state_conflict`, `no_gold_left`)."""
    # Rows before their batch, as everywhere.
    list(
        Assignment.objects.select_for_update(of=("self",))
        .filter(batch=batch_id, state=AssignmentState.QUEUED)
        .order_by("pk")
    )
    batch = Batch.objects.select_for_update(of=("self",)).select_related("campaign").filter(pk=batch_id).first()
    if batch is None or not visible_batches(actor).filter(pk=batch_id).exists():
        raise NotFound
    require_role(actor, batch.campaign, Role.COORDINATOR)
    campaign = Campaign.objects.select_for_update().get(pk=batch.campaign_id)
    if not 1 <= count <= MOST_ADDED:
        raise Invalid(f"Add 1 to {MOST_ADDED} gold scans at a time.", code="bad_size")
    if batch.state not in RUNNING or not _unbegun(batch):
        raise Conflict(
            f"{batch} has no scan that nobody has begun; hide gold scans in a batch that is under way.",
            code="state_conflict",
        )
    gold = choose_gold(campaign, len(scan_ids) or count, batch.assignee, scan_ids)
    if not gold:
        whom = f"{batch.assignee} does not know" if batch.assignee else "somebody does not know"
        raise Conflict(f"There is no gold scan that {whom}; make more scans gold.", code="no_gold_left")
    plain, _ = choose_scans(campaign, len(gold), "order", None, batch.assignee)
    made = _insert(batch, [*gold, *plain])
    record(actor=actor, action="batch.gold_hidden", target=batch, new={"gold": len(gold), "others": len(plain)})
    return [row for row in made if row.is_gold]


def _unbegun(batch: Batch) -> list[Assignment]:
    rows = batch.assignments.filter(stage=Assignment.Stage.ANNOTATION, state=AssignmentState.QUEUED)
    return list(rows.order_by("position"))


def _insert(batch: Batch, chosen: Sequence[Chosen]) -> list[Assignment]:
    """New assignments, mixed with those that nobody has begun: the places of both are dealt out anew."""
    chance = random.SystemRandom()
    top = batch.assignments.aggregate(top=Max("position"))["top"] or 0
    waiting = _unbegun(batch)
    fresh = [
        Assignment(
            campaign=batch.campaign,
            batch=batch,
            scan=one.scan,
            person=batch.assignee,
            reader=one.reader,
            is_overlap=one.is_overlap,
            is_gold=one.is_gold,
            choice=one.choice,
        )
        for one in chance.sample(list(chosen), len(chosen))
    ]
    places = sorted([row.position for row in waiting] + list(range(top + 1, top + 1 + len(fresh))))
    mixed = list(waiting)
    for row in fresh:
        mixed.insert(chance.randint(0, len(mixed)), row)
    for row, place in zip(mixed, places, strict=True):
        row.position = place
    Assignment.objects.bulk_update(waiting, ["position"])
    return Assignment.objects.bulk_create(fresh)
