"""Releases: make, freeze, export, publish, yank."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import FileResponse, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.text import capfirst

from annotation.datasets.choosing import check_filters, choose_rounds, list_segments
from annotation.datasets.downloading import (
    LINK_HOURS,
    aws_command,
    find_export,
    is_in_folder,
    make_links,
    replaced_among,
    serve_export,
)
from annotation.datasets.erasing import count_erased
from annotation.datasets.estimating import estimate_export
from annotation.datasets.exporters.choices import titles_of
from annotation.datasets.exporters.chosen import say_filters
from annotation.datasets.models import Export, Release
from annotation.datasets.parts import say_part
from annotation.datasets.selectors import count_scans, count_sides, visible_exports, visible_releases
from annotation.datasets.services import (
    create_release,
    discard_release,
    folder_of_export,
    freeze_release,
    publish_release,
    request_export,
    yank_release,
)
from annotation.datasets.states import EXPORTABLE, ReleaseState
from annotation.pages.release_forms import SIDES, ExportForm, FiltersForm, ReleaseForm
from annotation.pages.requests import PageRequest
from annotation.pages.sending import form_page, save
from annotation.scans.models import Site
from annotation.scans.selectors import visible_sites
from annotation.work.models import Campaign
from annotation.work.permissions import has_role
from voxloop.accounts.roles import Role
from voxloop.jobs.states import JobState
from voxloop.kernel.errors import Invalid, Refusal


def releases(request: PageRequest, campaign: Campaign) -> HttpResponse:
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


def release_new(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """Start a draft."""
    sites = _sites(request, campaign)
    form = ReleaseForm(request.POST or None, sites=sites, segments=list_segments(campaign.schema))

    def make() -> Release:
        told = {name: form.cleaned_data[name] for name in ("name", "notes", "licence")}
        return create_release(campaign=campaign, actor=request.user, **told, **form.filters())

    if request.method == "POST" and form.is_valid() and (made := save(form, make)):
        messages.success(request, f"{made.name} is a draft. Freeze it when its table is what you want.")
        return redirect("release", made.pk)
    return form_page(
        request,
        form,
        {
            "title": "New release",
            "verb": "Make draft",
            "wide": 2,
            "lead": "A draft follows what is approved; freezing fixes it for good.",
            "discard": reverse("releases", args=[campaign.slug]),
            "campaign": campaign,
        },
        "release_new.html",
    )


def release_count(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """What the filters that are being typed take and leave of the approved scans of one's sites."""
    sites = _sites(request, campaign)
    form = FiltersForm(request.GET, sites=sites, segments=list_segments(campaign.schema))
    if not form.is_valid():
        faults = [f"{form[name].label}: {' '.join(map(str, errors))}" for name, errors in form.errors.items()]
        return render(request, "release_count.html", {"faults": faults})
    try:
        filters = check_filters(campaign, form.filters())
    except Invalid as fault:
        return render(request, "release_count.html", {"faults": [fault.detail]})
    chosen = choose_rounds(campaign, filters, [site.code for site in sites])
    sides = count_sides(chosen.taken)
    told = [f"{sides[side]:,} {label.split(' ')[0].lower()}" for side, label in SIDES if sides.get(side)]
    return render(request, "release_count.html", {"chosen": chosen, "sides": told})


def release_estimate(request: PageRequest, found: Release) -> HttpResponse:
    """How large an export with the ticked choices will be."""
    chosen = {name: request.GET.getlist(name) for name in ("formats", "sides", "sites")}
    try:
        return render(request, "release_estimate.html", {"found": estimate_export(found, **chosen)})
    except Refusal as refusal:
        return render(request, "release_estimate.html", {"fault": refusal.detail})


def _sites(request: PageRequest, campaign: Campaign) -> QuerySet[Site]:
    return visible_sites(request.user).filter(scans__campaign_scans__campaign=campaign).distinct()


