"""Champion and challenger, the gate, the hold-out sites, the curve of the last training."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from annotation.learning.models import ModelVersion, PreAnnotation, TrainingRun
from annotation.learning.selectors import (
    IN_PROGRESS,
    WITHOUT_RESULT,
    count_new_approvals,
    visible_models,
    visible_runs,
)
from annotation.pages.selectors.holdout import (
    Side,
    SiteRow,
    bin_by_volume,
    compare_sites,
    list_losses,
    list_points,
    masks_of,
    side_of,
    summary_of,
)
from annotation.scans.models import Site
from annotation.work.models import Campaign
from voxloop.accounts.models import User

RULE_TITLES = {
    "measured": "It could be measured",
    "mean_dice": "Mean Dice is not lower",
    "sites": "No site loses more than 0.02",
    "false_positives": "Not more false mL on empty scans",
}


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
    config: Mapping[str, Any] = field(default_factory=dict)
    hold_out: list[str] = field(default_factory=list)


def models_page(user: User, campaign: Campaign, wanted: str = "") -> ModelsPage:
    """The version wanted (by its number), else the newest, beside the champion it was compared with."""
    versions = list(visible_models(user).filter(campaign=campaign).order_by("-number"))
    champion = next((model for model in versions if model.state == "champion"), None)
    shown = next((model for model in versions if str(model.number) == wanted), versions[0] if versions else None)
    runs = list(visible_runs(user).filter(campaign=campaign).order_by("-number")[:12])
    live = next((run for run in runs if run.state in IN_PROGRESS), None)
    run = shown.run if shown else None
    results = (run.results or {}) if run else {}
    new = side_of(shown, results.get("challenger"))
    old = _compared(shown, versions, champion, results)
    sites, everything = compare_sites(old, new)
    return ModelsPage(
        versions=[(model, summary_of(model).get("mean_dice"), masks_of(model.run)) for model in versions],
        champion=old,
        shown=new,
        run=run,
        live=live,
        rules=_rules(run),
        sites=sites,
        everything=everything,
        loss=curve_of(run.curves) if run else [],
        dice=curve_of(run.curves, "validation") if run else [],
        bins=bin_by_volume(old, new),
        points=list_points(user, new),
        lost=list_losses(user, old, new),
        approved_new=count_new_approvals(campaign),
        served=_served(campaign),
        previous=_previous(versions, champion),
        failed=runs[0] if runs and runs[0].state in WITHOUT_RESULT else None,
        config=config_of(shown) if shown else {},
        hold_out=sorted(
            Site.objects.filter(scans__campaign_scans__campaign=campaign, split="validation")
            .values_list("code", flat=True)
            .distinct()
        ),
    )


def steps_of(model: ModelVersion | None) -> int:
    """How many steps the model was trained for; 0 when it does not say."""
    steps = config_of(model).get("steps") if model else None
    return steps if isinstance(steps, int) else 0


def config_of(model: ModelVersion) -> Mapping[str, Any]:
    """The training configuration in a model's card."""
    card = model.config if isinstance(model.config, dict) else {}
    return card.get("config", card)


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
    return side_of(older, measured) if older else None


def _rules(run: TrainingRun | None) -> list[dict[str, Any]]:
    gate = run.gate if run and isinstance(run.gate, dict) else {}
    return [
        {
            "holds": rule.get("holds"),
            "title": RULE_TITLES.get(rule.get("key"), rule.get("key")),
            "sentence": rule.get("sentence", ""),
        }
        for rule in gate.get("rules", [])
    ]


def curve_of(curves: Any, name: str = "train") -> list[tuple[float, float]]:
    """A curve as (step, value) out of what a run stored: `{"train": [{"step", "loss"}, …]}`."""
    rows = curves.get(name, []) if isinstance(curves, dict) else []
    return [(float(row["step"]), float(row["loss"])) for row in rows]


def _served(campaign: Campaign) -> list[tuple[str, int, float]]:
    """What the campaign's scans are offered as a start: the newest model's mask, or a blank."""
    newest: dict[Any, str] = {}
    for scan, number in (
        PreAnnotation.objects.filter(campaign=campaign, state__in=["ready", "used"])
        .order_by("created_at")
        .values_list("scan", "model__number")
    ):
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
