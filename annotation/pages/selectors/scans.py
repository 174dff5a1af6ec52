"""The table of a campaign's scans: filter, order, and the work on each."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from annotation.pages.sorting import sort_rows
from annotation.scans.models import Scan
from annotation.scans.states import SCAN, ScanState
from annotation.work.models import Assignment, Campaign
from annotation.work.selectors import visible_assignments, visible_scans
from annotation.work.states import AssignmentState
from voxloop.accounts.models import User

REFUSED = (ScanState.REJECTED, ScanState.FAILED)
DEFAULT_SORT = "code"
COLUMNS: Mapping[str, Sequence[str]] = {
    "code": ("code",),
    "site": ("site__code", "code"),
    "state": ("state", "code"),
    "description": ("description", "code"),
    "came": ("created_at", "code"),
}
HEAD = (
    "scan",
    "site",
    "state",
    "reason",
    "modality",
    "description",
    "slices",
    "rows",
    "columns",
    "slice_mm",
    "row_mm",
    "column_mm",
    "work",
    "person",
    "batch",
    "round",
    "active_seconds",
    "came_in",
)


def find_scans(user: User, campaign: Campaign, wanted: Mapping[str, str]) -> QuerySet[Scan]:
    """The scans that the address asks for: `state`, `site`, `q` (a part of code or description), `sort`."""
    rows = visible_scans(user).filter(campaign_scans__campaign=campaign).select_related("site")
    state, site, words = wanted.get("state", ""), wanted.get("site", ""), wanted.get("q", "").strip()[:64]
    if state == "refused":
        rows = rows.filter(state__in=REFUSED)
    elif state in SCAN.states:
        rows = rows.filter(state=state)
    if site:
        rows = rows.filter(site__code=site)
    if words:
        rows = rows.filter(Q(code__icontains=words) | Q(description__icontains=words))
    return sort_rows(rows, wanted.get("sort", ""), COLUMNS, DEFAULT_SORT)


def scans_of(user: User, campaign: Campaign, ids: Iterable[str], sort: str = "") -> QuerySet[Scan]:
    """The scans of a selection by their ids, in the order of the table; what is no id is left out."""
    known = []
    for text in ids:
        with suppress(ValueError):
            known.append(UUID(text))
    return find_scans(user, campaign, {"sort": sort}).filter(pk__in=known)


def work_on(user: User, campaign: Campaign, scans: Iterable[Scan]) -> dict[UUID, Assignment]:
    """The annotation in force on each scan, by the scan's id."""
    rows = (
        visible_assignments(user)
        .filter(campaign=campaign, scan__in=[scan.pk for scan in scans], stage=Assignment.Stage.ANNOTATION)
        .exclude(state=AssignmentState.RECLAIMED)
        .select_related("person", "batch")
    )
    return {assignment.scan_id: assignment for assignment in rows}


def table_of(scans: Iterable[Scan], held: Mapping[UUID, Assignment]) -> Iterator[Sequence[Any]]:
    """One row of `HEAD` for each scan."""
    for scan in scans:
        work = held.get(scan.pk)
        yield (
            scan.code,
            scan.site.code,
            scan.state,
            scan.reason,
            scan.modality,
            scan.description,
            *(scan.shape_zyx or ("", "", "")),
            *(scan.spacing_mm_zyx or ("", "", "")),
            *(
                (work.told_state, str(work.person or ""), work.batch.name, work.round, work.active_seconds)
                if work
                else ("", "", "", "", "")
            ),
            scan.created_at.isoformat(),
        )
