"""The model page: versions, gate, hold-out, curves; train, promote, roll back."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from annotation.learning.deciding import promote_model, reject_model, roll_back
from annotation.learning.models import ModelVersion, TrainingRun
from annotation.learning.selectors import IN_PROGRESS, count_ended_scans, visible_models, visible_runs
from annotation.learning.services import cancel_training, request_training
from annotation.pages.plots.cases import draw_cases
from annotation.pages.plots.models import bars_by_volume, interval, training_curve, volumes
from annotation.pages.requests import PageRequest
from annotation.pages.selectors.holdout import scan_table
from annotation.pages.selectors.models import ModelsPage, curve_of, models_page, steps_of
from annotation.pages.tables import csv_file
from annotation.work.models import Campaign
from annotation.work.permissions import has_role
from mlservice.contract import GatePolicy
from voxloop.accounts.roles import Role
from voxloop.kernel.errors import NotFound


def models(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """Quality of the models overall and by site, and what the next training needs."""
    found = models_page(request.user, campaign, request.GET.get("model", ""))
    rows = [*found.sites, *([found.everything] if found.everything and len(found.sites) > 1 else [])]
    policy = found.gate.get("policy", {})
    margin = policy.get("dice_margin", GatePolicy().dice_margin)
    old, new = (str(side.model) if side else "" for side in (found.champion, found.shown))
    return render(
        request,
        "models.html",
        {
            "found": found,
            "rows": [
                (row, interval(row.change, row.bound, row.outcome, margin=margin) if row.change else "") for row in rows
            ],
            "policy": policy,
            "ended": count_ended_scans(found.shown.model) if found.shown else {},
            "progress": min(100, 100 * found.approved_new // max(1, campaign.retrain_after)),
            "curve": _curve(found),
            "live": found.live,
            "live_curve": _live_curve(found.live, found.shown.model if found.shown else None),
            "bars": bars_by_volume(found.bins, old, new, label="Mean Dice by reference volume", counted="scans")
            if found.bins
            else "",
            "sizes": bars_by_volume(
                found.sizes, old, new, label="Share of findings that are found, by size", counted="findings"
            )
            if found.sizes
            else "",
            "scatter": volumes(found.points) if found.points else "",
            "cases": draw_cases(found.cases, found.shown.model, old, new) if found.shown else [],
            "may_change": has_role(request.user, campaign, Role.COORDINATOR),
        },
    )


def models_live(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """The running training; reloads the page when it has ended."""
    live = visible_runs(request.user).filter(campaign=campaign, state__in=IN_PROGRESS).first()
    if live is None:
        answer = HttpResponse(status=204)
        answer["HX-Refresh"] = "true"
        return answer
    may_change = has_role(request.user, campaign, Role.COORDINATOR)
    newest = visible_models(request.user).filter(campaign=campaign).order_by("-number").first()
    return render(
        request, "models_live.html", {"live": live, "live_curve": _live_curve(live, newest), "may_change": may_change}
    )


def models_csv(request: PageRequest, campaign: Campaign, name: str) -> HttpResponse:
    """The figures behind the plots."""
    found = models_page(request.user, campaign, request.GET.get("model", ""))
    tables = {
        "curve": (
            ["step", "what", "value"],
            [
                (step, what, value)
                for what, rows in (("loss", found.loss), ("dice", found.dice))
                for step, value in rows
            ],
        ),
        "scans": (
            ["scan", "site", "reference_ml", "predicted_ml", "dice", "champion_dice", "champion_predicted_ml"],
            scan_table(found.champion, found.shown),
        ),
        "sites": (
            [
                *("site", "side", "scans", "scored", "champion_dice", "dice"),
                *("change", "low_95", "high_95", "bound", "outcome"),
            ],
            [
                (
                    *(row.code, row.side, row.scans, row.scored, row.old, row.new),
                    *(row.change or ("", "", "")),
                    *(row.bound, row.outcome),
                )
                for row in found.sites
            ],
        ),
        "sizes": (
            ["ml", "champion_found", "found", "findings"],
            found.sizes,
        ),
    }
    if name not in tables:
        raise NotFound
    return csv_file(f"{campaign.slug}-models-{name}", *tables[name])


def train(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """Start a training run now."""
    run = request_training(campaign=campaign, actor=request.user)
    messages.success(request, f"Training run {run.number} is asked for. Its curve grows on this page.")
    return redirect("models", campaign.slug)


def train_cancel(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """Cancel the running training."""
    run = TrainingRun.objects.filter(campaign=campaign, state__in=IN_PROGRESS).first()
    if run is None:
        messages.info(request, "No training run is in progress.")
    else:
        cancel_training(run_id=run.pk, actor=request.user)
        messages.success(request, f"Training run {run.number} is cancelled; the champion still serves.")
    return redirect("models", campaign.slug)


def promote(request: PageRequest, model: ModelVersion) -> HttpResponse:
    """Make a version the champion; the previous one is kept for a roll-back."""
    done = promote_model(model_id=model.pk, actor=request.user, why=request.POST.get("reason", "").strip())
    return _serves(request, done)


def reject(request: PageRequest, model: ModelVersion) -> HttpResponse:
    """Turn down a version that waits for a decision."""
    done = reject_model(model_id=model.pk, actor=request.user, why=request.POST.get("reason", "").strip())
    messages.success(request, f"{done} is rejected. Your reason is kept with it.")
    return _show(done)


def model_roll_back(request: PageRequest, model: ModelVersion) -> HttpResponse:
    """Let the version serve again that served before this champion."""
    return _serves(request, roll_back(model_id=model.pk, actor=request.user, why=request.POST.get("reason", "")))


def _serves(request: PageRequest, model: ModelVersion) -> HttpResponse:
    messages.success(request, f"{model} serves pre-annotations from now on, for scans that nobody has opened.")
    return _show(model)


def _show(model: ModelVersion) -> HttpResponse:
    return redirect(f"{reverse('models', args=[model.campaign.slug])}?model={model.number}")


def _curve(found: ModelsPage) -> str:
    if not found.loss and not found.dice:
        return ""
    champion = (str(found.champion.model), found.champion.dice) if found.champion and found.champion.dice else None
    return training_curve(
        found.loss,
        found.dice,
        steps=steps_of(found.shown.model if found.shown else None),
        champion=champion if found.dice else None,
    )


def _live_curve(run: TrainingRun | None, before: ModelVersion | None) -> str:
    """The loss so far; the axis has the length of the previous training."""
    points = curve_of(run.curves) if run else []
    return training_curve(points, [], steps=steps_of(before), size=(420, 140)) if points else ""
