"""Releases that hold an erased scan: yanked, the scan removed from their lists, external copies reported."""

from collections.abc import Sequence

from django.db import connection
from django.db.models import QuerySet

from annotation.datasets.models import Export, Release
from annotation.datasets.states import RELEASE, ReleaseState
from annotation.scans.erasing import Line, Part
from annotation.scans.models import Scan
from annotation.scans.states import ScanState
from voxloop.accounts.actors import Actor
from voxloop.audit.services import advance


def releases_with(scans: Sequence[Scan]) -> QuerySet[Release]:
    """Frozen, published and yanked releases that hold one of these scans."""
    return Release.objects.filter(items__scan__in=scans).exclude(state=ReleaseState.DRAFT).distinct()


def count_erased(release: Release) -> int:
    """How many scans of a release were erased since it was frozen."""
    return Scan.objects.filter(release_items__release=release, state=ScanState.ERASED).distinct().count()


def _describe(scans: Sequence[Scan]) -> list[Line]:
    releases = list(releases_with(scans).select_related("campaign"))
    copies = Export.objects.filter(release__in=releases).exclude(seal="")
    names = ", ".join(f"{release.name} of {release.campaign}" for release in releases)
    destinations = ", ".join(sorted(set(copies.values_list("destination", flat=True))))
    return [
        Line(
            "Releases",
            len(releases),
            "marked",
            f"{names}: yanked; the scan is removed from the list, whose hash stays to identify copies",
        ),
        Line(
            "Exported copies",
            copies.count(),
            "marked",
            f"external copies, not deleted: {destinations}. Delete them, ask holders of copies to delete theirs, and "
            "freeze a new release",
        ),
    ]


def _before(scans: Sequence[Scan], actor: Actor) -> list[str]:
    for release in releases_with(scans).exclude(state=ReleaseState.YANKED):
        row = Release.objects.select_for_update().get(pk=release.pk)
        codes = ", ".join(sorted(scan.code for scan in scans if row.items.filter(scan=scan).exists()))
        why = f"{codes} was erased: delete every copy of this release and take the next one."
        advance(row, ReleaseState.YANKED, table=RELEASE, actor=actor, why=why)
    return []


def _after(scans: Sequence[Scan]) -> None:
    with connection.cursor() as cursor:
        for scan in scans:
            cursor.execute("SELECT voxloop_erase_from_releases(%s)", [scan.pk])


PART = Part(describe=_describe, before=_before, after=_after)
