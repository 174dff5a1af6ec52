"""Jobs: what the machine is at."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from annotation.pages.door import back
from voxloop.jobs.models import Job
from voxloop.jobs.selectors import visible_jobs
from voxloop.jobs.services import cancel

PAGE_SIZE = 30
LIVE = ("queued", "running")


def jobs(request: HttpRequest) -> HttpResponse:
    """Every job the person may see; the table asks again while something runs."""
    rows = visible_jobs(request.user).select_related("requested_by")
    state = request.GET.get("state", "")
    shown = {"live": LIVE, "done": ("succeeded",), "stopped": ("failed", "cancelled", "lost")}.get(state)
    page = Paginator(rows.filter(state__in=shown) if shown else rows, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "jobs_table.html" if request.htmx else "jobs.html", {
        "page": page,
        "state": state,
        "live": rows.filter(state__in=LIVE).count(),
        "poll": request.get_full_path(),
    })  # fmt: skip


def job(request: HttpRequest, found: Job) -> HttpResponse:
    """One job with its steps and its result."""
    return render(request, "job_body.html" if request.htmx else "job.html", {
        "job": found, "is_live": found.state in LIVE, "result": _result(found.result),
    })  # fmt: skip


def job_cancel(request: HttpRequest, found: Job) -> HttpResponse:
    """Stop a job."""
    cancel(job_id=found.pk, actor=request.user)
    messages.success(request, f"{found.get_kind_display()} is cancelled. Nothing half-done is kept.")
    return back(request, "/jobs/")


def _result(result: Any) -> list[tuple[str, Any]]:
    """A result's fields in words; lists by their entries."""
    if not isinstance(result, dict):
        return []
    return [(str(name).replace("_", " ").capitalize(), value) for name, value in result.items()]
