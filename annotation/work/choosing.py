"""Which scans a new batch gets, and why: by a strategy's scores, at random, in order, or by hand.

What was known at that moment is kept with the assignment (`Assignment.choice`): `why`, and for a chosen scan the
`strategy`, the `model`, its `uncertainty`, the share of the candidates of which it was `surer`, `extent_ml` and
`finding`. Annotators never see it: it says what a model thinks of the scan."""

import math
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from annotation.scans.models import Scan
from annotation.scans.states import ScanState
from annotation.work.models import Assignment, Campaign, CampaignScan, ScanScore, Strategy
from annotation.work.selectors import excluded, unassigned_scans
from annotation.work.states import AssignmentState
from voxloop.accounts.models import User
from voxloop.kernel.errors import Conflict, Invalid

WAYS = (*Strategy.values, "order", "hand")
OLD_NAMES = {"score": Strategy.HYBRID.value}  # what programs of before say
EXTENTS = ("nothing", "up to 50 mL", "50 mL and more")
EXTENT_BOUNDS_ML = (1.0, 50.0)


@dataclass(frozen=True)
class Chosen:
    """A scan of a new batch. `reader` is 2 and more where an approved scan is read again."""

    scan: Scan
    choice: dict[str, Any] = field(default_factory=dict)
    reader: int = 1
    is_overlap: bool = False  # one of several independent readings
    is_gold: bool = False  # measures its reader (annotation.work.gold)


def strategies_of(campaign: Campaign) -> list[str]:
    """Strategies by which some scan has a score, in the order in which they are offered."""
    scored = set(ScanScore.objects.filter(campaign=campaign).order_by().values_list("strategy", flat=True).distinct())
    return [strategy for strategy in Strategy.values if strategy in scored]


def choose_scans(
    campaign: Campaign, size: int, way: str, scan_ids: Sequence[UUID] | None, assignee: User | None
) -> tuple[list[Chosen], str]:
    """Up to `size` scans, and how they were really chosen: without scores `random`, or in order.

    Raises Invalid (`bad_choice`, `bad_size`), Conflict (`scan_taken`)."""
    way = "hand" if scan_ids else OLD_NAMES.get(way, way)
    free = unassigned_scans(campaign).select_related("site")
    if assignee is not None:
        free = free.filter(site__memberships__user=assignee)
    if scan_ids:
        return [Chosen(scan, {"why": "hand"}) for scan in _by_hand(free, size, scan_ids)], way
    if way not in WAYS or way == "hand":
        raise Invalid(f"{way!r} is not a way to choose; use {', '.join(WAYS[:-1])} or hand.", code="bad_choice")
    if way == "order":
        return [Chosen(scan, {"why": "order"}) for scan in free.order_by("code")[:size]], way
    repeats = _repeats(campaign, size, assignee)
    scored = ScanScore.objects.filter(campaign=campaign, strategy=way)
    if way != Strategy.RANDOM and not scored.filter(scan__in=free).exists():
        way, repeats = "order", []
    size -= len(repeats)
    ranked = list(scored.filter(scan__in=free).select_related("scan__site").order_by("-score", "scan__code")[:size])
    facts = _facts_of(campaign, [row.scan_id for row in ranked])
    chosen = [Chosen(row.scan, _told(row) | facts[row.scan_id]) for row in ranked]
    rest = list(free.exclude(pk__in=[row.scan_id for row in ranked]).order_by("code"))
    why = "order"
    if way == Strategy.RANDOM:
        random.SystemRandom().shuffle(rest)
        why = "random"
    chosen += [Chosen(scan, {"why": why}) for scan in rest[: size - len(chosen)]]
    return chosen + repeats, way


def _by_hand(free: QuerySet[Scan], size: int, scan_ids: Sequence[UUID]) -> list[Scan]:
    scans = list(free.filter(pk__in=scan_ids).order_by("code"))
    if len(scans) != len(set(scan_ids)):
        raise Conflict(
            "Some of these scans are already in a batch, not ready, not eligible, or of a site the person may not see.",
            code="scan_taken",
        )
    if len(scans) > size:
        raise Invalid(f"A batch holds at most {size} scans, not {len(scans)}.", code="bad_size")
    return scans


