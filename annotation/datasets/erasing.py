"""What becomes of releases that hold an erased scan: yanked, their lists emptied of it, copies outside named."""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from annotation.datasets.models import Export, Release
from annotation.datasets.states import RELEASE
from annotation.scans.erasing import Line, Part
from annotation.scans.models import Scan
from voxloop.audit.services import advance


def releases_with(scans: Sequence[Scan]) -> QuerySet[Release]:
    """Frozen, published and yanked releases that hold one of these scans."""
    return Release.objects.filter(items__scan__in=scans).exclude(state="draft").distinct()


def count_erased(release: Release) -> int:
    """How many scans of a release were erased since it was frozen."""
    return Scan.objects.filter(release_items__release=release, state="erased").distinct().count()


def _describe(scans: Sequence[Scan]) -> list[Line]:
    releases = list(releases_with(scans).select_related("campaign"))
    copies = Export.objects.filter(release__in=releases).exclude(seal="")
    names = ", ".join(f"{release.name} of {release.campaign}" for release in releases)
    places = ", ".join(sorted(set(copies.values_list("destination", flat=True))))
    return [
        Line(
            "Releases",
            len(releases),
            "marked",
            f"{names}: yanked; the list says nothing of the scan any more, its hash stays, so that copies are known",
        ),
        Line(
            "Exported copies",
            copies.count(),
            "marked",
            f"they lie outside and are not touched: {places}. Delete them, tell who holds a copy to delete it, and "
            "freeze a new release",
        ),
    ]


def _before(scans: Sequence[Scan], actor: Any) -> list[str]:
    for release in releases_with(scans).exclude(state="yanked"):
        row = Release.objects.select_for_update().get(pk=release.pk)
        codes = ", ".join(sorted(scan.code for scan in scans if row.items.filter(scan=scan).exists()))
        why = f"{codes} was erased: delete every copy of this release and take the next one."
        advance(row, "yanked", table=RELEASE, actor=actor, why=why)
    return []


def _after(scans: Sequence[Scan]) -> None:
    with connection.cursor() as cursor:
        for scan in scans:
            cursor.execute("SELECT voxloop_erase_from_releases(%s)", [scan.pk])


PART = Part(describe=_describe, before=_before, after=_after)
