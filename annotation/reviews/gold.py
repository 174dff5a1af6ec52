"""Make gold scans, and measure those who read them: what they handed in first against the reference.

Hidden readings are measured by beat, never in a request: nothing about a response tells which scan is gold."""

import time
from collections.abc import Mapping
from uuid import UUID

from django.db import transaction

from annotation.masks.models import MaskRevision
from annotation.masks.selectors import heads_of
from annotation.masks.store import load_labels
from annotation.reviews.consensus import make_consensus
from annotation.reviews.models import GoldMask, GoldResult, GoldScan, ReviewRound, Trial
from annotation.reviews.states import RoundState
from annotation.scans.models import Scan
from annotation.scans.states import ScanState
from annotation.scans.volumes import ready_volume
from annotation.work.models import Assignment, Campaign, CampaignScan
from annotation.work.permissions import require_role
from annotation.work.schema import parse_schema
from annotation.work.selectors import visible_scans
from voxloop.accounts.actors import SystemActor
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.audit.services import record
from voxloop.keeping.services import note_damage
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Damaged, Invalid, NotFound
from voxloop.volume.agreement import TOLERANCE_MM, agree
from voxloop.volume.amounts import voxel_ml
from voxloop.volume.labelmap import strip_erased

LONGEST_S = 20.0  # after which the rest waits for the next call
Origin = GoldScan.Origin


@transaction.atomic
def make_gold(
    *, campaign: Campaign, scan_id: UUID, actor: User, origin: str = Origin.APPROVED, certifies: bool = False
) -> GoldScan:
    """Make a scan gold: its approved mask, or a consensus of its readers, is the reference from now on.

    Raises Forbidden, NotFound, Invalid (`bad_gold`), Conflict (`is_gold`, `no_reference`, `no_consensus`), Damaged."""
    require_role(actor, campaign, Role.COORDINATOR)
    row = CampaignScan.objects.select_for_update().filter(campaign=campaign, scan=scan_id).first()
    scan = visible_scans(actor).filter(pk=scan_id).first()
    if row is None or scan is None:
        raise NotFound
    if origin not in Origin.values:
        raise Invalid(f"{origin!r} is no source of a reference; use approved, majority or staple.", code="bad_gold")
    if scan.state != ScanState.READY or scan.modality != "CT":
        raise Invalid(f"{scan.code} is no CT that can be read; only those are made gold.", code="bad_gold")
    if GoldScan.objects.filter(campaign=campaign, scan=scan).exists():
        raise Conflict(f"{scan.code} is a gold scan already.", code="is_gold")
    masks = _references(campaign, scan, origin, actor)
    gold = GoldScan.objects.create(campaign=campaign, scan=scan, origin=origin, certifies=certifies, made_by=actor)
    GoldMask.objects.bulk_create(
        [GoldMask(gold=gold, layer=layer, revision=mask) for layer, mask in masks.items() if mask is not None]
    )
    row.is_gold = True
    row.save(update_fields=["is_gold"])
    told = {"scan": scan.code, "origin": origin, "certifies": certifies}
    revisions = {layer: mask and str(mask.pk) for layer, mask in masks.items()}
    record(actor=actor, action="gold.made", target=gold, new=told | {"revisions": revisions})
    return gold


def _references(campaign: Campaign, scan: Scan, origin: str, actor: User) -> dict[str, MaskRevision | None]:
    layers = parse_schema(campaign.schema.definition).editable_layers
    if origin != Origin.APPROVED:
        return {
            layer.name: make_consensus(campaign=campaign, scan=scan, layer=layer, rule=origin, actor=actor)
            for layer in layers
        }
    approved = (
        ReviewRound.objects.filter(
            annotation__campaign=campaign,
            annotation__scan=scan,
            annotation__reader=1,
            state__in=[RoundState.APPROVED, RoundState.CORRECTED],
        )
        .order_by("-ended_at", "-number")
        .first()
    )
    if approved is None:
        raise Conflict(f"{scan.code} has no approved mask; choose an approved scan.", code="no_reference")
    return {row.layer: row.approved for row in approved.masks.select_related("approved")}


