"""Which approvals a draft includes: its filters, judged one by one, with the reason of each scan that they leave.

`Release.filters` holds: sites (codes), sides, segments (`layer/key`, any of them drawn), thickest_mm (slices at most so
thick), approved_from and approved_until (days, inclusive), least_agreement (mean Dice of the readings of a scan). A
missing or null one leaves everything in."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.utils.timezone import localdate

from annotation.datasets.exporters.chosen import FILTERS
from annotation.reviews.models import ReadingPair, ReviewRound, RoundMask
from annotation.reviews.states import RoundState
from annotation.scans.models import Scan, Site
from annotation.scans.states import ScanState
from annotation.work.models import Assignment, Campaign, Eligibility, LabelSchema
from voxloop.kernel.errors import Invalid


@dataclass(frozen=True)
class Chosen:
    """What filters take of the approved scans, and what they leave, by the first reason."""

    taken: Sequence[UUID]  # review rounds
    left: Mapping[str, int] = field(default_factory=dict)

    @property
    def says_left(self) -> list[str]:
        """What is left with its reasons, for people."""
        return [f"{count:,} {reason}" for reason, count in self.left.items()]

    @property
    def approved(self) -> int:
        """Scans that are approved, taken or not."""
        return len(self.taken) + sum(self.left.values())


def check_filters(campaign: Campaign, filters: Mapping[str, Any]) -> dict[str, Any]:
    """Filters as they are kept: in order, null where nothing is asked. Raises Invalid (`unknown_side`,
    `unknown_segment`, `bad_thickness`, `bad_agreement`, `bad_days`)."""
    kept: dict[str, Any] = {name: filters.get(name) or None for name in FILTERS}
    _require_known("unknown_side", "side", kept["sides"], Site.Split.values)
    _require_known("unknown_segment", "segment", kept["segments"], [key for key, _ in list_segments(campaign.schema)])
    for name in ("sites", "sides", "segments"):
        kept[name] = sorted(set(kept[name])) if kept[name] else None
    if kept["thickest_mm"] is not None and not 0 < kept["thickest_mm"] <= 100:
        raise Invalid("Give the thickness of slices in mm, above 0 and at most 100.", code="bad_thickness")
    if kept["least_agreement"] is not None and not 0 < kept["least_agreement"] <= 1:
        raise Invalid("Give the agreement as a Dice between 0 and 1, for example 0.8.", code="bad_agreement")
    first, last = kept["approved_from"], kept["approved_until"]
    if first and last and str(first) > str(last):
        raise Invalid("The first day lies after the last one; exchange them.", code="bad_days")
    for name in ("approved_from", "approved_until"):
        kept[name] = kept[name].isoformat() if isinstance(kept[name], date) else kept[name]
    return kept


def _require_known(code: str, what: str, given: Collection[str] | None, known: Collection[str]) -> None:
    if unknown := set(given or ()) - set(known):
        raise Invalid(f"There is no {what} {min(unknown)}; choose of {', '.join(known)}.", code=code)


def list_segments(schema: LabelSchema) -> list[tuple[str, str]]:
    """`layer/key` and the name of every segment that people draw."""
    layers = [layer for layer in schema.definition["layers"] if layer.get("editable", True)]
    return [
        (f"{layer['name']}/{segment['key']}", f"{layer['title']}: " * (len(layers) > 1) + segment["name"])
        for layer in layers
        for segment in layer["segments"]
    ]


def approved_rounds(campaigns: QuerySet[Campaign]) -> QuerySet[ReviewRound]:
    """Every approval of a ready scan that its campaign's criteria do not exclude, also those from before the newest."""
    rounds = ReviewRound.objects.filter(
        state__in=[RoundState.APPROVED, RoundState.CORRECTED],
        annotation__campaign__in=campaigns,
        annotation__stage=Assignment.Stage.ANNOTATION,
        annotation__reader=1,
        annotation__scan__state=ScanState.READY,
    )
    left_out = Eligibility.objects.filter(
        campaign=OuterRef("annotation__campaign"), scan=OuterRef("annotation__scan"), is_eligible=False
    )
    return rounds.exclude(Exists(left_out))


def newest_approvals(campaigns: QuerySet[Campaign], scans: QuerySet[Scan]) -> QuerySet[ReviewRound]:
    """The newest approval of each of these scans in each of these campaigns."""
    rounds = approved_rounds(campaigns).filter(annotation__scan__in=scans.values("pk"))
    order = ("annotation__campaign_id", "annotation__scan_id")
    newest = rounds.order_by(*order, "-ended_at", "-number").distinct(*order)
    return ReviewRound.objects.filter(pk__in=newest.values("pk"))


