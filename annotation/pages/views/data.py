"""Scans: the list, one of them, and the upload."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from annotation.intake.services import receive_upload
from annotation.pages.context import current_campaign
from annotation.pages.forms import ErasureForm, UploadForm
from annotation.scans.erasing import plan_erasure
from annotation.scans.models import Scan, Subject
from annotation.scans.selectors import visible_sites
from annotation.scans.states import SCAN
from annotation.work.erasing import erase, find_subject, may_erase
from annotation.work.models import Campaign
from annotation.work.permissions import OVERSEERS, campaigns_with_role, has_role
from annotation.work.selectors import visible_assignments, visible_scans
from annotation.work.withdrawing import may_withdraw, withdraw
from voxloop.accounts.roles import Role
from voxloop.jobs.models import Job
from voxloop.jobs.selectors import visible_jobs

PAGE_SIZE = 40
REFUSED = ("rejected", "failed")


def scans(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """The campaign's scans with what became of each."""
    rows = visible_scans(request.user).filter(campaign_scans__campaign=campaign).select_related("site")
    counts = dict(rows.order_by().values_list("state").annotate(Count("pk", distinct=True)))
    sites = list(visible_sites(request.user).filter(scans__campaign_scans__campaign=campaign).distinct())
    state, site = request.GET.get("state", ""), request.GET.get("site", "")
    if state == "refused":
        rows = rows.filter(state__in=REFUSED)
    elif state in SCAN.states:
        rows = rows.filter(state=state)
    if site:
        rows = rows.filter(site__code=site)
    page = Paginator(rows.order_by("code"), PAGE_SIZE).get_page(request.GET.get("page"))
    held = {}
    for assignment in (
        visible_assignments(request.user)
        .filter(campaign=campaign, scan__in=[scan.pk for scan in page.object_list], stage="annotation")
        .exclude(state="reclaimed")
    ):
        held[assignment.scan_id] = assignment
    return render(
        request,
        "scans.html",
        {
            "page": page,
            "rows": [(scan, held.get(scan.pk)) for scan in page.object_list],
            "total": sum(counts.values()),
            "ready": counts.get("ready", 0),
            "refused": sum(counts.get(name, 0) for name in REFUSED),
            "coming": sum(counts.get(name, 0) for name in ("received", "screening", "converting")),
            "sites": sites,
            "state": state,
            "site": site,
            "importing": visible_jobs(request.user).filter(kind=Job.Kind.IMPORT_SCANS, state__in=["queued", "running"])[
                :3
            ],
        },
    )


def scan(request: HttpRequest, found: Scan) -> HttpResponse:
    """One scan: what it is, where it came from, who worked on it."""
    return render(
        request,
        "scan.html",
        {
            "scan": found,
            "assignments": visible_assignments(request.user).filter(scan=found).order_by("created_at"),
            "facts": sorted(found.facts.items()) if isinstance(found.facts, dict) else [],
            "is_overseer": any(
                has_role(request.user, row.campaign, *OVERSEERS)
                for row in found.campaign_scans.select_related("campaign")
            ),
            "may_erase": found.subject is not None and may_erase(request.user, found.subject),
            "may_withdraw": found.state == "ready" and may_withdraw(request.user, found.pk),
        },
    )


def scan_withdraw(request: HttpRequest, found: Scan) -> HttpResponse:
    """Take a scan out of every use."""
    withdraw(scan_id=found.pk, actor=request.user, why=request.POST.get("reason", ""))
    messages.success(request, f"{found.code} is withdrawn: it is served to nobody, and open work on it has ended.")
    return redirect("scan", found.pk)


def subject_erase(request: HttpRequest, found: Subject) -> HttpResponse:
    """What erasing a patient would do, and the typed confirmation that does it."""
    subject = find_subject(found.pk, request.user)
    form = ErasureForm(request.POST or None, code=subject.pseudonym)
    if request.method == "POST" and form.is_valid():
        gone = erase(
            subject_id=subject.pk,
            actor=request.user,
            why=form.cleaned_data["reason"],
            confirmation=form.cleaned_data["confirmation"],
        )
        messages.success(request, f"{gone.pseudonym} is erased, and is refused when it is sent again.")
        return redirect("home")
    scans = list(subject.scans.order_by("code"))
    return render(
        request,
        "erase.html",
        {
            "form": form,
            "subject": subject,
            "scans": scans,
            "plan": plan_erasure(subject),
            "title": f"Erase {subject.pseudonym}",
            "verb": "Erase for good",
            "discard": reverse("scan", args=[scans[0].pk]) if scans else "/",
        },
        status=422 if form.errors else 200,
    )


def upload(request: HttpRequest) -> HttpResponse:
    """Send in a zip of DICOM series or one NIfTI volume."""
    campaigns = campaigns_with_role(request.user, Role.DATA_MANAGER, Role.COORDINATOR)
    here = current_campaign(request)
    form = UploadForm(
        request.POST or None,
        request.FILES or None,
        sites=visible_sites(request.user),
        campaigns=campaigns,
        initial={"campaign": here.pk if here else None},
    )
    if request.method == "POST" and form.is_valid():
        job = receive_upload(
            upload=form.cleaned_data["file"],
            site=form.cleaned_data["site"],
            campaign=form.cleaned_data["campaign"],
            actor=request.user,
        )
        messages.success(request, "The file is here; it is screened and converted now. You can leave the page.")
        return redirect("job", job.pk)
    jobs = visible_jobs(request.user).filter(kind=Job.Kind.IMPORT_SCANS)[:8]
    return render(request, "upload.html", {"form": form, "jobs": jobs}, status=422 if form.errors else 200)
