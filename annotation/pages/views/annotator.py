"""The annotator's pages."""

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render

from annotation.pages.context import current_campaign
from annotation.pages.guard import back
from annotation.pages.plots.person import own_times
from annotation.pages.requests import PageRequest
from annotation.pages.selectors.trials import trial_panel
from annotation.pages.selectors.worklist import SHOWS, group, tell, work_page, work_rows
from annotation.reviews.taking_back import take_back_submission
from annotation.work.models import Assignment
from annotation.work.pauses import pauses_told
from annotation.work.services import block_assignment, claim_assignment, skip_assignment, unblock_assignment
from annotation.work.states import AssignmentState
from voxloop.kernel.errors import Forbidden

PAGE_SIZE = 20


def worklist(request: PageRequest) -> HttpResponse:
    """What to do next and why, then everything else in order."""
    campaign = current_campaign(request)
    show = request.GET.get("show", "todo")
    show = show if show in SHOWS else "todo"
    rows = work_rows(request.user, campaign, show)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    work = work_page(request.user, campaign)
    return render(
        request,
        "worklist.html",
        {
            "work": work,
            "trial": trial_panel(request.user, campaign),
            "pauses": pauses_told(request.user, campaign) if campaign else [],
            "show": show,
            "page": page,
            "rows": group(tell(list(page.object_list)), rows),
            "offline": settings.OFFLINE_DAYS > 0,
            "times": own_times(work.times, work.median_minutes) if work.times else "",
        },
    )


def claim(request: PageRequest) -> HttpResponse:
    """Take the next scan: returned first, then one's own batch, then the pool."""
    campaign = current_campaign(request)
    assignment = claim_assignment(actor=request.user, campaign=campaign)
    if assignment is None and campaign is not None and campaign.is_paused:
        messages.info(request, f"{campaign.name} is paused: {campaign.pause_reason}")
        return redirect("worklist")
    pauses = pauses_told(request.user, campaign) if campaign else []
    if assignment is None and pauses:
        messages.info(request, " ".join(f"{pause.what} {pause.why}" for pause in pauses))
        return redirect("worklist")
    if assignment is None:
        messages.info(request, "Nothing is left to take. New work appears here when a batch is published.")
        return redirect("worklist")
    return redirect(f"/view/{assignment.pk}/")


def skip(request: PageRequest, assignment: Assignment) -> HttpResponse:
    """Skip a scan, with a reason."""
    done = skip_assignment(assignment_id=assignment.pk, actor=request.user, reason=request.POST.get("reason", ""))
    messages.success(request, f"{done.scan.code} is skipped. You find it under Done, where you can take it up again.")
    return back(request, "/worklist/")


def block(request: PageRequest, assignment: Assignment) -> HttpResponse:
    """Report that a scan cannot be worked on."""
    done = block_assignment(assignment_id=assignment.pk, actor=request.user, reason=request.POST.get("reason", ""))
    messages.success(request, f"{done.scan.code} is blocked; the coordinator sees your issue.")
    return back(request, "/worklist/")


def take_back(request: PageRequest, assignment: Assignment) -> HttpResponse:
    """Take back what one has handed in."""
    done = take_back_submission(assignment_id=assignment.pk, actor=request.user)
    messages.success(request, f"{done.scan.code} is yours again, with its mask; hand it in when it is ready.")
    return redirect("worklist")


def unskip(request: PageRequest, assignment: Assignment) -> HttpResponse:
    """Take up one's own skipped scan again."""
    if assignment.person_id != request.user.pk or assignment.state != AssignmentState.SKIPPED:
        raise Forbidden("Only your own skipped scans can be taken up again.")
    done = unblock_assignment(assignment_id=assignment.pk, actor=request.user)
    messages.success(request, f"{done.scan.code} is back in your list.")
    return back(request, "/worklist/")
