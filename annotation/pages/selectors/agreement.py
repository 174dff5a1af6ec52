"""How far the readers of a campaign agree: by reader, class, site and question."""

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from annotation.learning.estimates import Estimate, mean_of
from annotation.reviews.agreement import ANY
from annotation.reviews.models import ReadingPair
from annotation.reviews.states import RoundState
from annotation.scans.states import ScanState
from annotation.work.models import Assignment, Campaign, CampaignScan
from annotation.work.schema import Schema, parse_schema
from annotation.work.selectors import visible_scans
from annotation.work.states import AssignmentState
from voxloop.accounts.models import User
from voxloop.volume.agreement import BlandAltman, Interval, bland_altman, icc_a1, krippendorff_alpha

LEAST_SCANS = 5  # of a correlation, limits of agreement and alpha; fewer say nothing
LEAST_SHOWN = 10  # pairs that agree least


@dataclass(frozen=True)
class Cell:
    """Two readers: their pairs, mean Dice and surface Dice, and how much more the first marks, in mL."""

    pairs: int
    dice: float
    surface_dice: float
    difference_ml: float


@dataclass(frozen=True)
class Group:
    """Pairs of one class or site; distances are medians of pairs of which both drew something."""

    name: str
    pairs: int
    dice: Estimate | None
    surface_dice: Estimate | None
    hd95_mm: float | None
    assd_mm: float | None
    lesion_f1: Estimate | None
    apart_ml: float | None


@dataclass(frozen=True)
class OnQuestion:
    """Krippendorff's alpha of a question; None below five scans."""

    text: str
    scans: int
    same: int
    alpha: float | None


@dataclass(frozen=True)
class Found:
    """All of the page. `pairs` are of different people, of any finding."""

    pairs: list[ReadingPair]
    segments: list[tuple[str, ReadingPair]]
    readers: list[str]
    matrix: list[tuple[str, list[Cell | None]]]
    classes: list[Group]
    sites: list[Group]
    questions: list[OnQuestion]
    icc: Interval | None
    limits: BlandAltman | None
    by_root: BlandAltman | None
    least: list[ReadingPair]
    planned: int
    handed_in: int

    @property
    def both_empty(self) -> int:
        """Pairs of two empty masks, which agree."""
        return sum(not pair.first_ml and not pair.second_ml for pair in self.pairs)

    @property
    def everything(self) -> Group | None:
        return group_of("All", self.pairs) if self.pairs else None


def measure_agreement(user: User, campaign: Campaign) -> Found:
    """Everything the page shows, of the scans that the person may see."""
    schema = parse_schema(campaign.schema.definition)
    rows = list(visible_pairs(user, campaign))
    pairs = [row for row in rows if row.segment == ANY and row.first.author_id != row.second.author_id]
    names = {segment.id: segment.name for segment in schema.layer().segments}
    segments = [
        (names.get(row.segment, f"Segment {row.segment}"), row)
        for row in rows
        if row.segment != ANY and row.first.author_id != row.second.author_id
    ]
    one_each = list({pair.first.annotation.scan_id: pair for pair in reversed(pairs)}.values())
    volumes = [(pair.first_ml, pair.second_ml) for pair in one_each]
    readers, matrix = _matrix([row for row in rows if row.segment == ANY])
    overlapped = CampaignScan.objects.filter(campaign=campaign, readers__gt=1, scan__in=visible_scans(user))
    return Found(
        pairs=pairs,
        segments=segments,
        readers=readers,
        matrix=matrix,
        classes=_groups(segments, lambda one: one[0], list(names.values())),
        sites=_groups([(f"Site {pair.first.annotation.scan.site.code}", pair) for pair in pairs], lambda one: one[0]),
        questions=_questions(schema, pairs),
        icc=_icc(volumes),
        limits=bland_altman(*zip(*volumes, strict=True)) if len(volumes) >= LEAST_SCANS else None,
        by_root=bland_altman(*zip(*volumes, strict=True), by_root=True) if len(volumes) >= LEAST_SCANS else None,
        least=sorted(pairs, key=lambda pair: (pair.dice, -abs(pair.first_ml - pair.second_ml)))[:LEAST_SHOWN],
        planned=overlapped.count(),
        handed_in=Assignment.objects.filter(
            campaign=campaign,
            is_overlap=True,
            is_gold=False,
            state__in=[AssignmentState.SUBMITTED, AssignmentState.APPROVED, AssignmentState.RETURNED],
        ).count(),
    )


