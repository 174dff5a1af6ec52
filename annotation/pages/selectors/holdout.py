"""Figures of a model on the hold-out sites, beside those of the model before it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotation.learning.models import ModelVersion, TrainingRun
from annotation.scans.models import Scan, Site
from voxloop.accounts.models import User

SITE_LIMIT = -0.02  # what one site may lose (the gate's rule)
BINS = ((0, 10), (10, 50), (50, 150), (150, 400), (400, None))
RESAMPLES = 1000


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
    """One hold-out site: the old model, the new one, the change with its interval."""

    code: str
    side: str
    scans: int
    scored: int
    old: float | None
    new: float | None
    old_ml: float | None
    new_ml: float | None
    change: tuple[float, float, float] | None

    @property
    def holds(self) -> bool | None:
        return None if self.change is None else self.change[0] >= SITE_LIMIT


def masks_of(run: TrainingRun) -> int | None:
    """How many approved masks a run learned from, out of its frozen manifest."""
    items = run.manifest.get("items", [])
    return sum(item.get("split") == "train" for item in items) if items else None


def summary_of(model: ModelVersion) -> Mapping[str, Any]:
    metrics = model.metrics if isinstance(model.metrics, dict) else {}
    return metrics.get("challenger", metrics)


def side_of(model: ModelVersion | None, summary: Mapping[str, Any] | None) -> Side | None:
    if model is None:
        return None
    found = summary or summary_of(model)
    dices = [scan["dice"] for scan in found.get("scans", []) if scan.get("dice") is not None]
    return Side(model, found, _interval(dices), masks_of(model.run))


def compare_sites(old: Side | None, new: Side | None) -> tuple[list[SiteRow], SiteRow | None]:
    if new is None:
        return [], None
    splits = dict(Site.objects.values_list("code", "split"))
    before = {site["site"]: site for site in old.summary.get("sites", [])} if old else {}
    rows = []
    for site in new.summary.get("sites", []):
        earlier = before.get(site["site"], {})
        pairs = _pairs(old, new, site["site"])
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
                change=_change(pairs),
            )
        )
    everything = SiteRow(
        "All",
        "",
        len(new.summary.get("scans", [])),
        new.summary.get("scored", 0),
        old.dice if old else None,
        new.dice,
        old.summary.get("false_positive_ml_on_empty") if old else None,
        new.summary.get("false_positive_ml_on_empty"),
        _change(_pairs(old, new, None)),
    )
    return rows, everything


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


def list_points(user: User, new: Side | None) -> list[tuple[float, float, str, str]]:
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


def list_losses(user: User, old: Side | None, new: Side | None) -> list[dict[str, Any]]:
    if old is None or new is None:
        return []
    before = {scan["id"]: scan for scan in _scans(old, None)}
    rows = [
        {
            "scan": scan,
            "old": before[scan["id"]]["dice"],
            "new": scan["dice"],
            "change": scan["dice"] - before[scan["id"]]["dice"],
        }
        for scan in _scans(new, None)
        if scan.get("dice") is not None and before.get(scan["id"], {}).get("dice") is not None
    ]
    rows = sorted((row for row in rows if row["change"] < -0.01), key=lambda row: row["change"])[:5]
    found = {str(scan.pk): scan for scan in Scan.objects.filter(pk__in=[row["scan"]["id"] for row in rows])}
    for row in rows:
        row["found"] = found.get(str(row["scan"]["id"]))
    return rows


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


def _pairs(old: Side | None, new: Side, site: str | None) -> list[float]:
    """Dice gains on the scans that both were measured on."""
    if old is None:
        return []
    before = {scan["id"]: scan.get("dice") for scan in _scans(old, site)}
    return [
        scan["dice"] - before[scan["id"]]
        for scan in _scans(new, site)
        if scan.get("dice") is not None and before.get(scan["id"]) is not None
    ]


def _change(gains: list[float]) -> tuple[float, float, float] | None:
    spread = _interval(gains)
    return (float(np.mean(gains)), *spread) if spread else None


def _interval(values: list[float]) -> tuple[float, float] | None:
    """95 % interval of the mean by bootstrap over scans; the same values give the same interval."""
    if len(values) < 2:
        return None
    data = np.asarray(values)
    picks = np.random.default_rng(0).integers(data.size, size=(RESAMPLES, data.size))
    low, high = np.percentile(data[picks].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def _codes(ids: Iterable[Any]) -> dict[str, str]:
    wanted = [value for value in ids if len(str(value)) == 36]
    return {str(pk): code for pk, code in Scan.objects.filter(pk__in=wanted).values_list("pk", "code")}


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
