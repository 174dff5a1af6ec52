"""Champion and challenger, the gate, the hold-out sites, the curve of the last training."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from annotation.learning.history import Decision, list_decisions
from annotation.learning.models import ModelVersion, PreAnnotation, TrainingRun
from annotation.learning.selectors import (
    IN_PROGRESS,
    WITHOUT_RESULT,
    count_new_approvals,
    hold_out_sites,
    previous_champion,
    visible_models,
    visible_runs,
)
from annotation.learning.states import ModelState, PreAnnotationState
from annotation.pages.selectors.evidence import (
    RuleRow,
    cases_of,
    gate_heading,
    gate_of,
    rules_of,
)
from annotation.pages.selectors.holdout import (
    Side,
    SiteRow,
    bin_by_volume,
    compare_sites,
    group_sizes,
    list_points,
    masks_of,
    side_of,
    summary_of,
)
from annotation.scans.states import ScanState
from annotation.work.models import Campaign
from voxloop.accounts.models import User


@dataclass
class ModelsPage:
    """Everything the page shows."""

    versions: list[tuple[ModelVersion, float | None, int | None]]
    champion: Side | None
    shown: Side | None
    run: TrainingRun | None
    live: TrainingRun | None
    gate: Mapping[str, Any]
    rules: list[RuleRow]
    heading: str
    sites: list[SiteRow]
    everything: SiteRow | None
    loss: list[tuple[float, float]]
    dice: list[tuple[float, float]]
    bins: list[tuple[str, float | None, float | None, int]]
    sizes: list[tuple[str, float | None, float | None, int]]
    points: list[tuple[float, float, str, str]]
    cases: list[dict[str, Any]]
    history: list[Decision]
    approved_new: int
    served: list[tuple[str, int, float]]
    previous: ModelVersion | None
    serving: ModelVersion | None
    failed: TrainingRun | None
    config: Mapping[str, Any] = field(default_factory=dict)
    hold_out: list[str] = field(default_factory=list)


def models_page(user: User, campaign: Campaign, wanted: str = "") -> ModelsPage:
    """The requested version (by number), else the newest, with the champion it was compared with."""
    versions = list(visible_models(user).filter(campaign=campaign).order_by("-number"))
    champion = next((model for model in versions if model.state == ModelState.CHAMPION), None)
    shown = next((model for model in versions if str(model.number) == wanted), versions[0] if versions else None)
    runs = list(visible_runs(user).filter(campaign=campaign).order_by("-number")[:12])
    live = next((run for run in runs if run.state in IN_PROGRESS), None)
    run = shown.run if shown else None
    results = (run.results or {}) if run else {}
    new = side_of(shown, results.get("challenger"))
    old = _compared(shown, versions, champion, results)
    gate = gate_of(run)
    sites, everything = compare_sites(old, new, gate)
    return ModelsPage(
        versions=[(model, summary_of(model).get("mean_dice"), masks_of(model.run)) for model in versions],
        champion=old,
        shown=new,
        run=run,
        live=live,
        gate=gate,
        rules=rules_of(gate, is_first=not results.get("champion")),
        heading=gate_heading(gate, str(shown)),
        sites=sites,
        everything=everything,
        loss=curve_of(run.curves) if run else [],
        dice=curve_of(run.curves, "validation") if run else [],
        bins=bin_by_volume(old, new),
        sizes=group_sizes(old, new),
        points=list_points(new),
        cases=cases_of(user, run),
        history=list_decisions(shown) if shown else [],
        approved_new=count_new_approvals(campaign),
        served=_served(campaign),
        previous=previous_champion(champion) if champion else None,
        serving=champion,
        failed=runs[0] if runs and runs[0].state in WITHOUT_RESULT else None,
        config=config_of(shown) if shown else {},
        hold_out=list(hold_out_sites(campaign)),
    )


def steps_of(model: ModelVersion | None) -> int:
    """How many steps the model was trained for; 0 when it does not say."""
    steps = config_of(model).get("steps") if model else None
    return steps if isinstance(steps, int) else 0


def config_of(model: ModelVersion) -> Mapping[str, Any]:
    """The training configuration in a model's card."""
    card = model.config if isinstance(model.config, dict) else {}
    found: Mapping[str, Any] = card.get("config", card)
    return found


def _compared(
    shown: ModelVersion | None, versions: list[ModelVersion], champion: ModelVersion | None, results: Mapping[str, Any]
) -> Side | None:
    """The model the shown one was measured against; its figures are those of the same evaluation."""
    measured = results.get("champion")
    if shown is None or not measured:
        return None
    if champion is not None and champion.pk != shown.pk:
        older: ModelVersion | None = champion
    else:
        older = next(
            (model for model in versions if model.number < shown.number and model.state == ModelState.REPLACED), None
        )
    return side_of(older, measured) if older else None


def curve_of(curves: Any, name: str = "train") -> list[tuple[float, float]]:
    """A curve as (step, value) from a run's stored losses: `{"train": [{"step", "loss"}, …]}`."""
    rows = curves.get(name, []) if isinstance(curves, dict) else []
    return [(float(row["step"]), float(row["loss"])) for row in rows]


def _served(campaign: Campaign) -> list[tuple[str, int, float]]:
    """How many of the campaign's scans start with which model's mask, or blank."""
    newest: dict[Any, str] = {}
    for scan, number in (
        PreAnnotation.objects.filter(campaign=campaign, state__in=[PreAnnotationState.READY, PreAnnotationState.USED])
        .order_by("created_at")
        .values_list("scan", "model__number")
    ):
        newest[scan] = f"m{number}"
    total = campaign.campaign_scans.filter(scan__state=ScanState.READY).count()
    counts = Counter(newest.values())
    counts["blank"] = max(0, total - sum(counts.values()))
    if not total or not newest:
        return []
    return [(name, count, 100 * count / total) for name, count in sorted(counts.items(), reverse=True) if count]
