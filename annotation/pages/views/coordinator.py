"""Batches."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from annotation.learning.models import ModelVersion
from annotation.pages.door import back
from annotation.pages.forms import AssignForm, BatchForm
from annotation.pages.plots.campaign import day_bars
from annotation.pages.selectors.batches import STATES, board, cards, decisions, people
from annotation.pages.templatetags.figures import plural
from annotation.work.batches import assign_batch, cancel_batch, close_batch, create_batch, publish_batch
from annotation.work.models import Assignment, Batch, Campaign
from annotation.work.permissions import has_role
from annotation.work.selectors import unassigned_scans, visible_assignments
from annotation.work.services import reclaim_assignment, unblock_assignment
from voxloop.accounts.roles import Role
from voxloop.kernel.errors import Conflict


def batches(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Every batch as a board or a table, the people, and what needs a decision."""
    found = cards(request.user, campaign)
    annotators = people(request.user, campaign)
    challenger = ModelVersion.objects.filter(campaign=campaign, state="candidate").first()
    as_table = request.GET.get("view") == "table"
    approved = sum(card.counts["approved"] for card in found)
    return render(
        request,
        "batches.html",
        {
            "cards": found,
            "columns": None if as_table else board(found),
            "as_table": as_table,
            "states": STATES,
            "people": [(row, day_bars(row.days)) for row in annotators],
            "decisions": decisions(campaign, found, annotators, challenger),
            "scans": sum(card.total for card in found),
            "approved": approved,
            "unassigned": unassigned_scans(campaign).count(),
            "may_change": has_role(request.user, campaign, Role.COORDINATOR),
        },
    )


def batch_new(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Make a batch, and publish it if wanted."""
    free = unassigned_scans(campaign).count()
    form = BatchForm(request.POST or None, campaign=campaign, free=free)
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        with transaction.atomic():
            batch = create_batch(
                campaign=campaign,
                actor=request.user,
                size=wanted["size"],
                chosen_by=wanted["chosen_by"],
                assignee=wanted["assignee"],
                due_on=wanted["due_on"],
            )
            if wanted["publish"]:
                publish_batch(batch_id=batch.pk, actor=request.user)
        scans = plural(batch.assignments.count(), "scan")
        whom = f" for {batch.assignee}" if batch.assignee else " in the pool"
        messages.success(
            request, f"{batch.name} with {scans}{whom} is {'published' if wanted['publish'] else 'a draft'}."
        )
        return redirect("batch", batch.pk)
    return render(
        request,
        "form_page.html",
        {
            "form": form,
            "title": "New batch",
            "verb": "Make batch",
            "wide": 2,
            "lead": "Scans are chosen among those that are ready, in no batch, and of sites the person may see.",
            "discard": reverse("batches", args=[campaign.slug]),
        },
        status=422 if form.errors else 200,
    )


def batch(request: HttpRequest, found: Batch) -> HttpResponse:
    """One batch: its scans, who has them, what can be done."""
    card = next(card for card in cards(request.user, found.campaign) if card.batch.pk == found.pk)
    rows = (
        visible_assignments(request.user)
        .filter(batch=found, stage=Assignment.Stage.ANNOTATION)
        .order_by("position", "-created_at")
    )
    return render(
        request,
        "batch.html",
        {
            "card": card,
            "batch": found,
            "rows": rows,
            "assign": AssignForm(batch=found),
            "may_change": has_role(request.user, found.campaign, Role.COORDINATOR),
            "untouched": rows.filter(state="queued", person__isnull=False).count(),
        },
    )


def batch_publish(request: HttpRequest, found: Batch) -> HttpResponse:
    """Give the batch out."""
    done = publish_batch(batch_id=found.pk, actor=request.user)
    messages.success(request, f"{done.name} is published.")
    return back(request)


def batch_assign(request: HttpRequest, found: Batch) -> HttpResponse:
    """Give what nobody has begun to another person, or to the pool."""
    form = AssignForm(request.POST, batch=found)
    if not form.is_valid():
        raise Conflict("Choose an annotator of this campaign, or the pool.", code="not_an_annotator")
    done = assign_batch(batch_id=found.pk, person=form.cleaned_data["person"], actor=request.user)
    messages.success(request, f"{done.name} is given to {done.assignee or 'the pool'}.")
    return back(request)


def batch_reclaim(request: HttpRequest, found: Batch) -> HttpResponse:
    """Put every scan that was not begun back into the pool."""
    count = found.assignments.filter(state="queued", person__isnull=False).count()
    assign_batch(batch_id=found.pk, person=None, actor=request.user)
    messages.success(
        request, f"{plural(count, 'scan')} of {found.name} {'is' if count == 1 else 'are'} back in the pool."
    )
    return back(request)


def batch_close(request: HttpRequest, found: Batch) -> HttpResponse:
    """End the batch; what is not handed in becomes free."""
    done = close_batch(batch_id=found.pk, actor=request.user)
    messages.success(request, f"{done.name} is closed.")
    return back(request)


def batch_cancel(request: HttpRequest, found: Batch) -> HttpResponse:
    """Give the batch up."""
    done = cancel_batch(batch_id=found.pk, actor=request.user)
    messages.success(request, f"{done.name} is cancelled; its scans are free again.")
    return redirect("batches", done.campaign.slug)


def assignment_reclaim(request: HttpRequest, row: Assignment) -> HttpResponse:
    """Take one scan back from a person."""
    reclaim_assignment(assignment_id=row.pk, actor=request.user, why=request.POST.get("reason", ""))
    messages.success(request, f"{row.scan.code} is taken back and free for another.")
    return back(request)


def assignment_unblock(request: HttpRequest, row: Assignment) -> HttpResponse:
    """Answer a block, or undo a skip."""
    done = unblock_assignment(assignment_id=row.pk, actor=request.user)
    messages.success(request, f"{done.scan.code} is back in the list of {done.person or 'the pool'}.")
    return back(request)
