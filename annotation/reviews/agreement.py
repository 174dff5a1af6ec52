"""Measure how far readers of one scan agree: what each handed in first, before any review.

By beat, not in a request: surfaces of large masks take seconds. CT only, as a single plane has no surface."""

import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from typing import Any

from django.db import transaction

from annotation.masks.models import AnswerSet
from annotation.masks.store import load_labels
from annotation.reviews.models import ReadingPair, ReviewRound, RoundMask
from annotation.reviews.states import RoundState
from annotation.scans.states import ScanState
from annotation.scans.volumes import ready_volume
from annotation.work.overlap import add_reader
from annotation.work.schema import parse_schema
from voxloop.accounts.actors import SystemActor
from voxloop.keeping.services import note_damage
from voxloop.kernel.errors import Damaged
from voxloop.volume.agreement import TOLERANCE_MM, agree
from voxloop.volume.labelmap import strip_erased

LONGEST_S = 20.0  # after which the rest waits for the next call
ANY = 0  # the segment of "any finding"
Reading = tuple[Any, Any, int]  # campaign, scan, number of the reader


def measure_pairs() -> int:
    """Measure pairs of readings that were not measured yet; returns how many. Called by beat."""
    since, done = time.monotonic(), 0
    for first, second in _waiting():
        if time.monotonic() - since > LONGEST_S:
            break
        try:
            measure_pair(first, second)
        except Damaged as found:  # noted for the page of the system; the others are measured all the same
            note_damage(found, noticed_by=SystemActor.SYSTEM)
            continue
        done += 1
    return done


def _waiting() -> Iterator[tuple[ReviewRound, ReviewRound]]:
    """Pairs of first submissions of one scan by different readings, without their figures."""
    rows = ReviewRound.objects.filter(
        annotation__scan__state=ScanState.READY, annotation__scan__modality="CT", annotation__is_gold=False
    ).exclude(state=RoundState.TAKEN_BACK)
    several = rows.filter(annotation__reader__gt=1).values("annotation__scan")
    first: dict[Reading, Any] = {}
    names = ("annotation__campaign", "annotation__scan", "annotation__reader", "pk")
    for campaign, scan, reader, pk in (
        rows.filter(annotation__scan__in=several).order_by("created_at").values_list(*names)
    ):
        first.setdefault((campaign, scan, reader), pk)
    of_scan: dict[Any, list[Any]] = defaultdict(list)
    for (campaign, scan, _), pk in sorted(first.items(), key=lambda one: one[0][2]):
        of_scan[campaign, scan].append(pk)
    measured = set(ReadingPair.objects.filter(segment=ANY).values_list("first", "second"))
    for rounds in of_scan.values():
        for pair in combinations(rounds, 2):
            if pair not in measured:
                found = ReviewRound.objects.select_related("annotation__campaign__schema", "annotation__scan").in_bulk(
                    pair
                )
                yield found[pair[0]], found[pair[1]]


@transaction.atomic
def measure_pair(first: ReviewRound, second: ReviewRound) -> list[ReadingPair]:
    """The figures of two readings, of any finding and of each segment that one of both drew. Raises Damaged."""
    annotation = first.annotation
    layer = parse_schema(annotation.campaign.schema.definition).layer()
    index = ready_volume(annotation.scan)
    masks = {
        row.round_id: row.submitted for row in RoundMask.objects.filter(round__in=(first, second), layer=layer.name)
    }
    one, other = (strip_erased(load_labels(masks.get(round_.pk), index.shape_zyx)) for round_ in (first, second))
    rows = []
    for segment in (ANY, *sorted(layer.ids)):
        pair = (one > 0, other > 0) if segment == ANY else (one == segment, other == segment)
        if segment != ANY and not pair[0].any() and not pair[1].any():
            continue
        found = agree(pair[0], pair[1], index.spacing_mm_zyx)
        rows.append(
            ReadingPair(
                campaign=annotation.campaign,
                first=first,
                second=second,
                segment=segment,
                dice=found.dice,
                surface_dice=found.surface_dice,
                tolerance_mm=TOLERANCE_MM,
                hd95_mm=found.hd95_mm,
                assd_mm=found.assd_mm,
                lesion_f1=found.lesions.f1,
                first_ml=found.first_ml,
                second_ml=found.second_ml,
                answers=_answers(first, second) if segment == ANY else {},
            )
        )
    made = ReadingPair.objects.bulk_create(rows, ignore_conflicts=True)
    readings = ReviewRound.objects.filter(
        annotation__campaign=annotation.campaign,
        annotation__scan=annotation.scan,
        annotation__is_overlap=True,
        annotation__is_gold=False,
    ).exclude(state=RoundState.TAKEN_BACK)
    add_reader(
        campaign=annotation.campaign,
        scan=annotation.scan,
        dice=rows[0].dice,
        handed_in=readings.values("annotation__reader").distinct().count(),
    )
    return made


def _answers(first: ReviewRound, second: ReviewRound) -> dict[str, list[Any]]:
    """By question what both answered when they handed in; only questions that both were asked."""
    one, other = (
        AnswerSet.objects.filter(assignment=round_.annotation_id, created_at__lte=round_.created_at).first()
        for round_ in (first, second)
    )
    if one is None or other is None:
        return {}
    return {key: [value, other.values[key]] for key, value in one.values.items() if key in other.values}