def visible_pairs(user: User, campaign: Campaign) -> QuerySet[ReadingPair]:
    """Measured pairs of scans that the person may see; not of what was taken back or withdrawn."""
    return (
        ReadingPair.objects.filter(
            campaign=campaign,
            first__annotation__scan__state=ScanState.READY,
            first__annotation__scan__in=visible_scans(user),
        )
        .exclude(first__state=RoundState.TAKEN_BACK)
        .exclude(second__state=RoundState.TAKEN_BACK)
        .select_related("first__annotation__scan__site", "first__author", "second__author")
        .order_by("first__annotation__scan__code", "first__annotation__reader", "second__annotation__reader", "segment")
    )


def group_of(name: str, pairs: Sequence[ReadingPair]) -> Group:
    """The figures of some pairs."""
    drawn = [pair for pair in pairs if pair.first_ml and pair.second_ml]
    return Group(
        name=name,
        pairs=len(pairs),
        dice=_share([pair.dice for pair in pairs]),
        surface_dice=_share([pair.surface_dice for pair in pairs]),
        hd95_mm=_median([pair.hd95_mm for pair in drawn]),
        assd_mm=_median([pair.assd_mm for pair in drawn]),
        lesion_f1=_share([pair.lesion_f1 for pair in pairs]),
        apart_ml=_median([abs(pair.first_ml - pair.second_ml) for pair in pairs]),
    )


def _share(values: Sequence[float]) -> Estimate | None:
    """The mean of figures from 0 to 1; its interval from five on, kept within them."""
    mean = mean_of(values)
    if mean is None or mean.low is None or mean.high is None:
        return mean
    if mean.count < LEAST_SCANS:
        return Estimate(mean.count, mean.value)
    return Estimate(mean.count, mean.value, max(0.0, mean.low), min(1.0, mean.high))


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _groups(
    named: Sequence[tuple[str, ReadingPair]], key: Callable[[Any], str], order: Sequence[str] = ()
) -> list[Group]:
    found: dict[str, list[ReadingPair]] = defaultdict(list)
    for one in named:
        found[key(one)].append(one[1])
    names = [name for name in order if name in found] or sorted(found)
    return [group_of(name, found[name]) for name in names]


def _matrix(pairs: Sequence[ReadingPair]) -> tuple[list[str], list[tuple[str, list[Cell | None]]]]:
    """Readers by name, and of each row a cell per reader; on the diagonal a person's own second readings."""
    of: dict[tuple[str, str], list[tuple[ReadingPair, int]]] = defaultdict(list)
    for pair in pairs:
        one, other = pair.first.author.username, pair.second.author.username
        of[one, other].append((pair, 1))
        if one != other:
            of[other, one].append((pair, -1))
    names = sorted({name for both in of for name in both})
    return names, [(row, [_cell(of[row, column]) for column in names]) for row in names]


def _cell(found: Sequence[tuple[ReadingPair, int]]) -> Cell | None:
    if not found:
        return None
    return Cell(
        pairs=len(found),
        dice=statistics.fmean(pair.dice for pair, _ in found),
        surface_dice=statistics.fmean(pair.surface_dice for pair, _ in found),
        difference_ml=statistics.fmean(sign * (pair.first_ml - pair.second_ml) for pair, sign in found),
    )


def _icc(volumes: Sequence[tuple[float, float]]) -> Interval | None:
    """ICC(2,1) of the volumes; None for few scans, and where nothing differs."""
    if len(volumes) < LEAST_SCANS:
        return None
    try:
        return icc_a1(volumes)
    except ValueError:
        return None


def _questions(schema: Schema, pairs: Sequence[ReadingPair]) -> list[OnQuestion]:
    """Agreement on each question that was asked of two readers of one scan."""
    found = []
    for question in schema.questions:
        if question.kind not in ("choice", "choices", "boolean"):
            continue
        given: dict[Any, dict[Any, str]] = defaultdict(dict)
        for pair in pairs:
            for round_, answer in zip(
                (pair.first_id, pair.second_id), pair.answers.get(question.key, ()), strict=False
            ):
                given[pair.first.annotation.scan_id][round_] = str(
                    sorted(answer) if isinstance(answer, list) else answer
                )
        if given:
            same = sum(len(set(answers.values())) == 1 for answers in given.values())
            alpha = _alpha(list(given.values())) if len(given) >= LEAST_SCANS else None
            found.append(OnQuestion(question.text, len(given), same, alpha))
    return found


def _alpha(scans: Sequence[dict[Any, str]]) -> float:
    places = {answer: place for place, answer in enumerate(sorted({one for scan in scans for one in scan.values()}))}
    most = max(len(scan) for scan in scans)
    columns = [[places[answer] for answer in scan.values()] for scan in scans]
    return krippendorff_alpha(list(zip(*(one + [math.nan] * (most - len(one)) for one in columns), strict=True)))
