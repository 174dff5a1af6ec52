"""Figures of a model on the hold-out sites, compared with those of the previous model."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from annotation.learning.models import ModelVersion, TrainingRun
from annotation.learning.selectors import BROUGHT
from annotation.scans.models import Scan, Site

BINS = ((0, 10), (10, 50), (50, 150), (150, 400), (400, None))


@dataclass
class Side:
    """One model with its figures on the hold-out."""

    model: ModelVersion
    summary: Mapping[str, Any]
    interval: tuple[float, float] | None
    masks: int | None

    @property
    def dice(self) -> float | None:
        return self.summary.get("mean_dice")


@dataclass
class SiteRow:
    """One hold-out site: the old model, the new one, and what the gate made of the change.

    `change` is mean, low and high of the 95 % interval; `bound` what the gate looks at. None where nothing was
    compared, or where the gate of that time kept no intervals."""

    code: str
    side: str
    scans: int
    scored: int
    old: float | None
    new: float | None
    old_ml: float | None
    new_ml: float | None
    change: tuple[float, float, float] | None = None
    bound: float | None = None
    outcome: str = ""

    @property
    def mean(self) -> float | None:
        """The change of the mean Dice of both models."""
        return None if self.old is None or self.new is None else self.new - self.old


def masks_of(run: TrainingRun) -> int | None:
    """Number of approved masks that a run learned from, by its frozen manifest; None where that is not known."""
    items = run.manifest.get("items", []) if run.trigger != BROUGHT else []
    return sum(item.get("split") == "train" for item in items) if items else None


def summary_of(model: ModelVersion) -> Mapping[str, Any]:
    metrics = model.metrics if isinstance(model.metrics, dict) else {}
    found: Mapping[str, Any] = metrics.get("challenger", metrics)
    return found


def side_of(model: ModelVersion | None, summary: Mapping[str, Any] | None) -> Side | None:
    if model is None:
        return None
    found = summary or summary_of(model)
    interval = found.get("dice_interval")
    return Side(model, found, (interval[0], interval[1]) if interval else None, masks_of(model.run))


def compare_sites(old: Side | None, new: Side | None, gate: Mapping[str, Any]) -> tuple[list[SiteRow], SiteRow | None]:
    """Every hold-out site, and all together. Changes and outcomes are those of the gate: nothing is computed again."""
    if new is None:
        return [], None
    splits = dict(Site.objects.values_list("code", "split"))
    before = {site["site"]: site for site in old.summary.get("sites", [])} if old else {}
    judged = {site["site"]: site for site in gate.get("sites", [])} if old else {}
    rows = []
    for site in new.summary.get("sites", []):
        earlier, verdict = before.get(site["site"], {}), judged.get(site["site"], {})
        rows.append(
            SiteRow(
                code=site["site"],
                side=splits.get(site["site"], ""),
                scans=site.get("scans", 0),
                scored=sum(1 for scan in _scans(new, site["site"]) if scan.get("dice") is not None),
                old=earlier.get("mean_dice"),
                new=site.get("mean_dice"),
                old_ml=earlier.get("false_positive_ml_on_empty"),
                new_ml=site.get("false_positive_ml_on_empty"),
                **_judged(verdict.get("change"), verdict.get("outcome", "")),
            )
        )
    everything = SiteRow(
        code="All",
        side="",
        scans=len(new.summary.get("scans", [])),
        scored=new.summary.get("scored", 0),
        old=old.dice if old else None,
        new=new.dice,
        old_ml=old.summary.get("false_positive_ml_on_empty") if old else None,
        new_ml=new.summary.get("false_positive_ml_on_empty"),
        **_judged(gate.get("change") if old else None, _outcome_of(gate, "mean_dice") if old else ""),
    )
    return rows, everything


def _judged(change: Mapping[str, Any] | None, outcome: str) -> dict[str, Any]:
    interval = change.get("interval") if change else None
    if change is None or not interval:
        return {"outcome": outcome}
    return {"change": (change["mean"], *interval), "bound": change.get("bound"), "outcome": outcome}


def _outcome_of(gate: Mapping[str, Any], key: str) -> str:
    return next((rule["outcome"] for rule in gate.get("rules", []) if rule["key"] == key), "")


def group_sizes(old: Side | None, new: Side | None) -> list[tuple[str, float | None, float | None, int]]:
    """Share of findings that were found, by their size: champion, challenger, number."""
    if new is None:
        return []
    before = {size["low_ml"]: size for size in old.summary.get("sizes", [])} if old else {}
    return [
        (
            f"{size['low_ml']:g} to {size['high_ml']:g}" if size["high_ml"] else f"over {size['low_ml']:g}",
            _share(before.get(size["low_ml"])),
            _share(size),
            size["lesions"],
        )
        for size in new.summary.get("sizes", [])
    ]


def _share(size: Mapping[str, Any] | None) -> float | None:
    return size["found"] / size["lesions"] if size else None


def bin_by_volume(old: Side | None, new: Side | None) -> list[tuple[str, float | None, float | None, int]]:
    if new is None:
        return []
    rows = []
    for low, high in BINS:
        inside = [scan for scan in _scans(new, None) if low <= scan.get("reference_ml", 0) < (high or float("inf"))]
        ours = [scan["dice"] for scan in inside if scan.get("dice") is not None]
        ids = {scan["id"] for scan in inside}
        theirs = [
            scan["dice"]
            for scan in (_scans(old, None) if old else [])
            if scan["id"] in ids and scan.get("dice") is not None
        ]
        if ours or theirs:
            word = f"{low} to {high}" if high else f"over {low}"
            rows.append((word, _mean(theirs), _mean(ours), len(ours)))
    return rows


def list_points(new: Side | None) -> list[tuple[float, float, str, str]]:
    if new is None:
        return []
    codes = _codes(scan["id"] for scan in _scans(new, None))
    return [
        (
            scan.get("reference_ml", 0.0),
            scan.get("predicted_ml", 0.0),
            scan.get("site", ""),
            codes.get(str(scan["id"]), "scan"),
        )
        for scan in _scans(new, None)
    ]


def scan_table(old: Side | None, new: Side | None) -> list[tuple[Any, ...]]:
    """Every measured scan with both models, for the CSV."""
    if new is None:
        return []
    before: dict[Any, Mapping[str, Any]] = defaultdict(dict)
    if old:
        before.update({scan["id"]: scan for scan in _scans(old, None)})
    codes = _codes(scan["id"] for scan in _scans(new, None))
    return [
        (
            codes.get(str(scan["id"]), scan["id"]),
            scan.get("site"),
            scan.get("reference_ml"),
            scan.get("predicted_ml"),
            scan.get("dice"),
            before[scan["id"]].get("dice"),
            before[scan["id"]].get("predicted_ml"),
        )
        for scan in _scans(new, None)
    ]


def _scans(side: Side, site: str | None) -> Iterable[Mapping[str, Any]]:
    return [scan for scan in side.summary.get("scans", []) if site is None or scan.get("site") == site]


def _codes(ids: Iterable[Any]) -> dict[str, str]:
    wanted = [value for value in ids if len(str(value)) == 36]
    return {str(pk): code for pk, code in Scan.objects.filter(pk__in=wanted).values_list("pk", "code")}


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
