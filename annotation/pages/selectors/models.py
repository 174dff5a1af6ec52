"""Champion and challenger, the gate, the hold-out sites, the curve of the last training."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from annotation.learning.models import ModelVersion, PreAnnotation, TrainingRun
from annotation.reviews.models import ReviewRound
from annotation.scans.models import Scan, Site
from annotation.work.models import Campaign
from voxloop.accounts.models import User

LIVE = ("queued", "running", "evaluating")
SITE_LIMIT = -0.02
BINS = ((0, 10), (10, 50), (50, 150), (150, 400), (400, None))
RULE_TITLES = {
    "measured": "It could be measured",
    "mean_dice": "Mean Dice is not lower",
    "sites": "No site loses more than 0.02",
    "false_positives": "Not more false mL on empty scans",
}
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


@dataclass
class ModelsPage:
    """Everything the page shows."""

    versions: list[tuple[ModelVersion, float | None, int | None]]
    champion: Side | None
    shown: Side | None
    run: TrainingRun | None
    live: TrainingRun | None
    rules: list[dict[str, Any]]
    sites: list[SiteRow]
    everything: SiteRow | None
    loss: list[tuple[float, float]]
    dice: list[tuple[float, float]]
    bins: list[tuple[str, float | None, float | None, int]]
    points: list[tuple[float, float, str, str]]
    lost: list[dict[str, Any]]
    approved_new: int
    served: list[tuple[str, int, float]]
    previous: ModelVersion | None
    failed: TrainingRun | None
    hold_out: list[str] = field(default_factory=list)


def models_page(user: User, campaign: Campaign, wanted: str = "") -> ModelsPage:
    """The version wanted (by its number), else the newest, beside the champion it was compared with."""
    versions = list(ModelVersion.objects.filter(campaign=campaign).select_related("run").order_by("-number"))
    champion = next((model for model in versions if model.state == "champion"), None)
    shown = next((model for model in versions if str(model.number) == wanted), versions[0] if versions else None)
    runs = list(TrainingRun.objects.filter(campaign=campaign).select_related("job").order_by("-number")[:12])
    live = next((run for run in runs if run.state in LIVE), None)
    run = shown.run if shown else None
    results = (run.results or {}) if run else {}
    new = _side(shown, results.get("challenger"))
    old = _compared(shown, versions, champion, results)
    sites, everything = _sites(old, new)
    return ModelsPage(
        versions=[(model, _summary(model).get("mean_dice"), masks_of(model.run)) for model in versions],
        champion=old,
        shown=new,
        run=run,
        live=live,
        rules=_rules(run),
        sites=sites,
        everything=everything,
        loss=_curve((live or run).curves, "train", "loss") if live or run else [],
        dice=_curve((live or run).curves, "dice", "validation") if live or run else [],
        bins=_bins(old, new),
        points=_points(user, new),
        lost=_lost(user, old, new),
        approved_new=_approved_since(campaign, run if live is None else live),
        served=_served(campaign),
        previous=_previous(versions, champion),
        failed=runs[0] if runs and runs[0].state in ("failed", "lost", "cancelled") else None,
        hold_out=sorted(Site.objects.filter(scans__campaign_scans__campaign=campaign, split="validation")
                        .values_list("code", flat=True).distinct()),
    )  # fmt: skip


def masks_of(run: TrainingRun) -> int | None:
    """How many approved masks a run learned from, out of its frozen manifest."""
    manifest = run.manifest if isinstance(run.manifest, dict) else {}
    for name in ("scans", "items", "masks", "revisions"):
        if isinstance(manifest.get(name), list):
            rows = manifest[name]
            learned = [row for row in rows if not isinstance(row, dict) or row.get("split", row.get("role")) in (None, "train")]
            return len(learned)
    return None


def steps_of(run: TrainingRun | None) -> int:
    """How many steps a run takes, when its manifest or its model says so."""
    for place in (run and run.manifest, getattr(run, "model", None) and run.model.config):
        config = place.get("config", place) if isinstance(place, dict) else {}
        if isinstance(config, dict) and isinstance(config.get("steps"), int):
            return int(config["steps"])
    return 0


def _summary(model: ModelVersion) -> Mapping[str, Any]:
    metrics = model.metrics if isinstance(model.metrics, dict) else {}
    return metrics.get("challenger", metrics)


def _side(model: ModelVersion | None, summary: Mapping[str, Any] | None) -> Side | None:
    if model is None:
        return None
    found = summary or _summary(model)
    dices = [scan["dice"] for scan in found.get("scans", []) if scan.get("dice") is not None]
    return Side(model, found, _interval(dices), masks_of(model.run))


def _compared(
    shown: ModelVersion | None, versions: list[ModelVersion], champion: ModelVersion | None, results: Mapping[str, Any]
) -> Side | None:
    """The model the shown one was measured against; its figures are those of the same evaluation."""
    measured = results.get("champion")
    if shown is None or not measured:
        return None
    if champion is not None and champion.pk != shown.pk:
        older = champion
    else:
        older = next((model for model in versions if model.number < shown.number and model.state == "replaced"), None)
    return _side(older, measured) if older else None


def _rules(run: TrainingRun | None) -> list[dict[str, Any]]:
    gate = run.gate if run and isinstance(run.gate, dict) else {}
    return [
        {"holds": rule.get("holds"), "title": RULE_TITLES.get(rule.get("key"), rule.get("key")),
         "sentence": rule.get("sentence", "")}
        for rule in gate.get("rules", [])
    ]  # fmt: skip


def _sites(old: Side | None, new: Side | None) -> tuple[list[SiteRow], SiteRow | None]:
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
                code=site["site"], side=splits.get(site["site"], ""), scans=site.get("scans", 0),
                scored=sum(1 for scan in _scans(new, site["site"]) if scan.get("dice") is not None),
                old=earlier.get("mean_dice"), new=site.get("mean_dice"),
                old_ml=earlier.get("false_positive_ml_on_empty"), new_ml=site.get("false_positive_ml_on_empty"),
                change=_change(pairs),
            )  # fmt: skip
        )
    everything = SiteRow(
        "All", "", len(new.summary.get("scans", [])), new.summary.get("scored", 0),
        old.dice if old else None, new.dice,
        old.summary.get("false_positive_ml_on_empty") if old else None,
        new.summary.get("false_positive_ml_on_empty"), _change(_pairs(old, new, None)),
    )  # fmt: skip
    return rows, everything


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


def _curve(curves: Any, *names: str) -> list[tuple[float, float]]:
    """A curve out of what the run stored: lists of [step, value], or of {"step", "loss"}."""
    rows = next((curves[name] for name in names if isinstance(curves, dict) and curves.get(name)), [])
    points = []
    for row in rows:
        if isinstance(row, dict):
            value = next((row[name] for name in ("loss", "value", "dice") if row.get(name) is not None), None)
            if value is not None:
                points.append((float(row["step"]), float(value)))
        else:
            points.append((float(row[0]), float(row[1])))
    return points


def _bins(old: Side | None, new: Side | None) -> list[tuple[str, float | None, float | None, int]]:
    if new is None:
        return []
    rows = []
    for low, high in BINS:
        inside = [scan for scan in _scans(new, None) if low <= scan.get("reference_ml", 0) < (high or float("inf"))]
        ours = [scan["dice"] for scan in inside if scan.get("dice") is not None]
        ids = {scan["id"] for scan in inside}
        theirs = [scan["dice"] for scan in (_scans(old, None) if old else []) if scan["id"] in ids and scan.get("dice") is not None]
        if ours or theirs:
            word = f"{low} to {high}" if high else f"over {low}"
            rows.append((word, _mean(theirs), _mean(ours), len(ours)))
    return rows


def _points(user: User, new: Side | None) -> list[tuple[float, float, str, str]]:
    if new is None:
        return []
    codes = _codes(scan["id"] for scan in _scans(new, None))
    return [
        (scan.get("reference_ml", 0.0), scan.get("predicted_ml", 0.0), scan.get("site", ""), codes.get(str(scan["id"]), "scan"))
        for scan in _scans(new, None)
    ]


def _lost(user: User, old: Side | None, new: Side | None) -> list[dict[str, Any]]:
    if old is None or new is None:
        return []
    before = {scan["id"]: scan for scan in _scans(old, None)}
    rows = [
        {"scan": scan, "old": before[scan["id"]]["dice"], "new": scan["dice"], "change": scan["dice"] - before[scan["id"]]["dice"]}
        for scan in _scans(new, None)
        if scan.get("dice") is not None and before.get(scan["id"], {}).get("dice") is not None
    ]
    rows = sorted((row for row in rows if row["change"] < -0.01), key=lambda row: row["change"])[:5]
    found = {str(scan.pk): scan for scan in Scan.objects.filter(pk__in=[row["scan"]["id"] for row in rows])}
    for row in rows:
        row["found"] = found.get(str(row["scan"]["id"]))
    return rows


def _codes(ids: Iterable[Any]) -> dict[str, str]:
    wanted = [value for value in ids if len(str(value)) == 36]
    return {str(pk): code for pk, code in Scan.objects.filter(pk__in=wanted).values_list("pk", "code")}


def _approved_since(campaign: Campaign, run: TrainingRun | None) -> int:
    rounds = ReviewRound.objects.filter(annotation__campaign=campaign, state__in=["approved", "corrected"])
    rounds = rounds.filter(annotation__scan__site__split="train")
    return rounds.filter(ended_at__gt=run.created_at).count() if run else rounds.count()


def _served(campaign: Campaign) -> list[tuple[str, int, float]]:
    """What the campaign's scans are offered as a start: the newest model's mask, or a blank."""
    newest: dict[Any, str] = {}
    for scan, number in PreAnnotation.objects.filter(
        campaign=campaign, state__in=["ready", "used"]
    ).order_by("created_at").values_list("scan", "model__number"):  # fmt: skip
        newest[scan] = f"m{number}"
    total = campaign.campaign_scans.filter(scan__state="ready").count()
    counts = Counter(newest.values())
    counts["blank"] = max(0, total - sum(counts.values()))
    if not total or not newest:
        return []
    return [(name, count, 100 * count / total) for name, count in sorted(counts.items(), reverse=True) if count]


def _previous(versions: list[ModelVersion], champion: ModelVersion | None) -> ModelVersion | None:
    """The model that a roll-back would bring back."""
    replaced = [model for model in versions if model.state == "replaced" and model.promoted_at]
    replaced.sort(key=lambda model: model.promoted_at, reverse=True)
    return replaced[0] if champion and replaced else None


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def scan_table(page: ModelsPage) -> list[tuple[Any, ...]]:
    """Every measured scan with both models, for the CSV."""
    if page.shown is None:
        return []
    before: dict[Any, Mapping[str, Any]] = defaultdict(dict)
    if page.champion:
        before.update({scan["id"]: scan for scan in _scans(page.champion, None)})
    codes = _codes(scan["id"] for scan in _scans(page.shown, None))
    return [
        (codes.get(str(scan["id"]), scan["id"]), scan.get("site"), scan.get("reference_ml"), scan.get("predicted_ml"),
         scan.get("dice"), before[scan["id"]].get("dice"), before[scan["id"]].get("predicted_ml"))
        for scan in _scans(page.shown, None)
    ]  # fmt: skip