def release(request: PageRequest, found: Release) -> HttpResponse:
    """One release: its split, its exports, how to verify it."""
    counts = count_scans(found)
    codes = sorted({code for sites in counts.values() for code in sites})
    rows = [
        (label, [counts.get(side, {}).get(code, 0) for code in codes], sum(counts.get(side, {}).values()))
        for side, label in SIDES
    ]
    exports = list(visible_exports(request.user).filter(release=found).order_by("-created_at"))
    replaced = replaced_among(exports)
    complete = [one for one in exports if one.seal and vars(one)["file_count"] and one.pk not in replaced]
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
            "exports": [
                (
                    export,
                    is_in_folder(export),
                    aws_command(export),
                    titles_of(export.formats),
                    capfirst(say_part(export.part)) if export.part else "",
                    folder_of_export(export),
                )
                for export in exports
            ],
            "filters": say_filters(found.filters, found.campaign.schema.definition),
            "chosen": choose_rounds(
                found.campaign, found.filters, [site.code for site in _sites(request, found.campaign)]
            )
            if found.state == ReleaseState.DRAFT
            else None,
            "replaced": replaced,
            "verify_commands": [
                (one.pk, say_part(one.part) if one.part else "", _verify_command(one)) for one in complete
            ],
            "link_hours": LINK_HOURS,
            "is_live": any(
                export.job and export.job.state in (JobState.QUEUED, JobState.RUNNING) for export in exports
            ),
            "form": ExportForm(sides=list(counts), sites=codes),
            "can_export": found.state in EXPORTABLE,
            "may_change": has_role(request.user, found.campaign, Role.DATA_MANAGER),
        },
    )


def _verify_command(export: Export) -> str:
    """Unpack and verify a download, on any computer with Python, numpy and nibabel."""
    name = folder_of_export(export)
    return f"python3 -m zipfile -e {name}.zip . && python3 {name}/verify.py --seal {export.seal}"


def release_discard(request: PageRequest, found: Release) -> HttpResponse:
    """Throw a draft away."""
    name = discard_release(release_id=found.pk, actor=request.user)
    messages.success(request, f"The draft {name} is discarded.")
    return redirect("releases", found.campaign.slug)


def release_freeze(request: PageRequest, found: Release) -> HttpResponse:
    """Fix the list permanently."""
    done = freeze_release(release_id=found.pk, actor=request.user)
    messages.success(request, f"{done.name} is frozen; nothing in it can change any more.")
    return redirect("release", found.pk)


def release_export(request: PageRequest, found: Release) -> HttpResponse:
    """Start a job that exports it."""
    request_export(
        release_id=found.pk,
        actor=request.user,
        destination=request.POST.get("destination", ""),
        formats=request.POST.getlist("formats"),
        sides=request.POST.getlist("sides"),
        sites=request.POST.getlist("sites"),
    )
    messages.success(request, f"{found.name} is being written. You can leave the page; the job goes on.")
    return redirect("release", found.pk)


def export_download(request: PageRequest, found: Export) -> HttpResponse | FileResponse:
    """An export in a folder of the server, as one zip."""
    return serve_export(request, find_export(found.pk, request.user), request.user)


def export_links(request: PageRequest, found: Export) -> HttpResponse:
    """Links to the files of an export in a bucket, as a configuration of curl to be saved."""
    links = make_links(find_export(found.pk, request.user), request.user)
    disposition = content_disposition_header(True, f"{links.name}.curl") or "attachment"
    headers = {"Content-Disposition": disposition, "Cache-Control": "no-store"}
    return HttpResponse(links.curl_config, content_type="text/plain; charset=utf-8", headers=headers)


def release_publish(request: PageRequest, found: Release) -> HttpResponse:
    """Mark it as the one to use."""
    done = publish_release(release_id=found.pk, actor=request.user)
    messages.success(request, f"{done.name} is published.")
    return redirect("release", found.pk)


def release_yank(request: PageRequest, found: Release) -> HttpResponse:
    """Mark it as not to be used any more."""
    done = yank_release(release_id=found.pk, actor=request.user, why=request.POST.get("reason", ""))
    messages.success(request, f"{done.name} is yanked; it stays as it is, marked as not to be used.")
    return redirect("release", found.pk)
