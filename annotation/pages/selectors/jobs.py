"""The table of jobs: filter, search, order, and its CSV."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Q, QuerySet

from annotation.pages.selectors.imports import says
from annotation.pages.sorting import sort_rows
from voxloop.accounts.models import User
from voxloop.jobs.models import Job
from voxloop.jobs.selectors import visible_jobs
from voxloop.jobs.states import JobState

LIVE = (JobState.QUEUED, JobState.RUNNING)
SHOWN: Mapping[str, Sequence[str]] = {
    "live": LIVE,
    "done": (JobState.SUCCEEDED,),
    "stopped": (JobState.FAILED, JobState.CANCELLED, JobState.LOST),
}
DEFAULT_SORT = "-asked"
COLUMNS: Mapping[str, Sequence[str]] = {
    "job": ("kind", "created_at"),
    "state": ("state", "created_at"),
    "by": ("requested_by__username", "created_at"),
    "attempt": ("attempt", "created_at"),
    "asked": ("created_at",),
}
HEAD = (
    "job",
    "kind",
    "name",
    "state",
    "says",
    "error_code",
    "progress",
    "asked_by",
    "attempt",
    "asked_at",
    "started_at",
    "ended_at",
    "id",
)


def find_jobs(user: User, wanted: Mapping[str, str]) -> QuerySet[Job]:
    """The jobs that the address asks for: `state` (live, done, stopped), `q` (a part of kind, name, words or person),
    `sort`."""
    rows = visible_jobs(user).select_related("requested_by")
    state, words = wanted.get("state", ""), wanted.get("q", "").strip()[:64]
    if state in SHOWN:
        rows = rows.filter(state__in=SHOWN[state])
    if words:
        kinds = [kind.value for kind in Job.Kind if words.lower() in kind.label.lower()]
        rows = rows.filter(
            Q(kind__in=kinds)
            | Q(payload__name__icontains=words)
            | Q(message__icontains=words)
            | Q(error__icontains=words)
            | Q(requested_by__username__icontains=words)
        )
    return sort_rows(rows, wanted.get("sort", ""), COLUMNS, DEFAULT_SORT)


def table_of(jobs: Iterable[Job]) -> Iterator[Sequence[Any]]:
    """One row of `HEAD` for each job."""
    for job in jobs:
        yield (
            job.get_kind_display(),
            job.kind,
            job.payload.get("name", ""),
            job.state,
            says(job),
            job.error_code,
            job.progress,
            str(job.requested_by or ""),
            job.attempt,
            *(at.isoformat() if at else "" for at in (job.created_at, job.started_at, job.ended_at)),
            str(job.pk),
        )
