"""What is done with scans that were selected in their table: a batch, or a CSV."""

from collections.abc import Sequence
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from annotation.pages.hand_forms import HandForm
from annotation.pages.requests import PageRequest
from annotation.pages.selectors.scans import HEAD, find_scans, scans_of, table_of, work_on
from annotation.pages.sending import form_page, save
from annotation.pages.tables import csv_file
from annotation.pages.templatetags.figures import plural
from annotation.scans.models import Scan
from annotation.work.batches import create_batch, publish_batch
from annotation.work.models import Batch, Campaign
from annotation.work.selectors import unassigned_scans
from voxloop.kernel.errors import Conflict, Invalid


def selection_csv(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """The selected scans, in the order of the table, with the work on each."""
    found = list(_selected(request, campaign))
    return csv_file(f"{campaign.slug}-scans", HEAD, table_of(found, work_on(request.user, campaign, found)))


def selection_batch(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """Make a batch of the selected scans: first the form for whom and until when, then the batch."""
    is_sent = "scans" in request.POST
    selected = list(_selected(request, campaign).values_list("pk", flat=True))
    # What the form names is what the service gets: a scan that somebody took meanwhile is told, not left out.
    scans = selected if is_sent else _free_of(campaign, selected)
    form = HandForm(request.POST if is_sent else None, campaign=campaign, scans=scans, actor=request.user)

    @transaction.atomic
    def make() -> Batch:
        typed = form.cleaned_data
        made = create_batch(
            campaign=campaign,
            actor=request.user,
            chosen_by="hand",
            scan_ids=scans,
            assignee=typed["assignee"],
            due_on=typed["due_on"],
            review_policy=typed["review_policy"],
            starts_anew=typed["starts_anew"],
        )
        if typed["publish"]:
            publish_batch(batch_id=made.pk, actor=request.user)
        return made

    if is_sent and form.is_valid() and (made := save(form, make)):
        whom = f" for {made.assignee}" if made.assignee else " in the pool"
        state = "published" if form.cleaned_data["publish"] else "a draft"
        messages.success(request, f"{made} with {plural(made.assignments.count(), 'scan')}{whom} is {state}.")
        return redirect("batch", made.pk)
    left_out = len(selected) - len(scans)
    told = f" {plural(left_out, 'selected scan')} {'is' if left_out == 1 else 'are'} left out: in a batch already or "
    return form_page(
        request,
        form,
        {
            "title": f"New batch of {plural(len(scans), 'selected scan')}",
            "verb": "Make batch",
            "wide": 2,
            "lead": "They are given out in the order of their codes." + (f"{told}not ready." if left_out else ""),
            "discard": reverse("scans", args=[campaign.slug]),
        },
    )


def _selected(request: PageRequest, campaign: Campaign) -> QuerySet[Scan]:
    """The scans that a form names: each by its id, or all that the filter of the table finds."""
    sent = request.POST
    if sent.get("all"):
        found = find_scans(request.user, campaign, sent)
    else:
        ids = [*sent.getlist("scan"), *sent.getlist("scans")]
        found = scans_of(request.user, campaign, ids, sent.get("sort", ""))
    if not found.exists():
        raise Invalid("Select at least one scan.", code="nothing_selected")
    return found


def _free_of(campaign: Campaign, selected: Sequence[UUID]) -> list[UUID]:
    """Those of the selected scans that a batch can hold, as many as it can."""
    free = list(unassigned_scans(campaign).filter(pk__in=selected).order_by("code").values_list("pk", flat=True))
    if not free:
        raise Conflict("Every selected scan is in a batch already or not ready; select others.", code="no_scans_left")
    if len(free) > campaign.batch_size:
        raise Invalid(
            f"A batch holds 1 to {campaign.batch_size} scans; {len(free)} of the selected are free. Select fewer.",
            code="bad_size",
        )
    return free
