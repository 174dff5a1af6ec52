"""Scans: the list, one of them, and the upload."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from annotation.intake.services import receive_upload
from annotation.masks.elsewhere import imports_of
from annotation.masks.nifti import geometry_of
from annotation.masks.selectors import amount_of
from annotation.masks.sources import source_in_words
from annotation.pages.context import current_campaign
from annotation.pages.forms import ErasureForm, UploadForm
from annotation.pages.pictures import draw_plane
from annotation.pages.requests import PageRequest
from annotation.pages.selectors.eligibility import judgements_of, planes_of
from annotation.pages.selectors.scans import DEFAULT_SORT, HEAD, REFUSED, find_scans, table_of, work_on
from annotation.pages.sending import form_page, save
from annotation.pages.tables import csv_file
from annotation.reporting.selectors import measurement_of
from annotation.scans.erasing import plan_erasure
from annotation.scans.models import ErasedSubject, Scan, Subject
from annotation.scans.selectors import visible_sites
from annotation.scans.states import ScanState
from annotation.work.erasing import erase, find_subject, may_erase
from annotation.work.models import Campaign
from annotation.work.permissions import OVERSEERS, campaigns_with_role, has_role
from annotation.work.selectors import visible_assignments, visible_scans
from annotation.work.withdrawing import may_withdraw, withdraw
from voxloop.accounts.roles import Role
from voxloop.jobs.models import Job
from voxloop.jobs.selectors import visible_jobs
from voxloop.jobs.states import JobState
from voxloop.kernel.errors import NotFound

PAGE_SIZE = 40
# The displayed facts of a scan: name, text, unit.
ACQUISITION = (
    ("manufacturer", "Manufacturer", ""),
    ("model", "Model", ""),
    ("kernel", "Kernel", ""),
    ("slice_thickness_mm", "Slice thickness", "mm"),
    ("kvp", "Tube voltage", "kV"),
    ("contrast", "Contrast agent", ""),
)
DOUBTS = {"derived": "derived", "secondary_capture": "a secondary capture", "not_hu": "values unlike HU"}


def scans(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """The campaign's scans with the state of each."""
    rows = visible_scans(request.user).filter(campaign_scans__campaign=campaign)
    counts = dict(rows.order_by().values_list("state").annotate(Count("pk", distinct=True)))
    sites = list(visible_sites(request.user).filter(scans__campaign_scans__campaign=campaign).distinct())
    found = find_scans(request.user, campaign, request.GET)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    held = work_on(request.user, campaign, page.object_list)
    state, site = request.GET.get("state", ""), request.GET.get("site", "")
    return render(
        request,
        "scans.html",
        {
            "page": page,
            "rows": [(scan, held.get(scan.pk)) for scan in page.object_list],
            "total": sum(counts.values()),
            "ready": counts.get(ScanState.READY, 0),
            "refused": sum(counts.get(name, 0) for name in REFUSED),
            "coming": sum(
                counts.get(name, 0) for name in (ScanState.RECEIVED, ScanState.SCREENING, ScanState.CONVERTING)
            ),
            "sites": sites,
            "state": state,
            "site": site,
            "kept": [(name, request.GET[name]) for name in ("state", "site", "sort") if name in request.GET],
            "words": request.GET.get("q", ""),
            "may_make_batch": has_role(request.user, campaign, Role.COORDINATOR),
            "default_sort": DEFAULT_SORT,
            "importing": visible_jobs(request.user).filter(
                kind=Job.Kind.IMPORT_SCANS, state__in=[JobState.QUEUED, JobState.RUNNING]
            )[:3],
        },
    )


