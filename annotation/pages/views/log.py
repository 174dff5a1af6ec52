"""The audit log: who did what, when, to what; its proof and its export."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from annotation.pages.campaign_forms import LogForm
from annotation.pages.requests import PageRequest
from annotation.pages.selectors.log import (
    HEAD,
    find_entries,
    last_check,
    list_actors,
    list_subjects,
    table_of,
    tell,
    words_of,
)
from annotation.pages.tables import csv_stream
from voxloop.accounts.zones import zone_of
from voxloop.audit.services import record
from voxloop.jobs.models import Job
from voxloop.jobs.services import enqueue
from voxloop.jobs.states import JobState
from voxloop.kernel.clock import now

PAGE_SIZE = 60


def audit_log(request: PageRequest) -> HttpResponse:
    """Entries, newest first; further ones by `before`, the entry that the page before ended with."""
    form, zone = _form(request), zone_of(request.user)
    rows = find_entries(form.cleaned_data if form.is_valid() else {}, zone)
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:  # the largest id has 19 digits
        rows = rows.filter(id__lt=int(before))
    found = list(rows[: PAGE_SIZE + 1])
    check = last_check()
    return render(
        request,
        "log.html",
        {
            "form": form,
            "lines": tell(found[:PAGE_SIZE], zone),
            "zone": zone.key,
            "older": found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None,
            "before": before,
            "is_filtered": any(form.cleaned_data.values()) if form.is_valid() else True,
            "check": check,
            "check_runs": check is not None and check.state in (JobState.QUEUED, JobState.RUNNING),
            "check_failed": check is not None and check.state == JobState.FAILED,
            "entries": (check.result or {}).get("entries", 0) if check else 0,
        },
    )


def audit_csv(request: PageRequest) -> HttpResponseBase:
    """The entries of the filter as CSV, in full; the export stands in the log, too."""
    form = _form(request)
    wanted = form.cleaned_data if form.is_valid() else {}
    with transaction.atomic():
        rows = find_entries(wanted, zone_of(request.user))
        last = rows.first()
        record(
            actor=request.user,
            action="log.exported",
            target=request.user,
            new={name: str(value) for name, value in wanted.items() if value},
        )
    upto = rows.filter(id__lte=last.id if last else 0)
    return csv_stream(f"audit-log-{now():%Y-%m-%d-%H%M}", HEAD, table_of(upto.iterator(chunk_size=2000)))


def audit_verify(request: PageRequest) -> HttpResponse:
    """Ask for a check of the whole log; one at a time."""
    running = last_check()
    if running is not None and running.state in (JobState.QUEUED, JobState.RUNNING):
        messages.info(request, "A check is under way already.")
        return redirect("job", running.pk)
    job = enqueue(Job.Kind.VERIFY_LOG, payload={}, key=f"verify-log:{now().isoformat()}", actor=request.user)
    return redirect("job", job.pk)


def _form(request: PageRequest) -> LogForm:
    subjects = [(subject, words_of(subject)) for subject in list_subjects()]
    return LogForm(request.GET, actors=list_actors(), subjects=subjects)
