"""Gold scans and certification, for the coordinator; a newcomer begins an attempt here."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render

from annotation.pages.gold_forms import MOST_AT_ONCE, HideGoldForm, MakeGoldForm
from annotation.pages.guard import back
from annotation.pages.plots.campaign import spark
from annotation.pages.plots.gold import trends
from annotation.pages.requests import PageRequest
from annotation.pages.selectors.gold import gold_page, visible_results
from annotation.pages.tables import csv_file
from annotation.pages.templatetags.figures import plural
from annotation.reviews.feedback import next_of
from annotation.reviews.gold import change_gold, make_gold
from annotation.reviews.models import GoldScan
from annotation.reviews.trials import begin_trial, let_work
from annotation.work.gold import hide_gold
from annotation.work.models import Batch, Campaign
from voxloop.kernel.errors import Invalid, NotFound
from voxloop.volume.agreement import TOLERANCE_MM

HEAD = (
    *("person", "scan", "site", "kind", "attempt", "batch", "dice", "surface_dice_by_area", "tolerance_mm"),
    *("too_much_ml", "missed_ml", "drawn_ml", "reference_ml", "handed_in_utc"),
)


def gold(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """Who reads gold scans how, the gold scans, and what could become one."""
    words = request.GET.get("q", "").strip()[:64]
    found = gold_page(request.user, campaign, words)
    read = [one for one in found.readers if one.dices]
    return render(
        request,
        "gold.html",
        {
            "found": found,
            "words": words,
            "tolerance": TOLERANCE_MM,
            "readers": [(one, spark(one.dices[-20:]) if len(one.dices) > 1 else "") for one in found.readers],
            "trend": trends([(one.person.username, one.dices) for one in read], found.mark.dice) if read else "",
            "form": MakeGoldForm(),
            "most": MOST_AT_ONCE,
        },
    )


def gold_make(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """Make the chosen scans gold: all of them, or none."""
    offered = [one.scan.pk for one in gold_page(request.user, campaign, request.POST.get("q", "")).candidates]
    form = MakeGoldForm(request.POST, offered=offered)
    if not form.is_valid():
        raise Invalid("Choose scans of the list, and what their reference is made of.", code="bad_gold")
    wanted: dict[str, Any] = form.cleaned_data
    if not 1 <= len(wanted["scans"]) <= MOST_AT_ONCE:
        raise Invalid(f"Choose 1 to {MOST_AT_ONCE} scans at a time.", code="bad_gold")
    with transaction.atomic():
        for pk in wanted["scans"]:
            make_gold(
                campaign=campaign,
                scan_id=pk,
                actor=request.user,
                origin=wanted["origin"],
                certifies=wanted["certifies"],
            )
    count = len(wanted["scans"])
    messages.success(request, f"{plural(count, 'scan')} {'is' if count == 1 else 'are'} gold now.")
    return redirect("gold", campaign.slug)


def gold_change(request: PageRequest, campaign: Campaign, gold: UUID) -> HttpResponse:
    """Put a gold scan into the certification set, take it out, or use it no more."""
    changes: dict[str, dict[str, bool]] = {
        "certify": {"certifies": True},
        "spare": {"certifies": False},
        "retire": {"is_used": False},
        "use": {"is_used": True},
    }
    wanted = changes.get(request.POST.get("change", ""))
    if not GoldScan.objects.filter(pk=gold, campaign=campaign).exists():
        raise NotFound
    if wanted is None:
        raise Invalid("Choose what to change of this gold scan.", code="bad_gold")
    done = change_gold(gold_id=gold, actor=request.user, **wanted)
    said = "is used no more" if done.retired_at else "certifies newcomers" if done.certifies else "is hidden in batches"
    messages.success(request, f"{done.scan.code} {said}.")
    return redirect("gold", campaign.slug)


def gold_csv(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """Every measured reading, hidden ones and those of certifications."""
    rows = [
        (
            *(one.assignment.person.username if one.assignment.person else "", one.gold.scan.code),
            *(one.gold.scan.site.code, "certification" if one.trial else "hidden"),
            *(one.trial.number if one.trial else "", one.assignment.batch.name),
            *(f"{one.dice:.4f}", f"{one.surface_dice:.4f}", f"{one.tolerance_mm:g}"),
            *(f"{ml:.3f}" for ml in (one.too_much_ml, one.missed_ml, one.drawn_ml, one.gold_ml)),
            one.handed_in_at.isoformat(),
        )
        for one in visible_results(request.user, campaign)
    ]
    return csv_file(f"{campaign.slug}-gold", HEAD, rows)


def member_let_work(request: PageRequest, campaign: Campaign, person: UUID) -> HttpResponse:
    """Let an annotator work without the certification."""
    why = request.POST.get("reason", "")
    done = let_work(campaign=campaign, person_id=person, actor=request.user, why=why)
    messages.success(request, f"{done.user} may work without the certification.")
    return redirect("gold", campaign.slug)


def batch_gold(request: PageRequest, found: Batch) -> HttpResponse:
    """Hide gold scans in a batch that is under way."""
    form = HideGoldForm(request.POST)
    if not form.is_valid():
        raise Invalid("Say how many gold scans to hide.", code="bad_size")
    hidden = hide_gold(batch_id=found.pk, actor=request.user, count=form.cleaned_data["count"])
    messages.success(request, f"{plural(len(hidden), 'gold scan')} hidden in {found.name}.")
    return back(request)


def trial_begin(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """Begin an attempt at the certification and open its first scan."""
    trial = begin_trial(campaign=campaign, actor=request.user)
    first = next_of(trial)
    return redirect(f"/view/{first.pk}/") if first else redirect("worklist")
