"""Planted faults: a good approved mask with a fault of the computer's, as a reading like any other in the queue of one
reviewer, to measure them (docs/quality.md, docs/adr/0050).

By beat, beside what was just handed in: its author and batch are shown with it. It is of a scan that the reviewer does
not know, and ends with the verdict. `ReviewRound.objects` does not know it."""

import hashlib
import random
import time
from collections import Counter
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet

from annotation.masks.store import load_labels
from annotation.reviews.models import PlantedFault, ReviewRound
from annotation.reviews.planted_readings import Plan, plant
from annotation.reviews.selectors import review_queue
from annotation.reviews.states import RoundState
from annotation.scans.states import ScanState
from annotation.scans.volumes import ready_volume
from annotation.work.models import Assignment, Campaign, CampaignMember
from annotation.work.permissions import site_ids
from annotation.work.schema import parse_schema
from voxloop.accounts.actors import SystemActor
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.keeping.services import note_damage
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Damaged
from voxloop.volume.faults import share_restored
from voxloop.volume.labelmap import strip_erased

BESIDE = timedelta(minutes=30)  # a planted one comes soon after a hand-in of its author
MOST_OPEN = 2  # of one reviewer
MOST_TRIED = 5  # good masks, of which none may fit
LONGEST_S = 20.0
GOOD = (RoundState.APPROVED, RoundState.CORRECTED)


def is_drawn(host: ReviewRound, share: float) -> bool:
    """Whether a fault comes beside this hand-in, so that of all that is judged `share` is planted."""
    digest = hashlib.sha256(b"planted" + host.pk.bytes).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < share / (1 - share)


def plant_due() -> int:
    """Plant what is due in all campaigns; returns how many. Called by beat."""
    since, done = time.monotonic(), 0
    for campaign in Campaign.objects.filter(planted_share__gt=0, is_paused=False).select_related("schema"):
        for host in _hosts(campaign):
            if time.monotonic() - since > LONGEST_S:
                return done
            if not is_drawn(host, campaign.planted_share):
                continue
            try:
                done += plant_beside(host) is not None
            except Damaged as damage:
                note_damage(damage, noticed_by=SystemActor.SYSTEM)
    return done


def _hosts(campaign: Campaign) -> QuerySet[ReviewRound]:
    return (
        ReviewRound.objects.filter(
            annotation__campaign=campaign,
            annotation__scan__modality="CT",
            number=1,
            state__in=[RoundState.PENDING, RoundState.CLAIMED],
            fault_beside__isnull=True,
        )
        .filter(
            Q(created_at__gt=now() - BESIDE) | Q(certificate__created_at__gt=now() - BESIDE)
        )  # when its queue opens
        .select_related("annotation__batch", "annotation__campaign__schema", "author")
        .order_by("created_at")
    )


@transaction.atomic
def plant_beside(host: ReviewRound) -> PlantedFault | None:
    """Plant one fault beside a hand-in; None where no reviewer, no good mask or no fault fits. Raises Damaged."""
    campaign = host.annotation.campaign
    # One at a time in a campaign. Making a fault takes seconds: a lock of the key, too, would hold up every claim and
    # every batch, whose rows refer to the campaign.
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    if PlantedFault.objects.filter(host=host).exists():
        return None
    chance = random.Random(host.pk.bytes)  # noqa: S311 - a lot, no secret: the same hand-in draws the same
    for reviewer in _reviewers(host):
        sources = list(_sources(host, reviewer))
        for source in chance.sample(sources, min(MOST_TRIED, len(sources))):
            if (made := plant(Plan(host, source, reviewer, chance.getrandbits(62)))) is not None:
                return made
    return None


def _reviewers(host: ReviewRound) -> list[User]:
    """Who may judge the hand-in itself, those with the fewest planted readings first; at most `MOST_OPEN` are open."""
    campaign = host.annotation.campaign
    faults = PlantedFault.objects.filter(campaign=campaign)
    had = Counter(faults.values_list("reviewer_id", flat=True))
    waiting = faults.filter(round__state__in=[RoundState.PENDING, RoundState.CLAIMED])
    held = Counter(waiting.values_list("reviewer_id", flat=True))
    members = CampaignMember.objects.filter(
        campaign=campaign, role=Role.REVIEWER, user__is_active=True, is_paused=False
    ).exclude(user=host.author)
    people = [row.user for row in members.select_related("user") if held[row.user_id] < MOST_OPEN]
    people = [
        one for one in people if review_queue(one, campaign).filter(annotation__batch=host.annotation.batch_id).exists()
    ]
    return sorted(people, key=lambda one: (had[one.pk], str(one.pk)))


def _sources(host: ReviewRound, reviewer: User) -> QuerySet[ReviewRound]:
    """Approved first readings of scans that the reviewer has never worked on, judged or got a fault of, and of which no
    reading waits; of sites at which the author of the hand-in reads, too."""
    campaign = host.annotation.campaign
    known = Assignment.objects.filter(campaign=campaign, person=reviewer).values("scan")
    judged = ReviewRound.with_planted.filter(reviewer=reviewer, annotation__campaign=campaign)
    faults = PlantedFault.objects.filter(reviewer=reviewer, campaign=campaign)
    waiting = ReviewRound.with_planted.filter(
        annotation__campaign=campaign,
        state__in=[RoundState.PENDING, RoundState.CLAIMED, RoundState.ARBITRATION],
    )
    newest = ReviewRound.objects.filter(annotation__campaign=campaign, annotation__reader=1, state__in=GOOD)
    return (
        newest.filter(
            annotation__scan__state=ScanState.READY,
            annotation__scan__modality="CT",
            annotation__scan__site__in=site_ids(reviewer).filter(site__in=site_ids(host.author)),
            number=F("annotation__round"),
        )
        .exclude(author=reviewer)
        .exclude(annotation__scan__in=known)
        .exclude(annotation__scan__in=judged.values("annotation__scan"))
        .exclude(annotation__scan__in=faults.values("source__annotation__scan"))
        .exclude(annotation__scan__in=waiting.values("annotation__scan"))
        .select_related("annotation__scan", "answers")
        .order_by("pk")
    )


def measure_corrections() -> int:
    """How much of its fault each correction has mended; returns how many were measured. Called by beat."""
    done = 0
    rows = PlantedFault.objects.filter(
        round__state=RoundState.CORRECTED, restored__isnull=True, round__ended_at__lt=now() - timedelta(minutes=1)
    ).select_related("source", "campaign__schema", "round__annotation__scan")
    for row in rows:
        layer = parse_schema(row.campaign.schema.definition).layer().name
        shape_zyx = ready_volume(row.round.annotation.scan).shape_zyx
        good = row.source.masks.select_related("approved").get(layer=layer).approved
        judged = row.round.masks.select_related("submitted", "approved").get(layer=layer)
        try:
            labels = [strip_erased(load_labels(mask, shape_zyx)) for mask in (good, judged.submitted, judged.approved)]
        except Damaged as damage:
            note_damage(damage, noticed_by=SystemActor.SYSTEM)
            continue
        row.restored = share_restored(*labels)
        row.save(update_fields=["restored"])
        done += 1
    return done
