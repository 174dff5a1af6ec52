"""Releases: make, freeze, export, publish, yank."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from annotation.datasets.erasing import count_erased
from annotation.datasets.models import Release
from annotation.datasets.selectors import count_scans, visible_exports, visible_releases
from annotation.datasets.services import (
    create_release,
    folder_name,
    freeze_release,
    publish_release,
    request_export,
    yank_release,
)
from annotation.datasets.states import EXPORTABLE
from annotation.pages.forms import ExportForm, ReleaseForm
from annotation.scans.models import Site
from annotation.scans.selectors import visible_sites
from annotation.work.models import Campaign
from annotation.work.permissions import has_role
from voxloop.accounts.roles import Role

SIDES = [(value, label) for value, label in Site.Split.choices]


def releases(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Every release of the campaign."""
    rows = visible_releases(request.user).filter(campaign=campaign)
    told = [(release, sum(sum(sites.values()) for sites in count_scans(release).values())) for release in rows]
    return render(
        request,
        "releases.html",
        {
            "rows": told,
            "may_change": has_role(request.user, campaign, Role.DATA_MANAGER),
        },
    )


def release_new(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Start a draft."""
    sites = visible_sites(request.user).filter(scans__campaign_scans__campaign=campaign).distinct()
    form = ReleaseForm(request.POST or None, sites=sites)
    if request.method == "POST" and form.is_valid():
        wanted = {name: value for name, value in form.cleaned_data.items() if value}
        made = create_release(campaign=campaign, actor=request.user, **wanted)
        messages.success(request, f"{made.name} is a draft. Freeze it when its table is what you want.")
        return redirect("release", made.pk)
    return render(
        request,
        "form_page.html",
        {
            "form": form,
            "title": "New release",
            "verb": "Make draft",
            "wide": 2,
            "lead": "A draft follows what is approved; freezing fixes it for good.",
            "discard": reverse("releases", args=[campaign.slug]),
        },
        status=422 if form.errors else 200,
    )


def release(request: HttpRequest, found: Release) -> HttpResponse:
    """One release: its split, its exports, how to prove it."""
    counts = count_scans(found)
    codes = sorted({code for sites in counts.values() for code in sites})
    rows = [
        (label, [counts.get(side, {}).get(code, 0) for code in codes], sum(counts.get(side, {}).values()))
        for side, label in SIDES
    ]
    exports = list(visible_exports(request.user).filter(release=found).order_by("-created_at"))
    return render(
        request,
        "release_body.html" if request.htmx else "release.html",
        {
            "release": found,
            "erased": count_erased(found),
            "codes": codes,
            "rows": rows,
            "sums": [sum(row[1][index] for row in rows) for index in range(len(codes))],
            "total": sum(row[2] for row in rows),
            "exports": exports,
            "is_live": any(export.job and export.job.state in ("queued", "running") for export in exports),
            "folder": folder_name(found),
            "form": ExportForm(),
            "can_export": found.state in EXPORTABLE,
            "may_change": has_role(request.user, found.campaign, Role.DATA_MANAGER),
        },
    )


def release_freeze(request: HttpRequest, found: Release) -> HttpResponse:
    """Fix the list for good."""
    done = freeze_release(release_id=found.pk, actor=request.user)
    messages.success(request, f"{done.name} is frozen; nothing in it can change any more.")
    return redirect("release", found.pk)


def release_export(request: HttpRequest, found: Release) -> HttpResponse:
    """Write it out, as a job."""
    request_export(release_id=found.pk, actor=request.user, destination=request.POST.get("destination", ""))
    messages.success(request, f"{found.name} is being written. You can leave the page; the job goes on.")
    return redirect("release", found.pk)


def release_publish(request: HttpRequest, found: Release) -> HttpResponse:
    """Say that it is the one to use."""
    done = publish_release(release_id=found.pk, actor=request.user)
    messages.success(request, f"{done.name} is published.")
    return redirect("release", found.pk)


def release_yank(request: HttpRequest, found: Release) -> HttpResponse:
    """Say that it is not to be used any more."""
    done = yank_release(release_id=found.pk, actor=request.user, why=request.POST.get("reason", ""))
    messages.success(request, f"{done.name} is yanked; it stays as it is, marked as not to be used.")
    return redirect("release", found.pk)
