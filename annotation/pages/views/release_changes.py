"""What changed between two releases, as a page and as CSV."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render

from annotation.datasets.comparing import CHANGED, IN, OUT, Comparison, compare_releases, find_earlier
from annotation.datasets.models import Release
from annotation.datasets.services import folder_name
from annotation.pages.requests import PageRequest
from annotation.pages.tables import csv_file
from voxloop.kernel.errors import Conflict

PAGE_SIZE = 50
WORDS = {IN: "New", OUT: "Left", CHANGED: "Changed"}
HEAD = (
    "scan",
    "change",
    "site",
    "split before",
    "split after",
    "layer",
    "segment",
    "before",
    "after",
    "delta",
    "unit",
    "dice",
    "author",
    "reviewer",
    "round",
    "why",
    "answers changed",
)


def release_changes(request: PageRequest, found: Release) -> HttpResponse:
    """The scans that are in, out or changed since another release, which is the one before when none is named."""
    others = find_earlier(found, request.user)
    since = _since(request, others)
    compared = compare_releases(release_id=found.pk, since_id=since, actor=request.user) if since else None
    change = request.GET.get("change", "")
    scans = [one for one in compared.scans if change in ("", one.change)] if compared else []
    return render(
        request,
        "release_changes.html",
        {
            "release": found,
            "others": others,
            "compared": compared,
            "change": change,
            "counts": [(key, word, compared.count(key)) for key, word in WORDS.items()] if compared else [],
            "page": Paginator(scans, PAGE_SIZE).get_page(request.GET.get("page")),
        },
    )


def release_changes_csv(request: PageRequest, found: Release) -> HttpResponse:
    """Every change as CSV, one row for each segment."""
    since = _since(request, find_earlier(found, request.user))
    if since is None:
        raise Conflict("This campaign has no other frozen release to compare with.", code="nothing_to_compare")
    compared = compare_releases(release_id=found.pk, since_id=since, actor=request.user)
    name = f"{folder_name(found)}-since-{folder_name(compared.before)}"
    return csv_file(name, HEAD, _rows(compared))


def _since(request: PageRequest, others: Sequence[Release]) -> UUID | None:
    """The release named in the address; without a name, or for what is no id, the first of the others."""
    try:
        return UUID(request.GET.get("since", ""))
    except ValueError:
        return others[0].pk if others else None


def _rows(compared: Comparison) -> Iterator[tuple[object, ...]]:
    """A scan without a segment in either mask has one row, too."""
    for one in compared.scans:
        begin = (one.scan, one.change, one.site, one.split_before, one.split_after)
        end = (one.author, one.reviewer, one.round, one.why, " ".join(one.answers))
        for part in one.segments:
            dice = "" if part.dice is None else part.dice
            yield (*begin, part.layer, part.segment, part.before, part.after, part.delta, part.unit, dice, *end)
        if not one.segments:
            yield (*begin, *[""] * 7, *end)
