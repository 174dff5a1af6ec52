"""Jobs: what the machine is at; System: whether it works."""

import re
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from annotation.pages.door import admits, back
from annotation.pages.permissions import ROWS
from voxloop.jobs.health import is_silent, recent_health
from voxloop.jobs.models import Job
from voxloop.jobs.selectors import visible_jobs
from voxloop.jobs.services import cancel
from voxloop.keeping.selectors import open_damage

PAGE_SIZE = 30
MOST_DAMAGE = 50
LIVE = ("queued", "running")
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def jobs(request: HttpRequest) -> HttpResponse:
    """Every job the person may see; the table asks again while something runs."""
    rows = visible_jobs(request.user).select_related("requested_by")
    state = request.GET.get("state", "")
    shown = {"live": LIVE, "done": ("succeeded",), "stopped": ("failed", "cancelled", "lost")}.get(state)
    page = Paginator(rows.filter(state__in=shown) if shown else rows, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(
        request,
        "jobs_table.html" if request.htmx else "jobs.html",
        {
            "page": page,
            "state": state,
            "live": rows.filter(state__in=LIVE).count(),
            "poll": request.get_full_path(),
            "may_see_system": admits(ROWS["system"], request.user, None),
        },
    )


def system(request: HttpRequest) -> HttpResponse:
    """Workers, the clock, queues, disks, and what stands still; asks again every few seconds."""
    health = recent_health(seconds=1)
    everyone = [*health.workers, *([health.clock] if health.clock else [])]
    return render(
        request,
        "system_body.html" if request.htmx else "system.html",
        {
            "health": health,
            "damage": open_damage()[:MOST_DAMAGE] if health.is_database_there else [],
            "warnings": [one for one in health.warnings if one.what not in {fault.what for fault in health.faults}],
            "workers": [(worker, is_silent(worker)) for worker in everyone],
            "rooms": [(room, 100 - 100 * room.free_bytes // max(1, room.total_bytes)) for room in health.rooms],
        },
    )


def job(request: HttpRequest, found: Job) -> HttpResponse:
    """One job with its steps and its result."""
    return render(
        request,
        "job_body.html" if request.htmx else "job.html",
        {
            "job": found,
            "is_live": found.state in LIVE,
            "facts": _result(found),
        },
    )


def job_cancel(request: HttpRequest, found: Job) -> HttpResponse:
    """Stop a job."""
    cancel(job_id=found.pk, actor=request.user)
    messages.success(request, f"{found.get_kind_display()} is cancelled. Nothing half-done is kept.")
    return back(request, "/jobs/")


def _result(found: Job) -> list[tuple[str, Any]]:
    """The facts of a result in words; ids are left out, and what an import tells has its own place on the page."""
    result = found.result if isinstance(found.result, dict) else {}
    return [
        (str(name).replace("_", " ").capitalize(), value)
        for name, value in result.items()
        if not isinstance(value, list | dict) and value not in (None, "") and not ID.fullmatch(str(value))
    ]