def _repeats(campaign: Campaign, size: int, assignee: User | None) -> list[Chosen]:
    """Approved scans to be read a second time, blank: they tell how far two readers, or one reader twice, agree."""
    count = math.floor(campaign.repeat_share * size + 0.5)
    if not count:
        return []
    read = Assignment.objects.filter(campaign=campaign, stage=Assignment.Stage.ANNOTATION)
    again = read.filter(reader__gt=1).exclude(state__in=[AssignmentState.RECLAIMED, AssignmentState.SKIPPED])
    rows = Scan.objects.filter(
        pk__in=read.filter(reader=1, state=AssignmentState.APPROVED).values("scan_id"), state=ScanState.READY
    ).exclude(Q(pk__in=again.values("scan_id")) | Q(pk__in=excluded(campaign).values("scan_id")))
    if assignee is not None:
        rows = rows.filter(site__memberships__user=assignee)
    scans = list(rows.select_related("site").order_by("code"))
    taken = random.SystemRandom().sample(scans, min(count, len(scans)))
    return [Chosen(scan, {"why": "repeat"}, reader=2) for scan in taken]


def _facts_of(campaign: Campaign, scans: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    rows = CampaignScan.objects.filter(campaign=campaign, scan__in=scans)
    return {
        row.scan_id: {
            name: value
            for name, value in (
                ("model", row.score_model),
                ("uncertainty", row.uncertainty),
                ("extent_ml", row.extent_ml),
                ("finding", row.finding),
            )
            if value not in (None, "")
        }
        for row in rows
    }


def _told(row: ScanScore) -> dict[str, Any]:
    told = {"why": row.why, "strategy": row.strategy}
    return told if row.surer is None else told | {"surer": row.surer}


def say_repeats(campaign: Campaign) -> str:
    """What a batch that is not in order of codes holds besides new scans."""
    if not campaign.repeat_share:
        return ""
    share = f"{100 * campaign.repeat_share:g}"
    return f"Except in order, {share} % are approved scans that are read again from blank, to see how readers agree."


def choice_told(choice: Mapping[str, Any], *, knows_gold: bool) -> Mapping[str, Any]:
    """Why a scan was chosen, as somebody who oversees reads it; only coordinators read which scan is gold."""
    return {"why": "overlap"} if choice.get("why") == "gold" and not knows_gold else choice


def say_why(choice: Mapping[str, Any], site: str) -> str:
    """Why a scan was chosen, in a sentence; empty for an assignment made before this was kept."""
    sentences = {
        "uncertain": _say_unsure(choice),
        "diverse": f"Stands for many scans of site {site} that look like it.",
        "foreground": "At random, among the scans in which the model marks something.",
        "random": "At random.",
        "held_out": f"Site {site} is held out, to measure models on: at random, whatever a model says.",
        "repeat": "Approved before; read again from blank, to see how far readers agree.",
        "overlap": "Read by several people who know nothing of each other, to see how far they agree.",
        "gold": "Gold scan: it has a reference mask, and measures its reader.",
        "order": "In order of its code: it has no score.",
        "hand": "Chosen by hand.",
    }
    return sentences.get(choice.get("why", ""), "")


def _say_unsure(choice: Mapping[str, Any]) -> str:
    model = choice.get("model") or "The model"
    if choice.get("surer") is None:
        return f"{model} has not seen it yet; it counts as unsure as most."
    return f"{model} is surer of {round(100 * choice['surer'])} % of the scans it was chosen from."


@dataclass(frozen=True)
class Mix:
    """What a batch is made of: scans by site, by the finding that the model expects, by its extent, and by why."""

    scans: int
    repeats: int
    by_site: Mapping[str, int]
    by_finding: Mapping[str, int]
    by_extent: Mapping[str, int]
    by_why: Mapping[str, int]


def mix_of(rows: Iterable[tuple[str, Mapping[str, Any]]]) -> Mix:
    """The mix of `(site, choice)`. Where no model has seen a scan its finding and extent are `not known`."""
    listed = list(rows)
    known = [choice for _, choice in listed if choice.get("extent_ml") is not None]
    unknown = len(listed) - len(known)
    extents = Counter(extent_of(choice["extent_ml"]) for choice in known)
    findings = Counter(choice.get("finding") or "nothing" for choice in known)
    rest = {"not known": unknown} if unknown else {}
    whys = Counter(choice.get("why") or "not known" for _, choice in listed)
    return Mix(
        scans=len(listed),
        repeats=whys["repeat"],
        by_site=dict(sorted(Counter(site for site, _ in listed).items())),
        by_finding=dict(findings.most_common()) | rest,
        by_extent={name: extents[name] for name in EXTENTS if extents[name]} | rest,
        by_why=dict(whys.most_common()),
    )


def extent_of(extent_ml: float) -> str:
    """The class of a predicted extent, in words."""
    return EXTENTS[sum(extent_ml >= bound for bound in EXTENT_BOUNDS_ML)]
