"""Measure how people mark beside the panel: hidden readings of gold scans against the reference, independent readings
against the majority of the others. By beat, once, as each was handed in first; CT only, as a plane has no border in mm.

Told to coordinators only: whoever learned it would learn which scans were gold."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db import transaction

from annotation.masks.models import AnswerSet
from annotation.masks.store import load_labels
from annotation.reviews.consensus import labels_of, readings_of
from annotation.reviews.models import GoldMask, GoldScan, ReviewRound, StyleReading
from annotation.reviews.states import RoundState
from annotation.scans.states import ScanState
from annotation.scans.volumes import read_voxels, ready_volume
from annotation.work.models import CampaignScan
from annotation.work.schema import Layer, parse_schema
from voxloop.accounts.actors import SystemActor
from voxloop.keeping.services import note_damage
from voxloop.kernel.errors import Damaged
from voxloop.volume.agreement import border_offset_mm, hu_range, majority
from voxloop.volume.amounts import voxel_ml
from voxloop.volume.labelmap import strip_erased

LONGEST_S = 10.0  # of one call; the rest waits for the next one
Against = StyleReading.Against
GOOD = (RoundState.APPROVED, RoundState.CORRECTED)


def measure_styles() -> int:
    """Measure readings that were not measured yet; returns how many. Called by beat."""
    since, done = time.monotonic(), 0
    for found in _waiting():
        if time.monotonic() - since > LONGEST_S:
            break
        try:
            done += measure_style(found) is not None
        except Damaged as damage:  # noted for the page of the system; the others are measured all the same
            note_damage(damage, noticed_by=SystemActor.SYSTEM)
    return done


def _waiting() -> Iterator[ReviewRound]:
    """First submissions of hidden gold and of independent readings of which all are handed in."""
    rows = (
        ReviewRound.objects.filter(
            number=1,
            annotation__is_overlap=True,
            annotation__style_reading__isnull=True,
            annotation__scan__state=ScanState.READY,
            annotation__scan__modality="CT",
        )
        .exclude(state__in=[RoundState.TAKEN_BACK, RoundState.WITHDRAWN])
        .select_related("annotation__campaign__schema", "annotation__scan", "author")
        .order_by("created_at")
    )
    yield from rows.filter(annotation__is_gold=True)
    planned = {(plan.campaign_id, plan.scan_id): plan.readers for plan in CampaignScan.objects.filter(readers__gt=1)}
    handed_in: Counter[Any] = Counter()
    others = ReviewRound.objects.filter(number=1, annotation__is_overlap=True, annotation__is_gold=False)
    names = ("annotation__campaign_id", "annotation__scan_id", "annotation__reader")
    for campaign, scan, _ in others.exclude(state=RoundState.TAKEN_BACK).values_list(*names).distinct():
        handed_in[campaign, scan] += 1
    for found in rows.filter(annotation__is_gold=False):
        key = (found.annotation.campaign_id, found.annotation.scan_id)
        if handed_in[key] >= max(2, planned.get(key, 2)):
            yield found


@transaction.atomic
def measure_style(found: ReviewRound) -> StyleReading | None:
    """The figures of one reading, of any finding; None where there is nothing to compare with. Raises Damaged."""
    annotation = found.annotation
    layer = parse_schema(annotation.campaign.schema.definition).layer()
    panel = _gold(found, layer) if annotation.is_gold else _others(found, layer)
    if panel is None:
        return None
    against, theirs, answers = panel
    index = ready_volume(annotation.scan)
    row = found.masks.select_related("submitted").filter(layer=layer.name).first()
    mine = strip_erased(load_labels(row.submitted if row else None, index.shape_zyx)) > 0
    hu, ml = read_voxels(annotation.scan), voxel_ml(index.spacing_mm_zyx)
    own = AnswerSet.objects.filter(assignment=annotation, created_at__lte=found.created_at).first()
    given: Mapping[str, Any] = own.values if own else {}
    made, _ = StyleReading.objects.get_or_create(
        assignment=annotation,
        defaults={
            "campaign": annotation.campaign,
            "against": against,
            "drawn_ml": float(mine.sum()) * ml,
            "reference_ml": float(theirs.sum()) * ml,
            "offset_mm": border_offset_mm(mine, theirs, index.spacing_mm_zyx),
            "hu": hu_range(mine, hu),
            "reference_hu": hu_range(theirs, hu),
            "answers": {key: [given[key], value] for key, value in answers.items() if key in given},
            "handed_in_at": found.created_at,
        },
    )
    return made


def _gold(found: ReviewRound, layer: Layer) -> tuple[str, Any, Mapping[str, Any]] | None:
    """The reference of a gold scan, and the answers that were approved with it."""
    annotation = found.annotation
    gold = GoldScan.objects.filter(campaign=annotation.campaign, scan=annotation.scan).first()
    if gold is None:
        return None
    mask = GoldMask.objects.select_related("revision").filter(gold=gold, layer=layer.name).first()
    shape_zyx = ready_volume(annotation.scan).shape_zyx
    theirs = strip_erased(load_labels(mask.revision if mask else None, shape_zyx)) > 0
    approved = ReviewRound.objects.filter(
        annotation__campaign=annotation.campaign,
        annotation__scan=annotation.scan,
        annotation__is_gold=False,
        state__in=GOOD,
    )
    newest = approved.select_related("answers").order_by("-ended_at").first()
    return Against.GOLD, theirs, newest.answers.values if newest and newest.answers else {}


def _others(found: ReviewRound, layer: Layer) -> tuple[str, Any, Mapping[str, Any]] | None:
    """The majority of the other readers, or the other one, and what most of them answered."""
    annotation = found.annotation
    readings = [
        one
        for one in readings_of(annotation.campaign, annotation.scan, layer)
        if one.round.annotation_id != annotation.pk and one.round.author_id != found.author_id
    ]
    if not readings:
        return None
    labels = [labels_of(one, annotation.scan) for one in readings]
    theirs = (majority(labels) if len(labels) > 1 else labels[0]) > 0
    said = [one.round.answers.values for one in readings if one.round.answers]
    return Against.CONSENSUS if len(labels) > 1 else Against.READER, theirs, _most_said(said)


def _most_said(answers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """By question the answer that more than half of them gave."""
    found: dict[str, Any] = {}
    for key in {key for one in answers for key in one}:
        given = [one[key] for one in answers if key in one]
        best = max(given, key=given.count)
        if 2 * given.count(best) > len(answers):
            found[key] = best
    return found