@transaction.atomic
def change_gold(*, gold_id: UUID, actor: User, certifies: bool | None = None, is_used: bool | None = None) -> GoldScan:
    """Put a gold scan into the certification set or take it out, or use it no more (or again) in new batches. What was
    hidden or begun before goes on. Raises NotFound, Forbidden."""
    gold = (
        GoldScan.objects.select_for_update(of=("self",)).select_related("campaign", "scan").filter(pk=gold_id).first()
    )
    if gold is None or not visible_scans(actor).filter(pk=gold.scan_id).exists():
        raise NotFound
    require_role(actor, gold.campaign, Role.COORDINATOR)
    old = {"certifies": gold.certifies, "is_used": gold.retired_at is None}
    used = old["is_used"] if is_used is None else is_used
    gold.retired_at = None if used else gold.retired_at or now()
    gold.certifies = used and (gold.certifies if certifies is None else certifies)
    gold.save(update_fields=["retired_at", "certifies"])
    CampaignScan.objects.filter(campaign=gold.campaign, scan=gold.scan_id).update(is_gold=used)
    told = {"certifies": gold.certifies, "is_used": used}
    record(actor=actor, action="gold.changed", target=gold, old=old, new=told | {"scan": gold.scan.code})
    return gold


def measure_gold() -> int:
    """Measure hidden readings of gold scans that were handed in; returns how many. Called by beat."""
    since, done = time.monotonic(), 0
    handed_in = (
        ReviewRound.objects.filter(
            annotation__is_gold=True, annotation__gold_result__isnull=True, annotation__scan__state=ScanState.READY
        )
        .exclude(state=RoundState.TAKEN_BACK)
        .order_by("created_at")
    )
    for found in handed_in.select_related("annotation__campaign__schema", "annotation__scan"):
        if time.monotonic() - since > LONGEST_S:
            break
        masks = {row.layer: row.submitted for row in found.masks.select_related("submitted")}
        try:
            done += measure_reading(found.annotation, masks) is not None
        except Damaged as damage:  # noted for the page of the system; the others are measured all the same
            note_damage(damage, noticed_by=SystemActor.SYSTEM)
    return done


@transaction.atomic
def measure_reading(
    assignment: Assignment, masks: Mapping[str, MaskRevision | None], trial: Trial | None = None
) -> GoldResult | None:
    """The figures of a reading of a gold scan, of any finding; None where the scan has no reference. Once: what is
    measured stays. Raises Damaged."""
    gold = GoldScan.objects.filter(campaign=assignment.campaign_id, scan=assignment.scan_id).first()
    if gold is None:
        return None
    layer = parse_schema(assignment.campaign.schema.definition).layer()
    index = ready_volume(assignment.scan)
    reference = GoldMask.objects.select_related("revision").filter(gold=gold, layer=layer.name).first()
    mine, theirs = (
        strip_erased(load_labels(mask, index.shape_zyx)) > 0
        for mask in (masks.get(layer.name), reference.revision if reference else None)
    )
    found, ml = agree(mine, theirs, index.spacing_mm_zyx), voxel_ml(index.spacing_mm_zyx)
    result, _ = GoldResult.objects.get_or_create(
        assignment=assignment,
        defaults={
            "gold": gold,
            "trial": trial,
            "dice": found.dice,
            "surface_dice": found.surface_dice,
            "tolerance_mm": TOLERANCE_MM,
            "too_much_ml": float((mine & ~theirs).sum()) * ml,
            "missed_ml": float((theirs & ~mine).sum()) * ml,
            "drawn_ml": found.first_ml,
            "gold_ml": found.second_ml,
            "handed_in_at": assignment.submitted_at or now(),
        },
    )
    return result


def heads_as_masks(assignment: Assignment) -> dict[str, MaskRevision | None]:
    """The masks of an assignment as they are now, by layer."""
    return {layer: head.revision for layer, head in heads_of(assignment).items()}
