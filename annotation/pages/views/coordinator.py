"""Batches."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from annotation.learning.selectors import waiting_models
from annotation.pages.certificate_forms import SampleForm
from annotation.pages.forms import AssignForm, BatchForm, ReclaimForm
from annotation.pages.gold_forms import HideGoldForm
from annotation.pages.guard import back
from annotation.pages.plots.campaign import day_bars
from annotation.pages.requests import PageRequest
from annotation.pages.selectors import batch_table
from annotation.pages.selectors.batches import STATES, board, cards, chosen_rows, mix_bars, scan_counts
from annotation.pages.selectors.certificates import awaits_sample, sample_panel, waiting_whole
from annotation.pages.selectors.decisions import decisions
from annotation.pages.selectors.eligibility import excluded_in
from annotation.pages.selectors.readers import people
from annotation.pages.sending import form_page, save
from annotation.pages.tables import csv_file
from annotation.pages.templatetags.figures import plural
from annotation.reporting.selectors import visible_measurements, visible_sets
from annotation.work.batches import assign_batch, cancel_batch, close_batch, create_batch, publish_batch
from annotation.work.choosing import choice_told
from annotation.work.gold import RUNNING
from annotation.work.models import Assignment, Batch, Campaign
from annotation.work.overlap import list_owed
from annotation.work.permissions import has_role
from annotation.work.selectors import unassigned_scans, visible_assignments
from annotation.work.services import reclaim_assignment, unblock_assignment
from annotation.work.states import AssignmentState
from voxloop.accounts.roles import Role
from voxloop.kernel.errors import Conflict


def batches(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """Every batch as a board or a table, the people, and what needs a decision."""
    found = cards(request.user, campaign)
    annotators = people(request.user, campaign)
    challenger = waiting_models(campaign).first()
    as_table = request.GET.get("view") == "table"
    scans, approved = scan_counts(found)
    return render(
        request,
        "batches.html",
        {
            "cards": found,
            "shown": batch_table.find_cards(found, request.GET) if as_table else [],
            "words": request.GET.get("q", ""),
            "kept": [(name, request.GET[name]) for name in ("view", "sort") if name in request.GET],
            "default_sort": batch_table.DEFAULT_SORT,
            "columns": None if as_table else board(found),
            "as_table": as_table,
            "states": STATES,
            "people": [(row, day_bars(row.days)) for row in annotators],
            "decisions": decisions(campaign, found, annotators, challenger),
            "scans": scans,
            "readings": sum(card.total for card in found),
            "approved": approved,
            "unassigned": unassigned_scans(campaign).count(),
            "may_change": has_role(request.user, campaign, Role.COORDINATOR),
        },
    )


def batches_csv(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """The batches of the search, in its order, with their counts by state."""
    shown = batch_table.find_cards(cards(request.user, campaign), request.GET)
    return csv_file(f"{campaign.slug}-batches", batch_table.HEAD, batch_table.table_of(shown))


def batch_new(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """Make a batch, and publish it if wanted."""
    free = unassigned_scans(campaign).count()
    form = BatchForm(request.POST or None, campaign=campaign, free=free, actor=request.user)

    @transaction.atomic
    def make() -> Batch:
        wanted = form.cleaned_data
        made = create_batch(
            campaign=campaign,
            actor=request.user,
            size=wanted["size"],
            chosen_by=wanted["chosen_by"],
            assignee=wanted["assignee"],
            due_on=wanted["due_on"],
            starts_anew=wanted["starts_anew"],
            review_policy=wanted["review_policy"],
        )
        if wanted["publish"]:
            publish_batch(batch_id=made.pk, actor=request.user)
        return made

    if request.method == "POST" and form.is_valid() and (batch := save(form, make)):
        wanted = form.cleaned_data
        scans = plural(batch.assignments.count(), "scan")
        whom = f" for {batch.assignee}" if batch.assignee else " in the pool"
        messages.success(
            request, f"{batch.name} with {scans}{whom} is {'published' if wanted['publish'] else 'a draft'}."
        )
        return redirect("batch", batch.pk)
    return form_page(
        request,
        form,
        {
            "title": "New batch",
            "verb": "Make batch",
            "wide": 2,
            "lead": "Scans are chosen among those that are ready, in no batch, and of sites the person may see. "
            + say_owed(len(list_owed(campaign, None))),
            "discard": reverse("batches", args=[campaign.slug]),
        },
    )


def say_owed(count: int) -> str:
    """What a new batch begins with; empty for no reading."""
    if not count:
        return ""
    verb = "is" if count == 1 else "are"
    return (
        f"{plural(count, 'reading')} of scans with several readers {verb} owed: the batch begins with those whose "
        "scans its reader does not know."
    )


def batch(request: PageRequest, found: Batch) -> HttpResponse:
    """One batch: its scans, who has them, what can be done."""
    card = next(card for card in cards(request.user, found.campaign) if card.batch.pk == found.pk)
    shown = visible_assignments(request.user).filter(batch=found, stage=Assignment.Stage.ANNOTATION)
    rows = list(shown.order_by("position", "-created_at"))
    coordinates = has_role(request.user, found.campaign, Role.COORDINATOR)
    for row in rows:
        row.choice = dict(choice_told(row.choice, knows_gold=coordinates))
    waiting = waiting_whole(found)
    return render(
        request,
        "batch.html",
        {
            "card": card,
            "batch": found,
            "rows": chosen_rows(rows),
            "excluded": excluded_in(found.campaign, [row.scan_id for row in rows]),
            "mix": mix_bars(rows, found.campaign),
            "assign": AssignForm(batch=found),
            "reclaim": ReclaimForm(campaign=found.campaign),
            "may_change": coordinates,
            "quality": sample_panel(found),
            "awaits_sample": awaits_sample(found),
            "can_sample": waiting > 0,
            "hide": HideGoldForm(),
            "can_hide": found.state in RUNNING
            and any(row.state == AssignmentState.QUEUED for row in rows)
            and found.campaign.gold_scans.filter(retired_at=None).exists(),
            "sample": SampleForm(waiting=waiting),
            "reports": visible_sets(request.user).filter(batch=found).first(),
            "measured": visible_measurements(request.user).filter(round__annotation__batch=found).count(),
            "untouched": sum(row.state == AssignmentState.QUEUED and row.person_id is not None for row in rows),
        },
    )


def batch_publish(request: PageRequest, found: Batch) -> HttpResponse:
    """Publish the batch."""
    done = publish_batch(batch_id=found.pk, actor=request.user)
    messages.success(request, f"{done.name} is published.")
    return back(request)


def batch_assign(request: PageRequest, found: Batch) -> HttpResponse:
    """Give unstarted scans to another person, or to the pool."""
    form = AssignForm(request.POST, batch=found)
    if not form.is_valid():
        raise Conflict("Choose an annotator of this campaign or the pool, and a number.", code="not_an_annotator")
    person, count = form.cleaned_data["person"], form.cleaned_data["count"]
    done = assign_batch(batch_id=found.pk, person=person, actor=request.user, count=count)
    what = done.name if count is None else f"{plural(count, 'scan')} of {done.name}"
    messages.success(request, f"{what} {'is' if count in (None, 1) else 'are'} given to {person or 'the pool'}.")
    return back(request)


def batch_reclaim(request: PageRequest, found: Batch) -> HttpResponse:
    """Put every unstarted scan back into the pool."""
    count = found.assignments.filter(state=AssignmentState.QUEUED, person__isnull=False).count()
    assign_batch(batch_id=found.pk, person=None, actor=request.user)
    messages.success(
        request, f"{plural(count, 'scan')} of {found.name} {'is' if count == 1 else 'are'} back in the pool."
    )
    return back(request)


def batch_close(request: PageRequest, found: Batch) -> HttpResponse:
    """End the batch; what is not handed in becomes free."""
    done = close_batch(batch_id=found.pk, actor=request.user)
    messages.success(request, f"{done.name} is closed.")
    return back(request)


def batch_cancel(request: PageRequest, found: Batch) -> HttpResponse:
    """Cancel the batch."""
    done = cancel_batch(batch_id=found.pk, actor=request.user)
    messages.success(request, f"{done.name} is cancelled; its scans are free again.")
    return redirect("batches", done.campaign.slug)


def assignment_reclaim(request: PageRequest, row: Assignment) -> HttpResponse:
    """Take one scan back from a person, and give it to another."""
    form = ReclaimForm(request.POST, campaign=row.campaign)
    if not form.is_valid():
        raise Conflict("Say why, and choose an annotator of this campaign or the pool.", code="reason_required")
    person = form.cleaned_data["person"]
    reclaim_assignment(
        assignment_id=row.pk,
        actor=request.user,
        why=form.cleaned_data["reason"],
        person=person,
        starts_anew=form.cleaned_data["starts_anew"],
    )
    messages.success(request, f"{row.scan.code} is taken back and {f'given to {person}' if person else 'in the pool'}.")
    return back(request)


def assignment_unblock(request: PageRequest, row: Assignment) -> HttpResponse:
    """Answer a block, or undo a skip."""
    done = unblock_assignment(assignment_id=row.pk, actor=request.user)
    messages.success(request, f"{done.scan.code} is back in the list of {done.person or 'the pool'}.")
    return back(request)