def choose_rounds(campaign: Campaign, filters: Mapping[str, Any], sites: Collection[str] | None = None) -> Chosen:
    """The newest approval of each scan until the last day, judged by the filters. `sites` narrows what is judged at
    all: scans of other sites are not even counted."""
    rounds = approved_rounds(Campaign.objects.filter(pk=campaign.pk))
    if sites is not None:
        rounds = rounds.filter(annotation__scan__site__code__in=sites)
    until = filters.get("approved_until")
    early = rounds.filter(ended_at__date__lte=date.fromisoformat(until)) if until else rounds
    scan = "annotation__scan"
    newest = early.order_by(f"{scan}_id", "-ended_at", "-number").distinct(f"{scan}_id")
    rows = ReviewRound.objects.filter(pk__in=newest.values("pk")).values(
        "pk",
        "ended_at",
        scan=F(f"{scan}_id"),
        site=F(f"{scan}__site__code"),
        side=F(f"{scan}__site__split"),
        # Not all that is known of a scan: that holds a UID for each of its slices.
        thickness_mm=KeyTextTransform("slice_thickness_mm", f"{scan}__facts"),
        spacing_mm_zyx=F(f"{scan}__spacing_mm_zyx"),
    )
    judge = _Judge(campaign, filters)
    taken, left = list[UUID](), Counter[str]()
    for row in rows:
        reason = judge.why_left(row)
        if reason:
            left[reason] += 1
        else:
            taken.append(row["pk"])
    if until and (later := rounds.values(f"{scan}_id").distinct().count() - len(taken) - left.total()):
        left[FILTERS["approved_until"]] = later
    return Chosen(taken, {reason: left[reason] for reason in FILTERS.values() if left[reason]})


class _Judge:
    """The filters of a draft, with what they need of the database read once."""

    def __init__(self, campaign: Campaign, filters: Mapping[str, Any]) -> None:
        self.filters = {name: filters.get(name) for name in FILTERS}
        self.wanted = _ids_of(campaign.schema, self.filters["segments"] or ())
        self.drawn = _drawn_in(campaign) if self.wanted else {}
        self.agreement = _agreement_of(campaign) if self.filters["least_agreement"] else {}

    def why_left(self, row: Mapping[str, Any]) -> str:
        """The first filter that leaves this approval out, in words; "" for one that is taken."""
        asked = self.filters
        fits = {
            "sites": not asked["sites"] or row["site"] in asked["sites"],
            "sides": not asked["sides"] or row["side"] in asked["sides"],
            "approved_from": not asked["approved_from"]
            or localdate(row["ended_at"]) >= date.fromisoformat(asked["approved_from"]),
            "thickest_mm": not asked["thickest_mm"] or thickness_mm(row) <= asked["thickest_mm"],
            "segments": not self.wanted or bool(self.wanted & self.drawn.get(row["pk"], set())),
            "least_agreement": not asked["least_agreement"]
            or self.agreement.get(row["scan"], 0.0) >= asked["least_agreement"],
        }
        return next((FILTERS[name] for name, is_in in fits.items() if not is_in), "")


def thickness_mm(row: Mapping[str, Any]) -> float:
    """Slice thickness as the scanner told it, else the distance of two slices."""
    return float(row["thickness_mm"] or row["spacing_mm_zyx"][0])


def _ids_of(schema: LabelSchema, wanted: Collection[str]) -> set[tuple[str, str]]:
    return {
        (layer["name"], str(segment["id"]))
        for layer in schema.definition["layers"]
        for segment in layer["segments"]
        if f"{layer['name']}/{segment['key']}" in wanted
    }


def _drawn_in(campaign: Campaign) -> Mapping[UUID, set[tuple[str, str]]]:
    """By round the segments with a voxel."""
    found: dict[UUID, set[tuple[str, str]]] = defaultdict(set)
    masks = RoundMask.objects.filter(round__annotation__campaign=campaign, approved__isnull=False)
    for pk, layer, counts in masks.values_list("round", "layer", "approved__voxel_counts"):
        found[pk] |= {(layer, value) for value, voxels in counts.items() if voxels}
    return found


def _agreement_of(campaign: Campaign) -> Mapping[UUID, float]:
    """By scan the mean Dice of every two readings of it by different people, as handed in first."""
    found: dict[UUID, list[float]] = defaultdict(list)
    pairs = ReadingPair.objects.filter(campaign=campaign, segment=0).exclude(first__author=F("second__author"))
    for pk, dice in pairs.values_list("first__annotation__scan", "dice"):
        found[pk].append(dice)
    return {pk: statistics.fmean(values) for pk, values in found.items()}
