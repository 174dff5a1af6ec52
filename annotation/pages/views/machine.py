"""Jobs: running work; System: health of the installation."""

import re
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from annotation.pages.guard import admits, back
from annotation.pages.permissions import ROWS
from annotation.pages.requests import PageRequest
from annotation.pages.selectors import jobs as listed
from annotation.pages.selectors.imports import HEAD, came_in, group_aside, group_refused, table_of
from annotation.pages.tables import csv_file, csv_stream
from voxloop.installation.described import describe_settings
from voxloop.jobs.health import is_silent, recent_health
from voxloop.jobs.models import Job
from voxloop.jobs.selectors import visible_jobs
from voxloop.jobs.services import cancel
from voxloop.keeping.selectors import open_damage
from voxloop.kernel.errors import NotFound

PAGE_SIZE = 30
MOST_DAMAGE = 50
WORDS = {"not_dicom": "Files that are not DICOM", "unreadable": "Damaged files"}  # shown when there are some
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def jobs(request: PageRequest) -> HttpResponse:
    """Every job the person may see; the table polls while something runs."""
    found = listed.find_jobs(request.user, request.GET)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(
        request,
        "jobs_table.html" if request.htmx else "jobs.html",
        {
            "page": page,
            "state": request.GET.get("state", ""),
            "words": request.GET.get("q", ""),
            "kept": [(name, request.GET[name]) for name in ("state", "sort") if name in request.GET],
            "default_sort": listed.DEFAULT_SORT,
            "live": visible_jobs(request.user).filter(state__in=listed.LIVE).count(),
            "poll": request.get_full_path(),
            "may_see_system": admits(ROWS["system"], request.user, None),
        },
    )


def jobs_csv(request: PageRequest) -> HttpResponseBase:
    """The jobs of the filter, in its order."""
    found = listed.find_jobs(request.user, request.GET)
    return csv_stream("jobs", listed.HEAD, listed.table_of(found.iterator(chunk_size=2000)))


def system(request: PageRequest) -> HttpResponse:
    """Workers, the scheduler, queues, disks and faults; polls every few seconds."""
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


def settings_shown(request: PageRequest) -> HttpResponse:
    """The settings of the installation, to read."""
    return render(request, "settings_shown.html", {"subjects": describe_settings()})


def job(request: PageRequest, found: Job) -> HttpResponse:
    """One job with its steps and its result."""
    refused, aside = group_refused(found), group_aside(found)
    return render(
        request,
        "job_body.html" if request.htmx else "job.html",
        {
            "job": found,
            "is_live": found.state in listed.LIVE,
            "facts": _result(found),
            "came_in": came_in(found),
            "left_out": [
                (title, icon, groups, sum(len(group.series) for group in groups))
                for title, icon, groups in (("Refused", "ban", refused), ("Set aside", "inbox", aside))
                if groups
            ],
        },
    )


def job_csv(request: PageRequest, found: Job) -> HttpResponse:
    """What an import did, one row for each series."""
    if found.kind != Job.Kind.IMPORT_SCANS:
        raise NotFound
    return csv_file(f"import-{found.created_at:%Y-%m-%d-%H%M}", HEAD, table_of(found))


def job_cancel(request: PageRequest, found: Job) -> HttpResponse:
    """Stop a job."""
    cancel(job_id=found.pk, actor=request.user)
    messages.success(request, f"{found.get_kind_display()} is cancelled. Nothing half-done is kept.")
    return back(request, "/jobs/")


def _result(found: Job) -> list[tuple[str, Any]]:
    """The facts of a result as text; without ids and without an import's report, which the page shows elsewhere."""
    result = found.result if isinstance(found.result, dict) else {}
    return [
        (WORDS.get(name) or str(name).replace("_", " ").capitalize(), value)
        for name, value in result.items()
        if not (name in WORDS and not value)
        and not isinstance(value, list | dict)
        and value not in (None, "")
        and not ID.fullmatch(str(value))
    ]