def scans_csv(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """The scans of the filter, in its order, with the work on each."""
    found = list(find_scans(request.user, campaign, request.GET))
    return csv_file(f"{campaign.slug}-scans", HEAD, table_of(found, work_on(request.user, campaign, found)))


def scan(request: PageRequest, found: Scan) -> HttpResponse:
    """One scan: what it is, where it came from, who worked on it."""
    return render(
        request,
        "scan.html",
        {
            "scan": found,
            "assignments": visible_assignments(request.user)
            .filter(scan=found)
            .select_related("review_round")
            .order_by("created_at"),
            "described": _described(found),
            "planes": planes_of(found) if found.state == ScanState.READY else [],
            "facts": acquisition_in_words(found),
            "judgements": (judgements := judgements_of(request.user, found)),
            "is_excluded": any(not row.is_eligible for row in judgements),
            "measured": measurement_of(found, request.user),
            "is_overseer": any(
                has_role(request.user, row.campaign, *OVERSEERS)
                for row in found.campaign_scans.select_related("campaign")
            ),
            "may_erase": found.subject is not None and may_erase(request.user, found.subject),
            "imports": [(row, source_in_words(row.source), amount_of(row, found)) for row in imports_of(found)[:20]]
            if found.state == ScanState.READY
            else [],
            "unit": geometry_of(found).unit if found.state == ScanState.READY else "",
            "may_withdraw": found.state == ScanState.READY and may_withdraw(request.user, found.pk),
        },
    )


def scan_picture(request: PageRequest, found: Scan, plane: str) -> HttpResponse:
    """The middle of a scan, axial or coronal."""
    if found.state != ScanState.READY:
        raise NotFound
    answer = HttpResponse(draw_plane(found, plane), content_type="image/png")
    answer["Cache-Control"] = "private, max-age=600"
    return answer


def acquisition_in_words(scan: Scan) -> list[tuple[str, str]]:
    """The acquisition parameters from the files, formatted for readers; missing ones are left out."""
    found = []
    for name, words, unit in ACQUISITION:
        value = scan.facts.get(name)
        if isinstance(value, bool):
            found.append((words, "yes" if value else "no"))
        elif value not in (None, ""):
            number = f"{value:g}" if isinstance(value, float) else str(value)
            found.append((words, f"{number} {unit}".strip()))
    if overruled := scan.facts.get("overruled"):
        found.append(("Taken in nevertheless", ", ".join(DOUBTS[code] for code in overruled)))
    return found


def _described(scan: Scan) -> str:
    """Modality and description; many descriptions begin with the modality."""
    if scan.description.startswith(scan.modality):
        return scan.description
    return ", ".join(part for part in (scan.modality, scan.description) if part)


def scan_withdraw(request: PageRequest, found: Scan) -> HttpResponse:
    """Withdraw a scan."""
    withdraw(scan_id=found.pk, actor=request.user, why=request.POST.get("reason", ""))
    messages.success(request, f"{found.code} is withdrawn: it is no longer served, and open work on it has ended.")
    return redirect("scan", found.pk)


def subject_erase(request: PageRequest, found: Subject) -> HttpResponse:
    """Preview the erasure of a patient (GET), and erase after typed confirmation (POST)."""
    subject = find_subject(found.pk, request.user)
    form = ErasureForm(request.POST or None, code=subject.pseudonym)

    def erase_all() -> ErasedSubject:
        wanted = form.cleaned_data
        return erase(
            subject_id=subject.pk, actor=request.user, why=wanted["reason"], confirmation=wanted["confirmation"]
        )

    if request.method == "POST" and form.is_valid() and (gone := save(form, erase_all)):
        messages.success(request, f"{gone.pseudonym} is erased, and is refused when it is sent again.")
        return redirect("home")
    scans = list(subject.scans.order_by("code"))
    return form_page(
        request,
        form,
        {
            "subject": subject,
            "scans": scans,
            "plan": plan_erasure(subject),
            "title": f"Erase {subject.pseudonym}",
            "verb": "Erase for good",
            "discard": reverse("scan", args=[scans[0].pk]) if scans else "/",
        },
        "erase.html",
    )


def upload(request: PageRequest) -> HttpResponse:
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

    def receive() -> Job:
        wanted = form.cleaned_data
        return receive_upload(
            upload=wanted["file"],
            site=wanted["site"],
            campaign=wanted["campaign"],
            actor=request.user,
            overrule=wanted["nevertheless"],
        )

    if request.method == "POST" and form.is_valid() and (job := save(form, receive)):
        return redirect("job", job.pk)
    jobs = visible_jobs(request.user).filter(kind=Job.Kind.IMPORT_SCANS)[:8]
    return form_page(request, form, {"jobs": jobs}, "upload.html")
