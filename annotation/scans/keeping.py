"""Stored data of scans, for the scrub and the collection."""

from collections.abc import Iterator

from annotation.scans.models import Scan
from annotation.scans.volumes import fill_sums
from voxloop.keeping.registry import ObjectKind, StoredCheck
from voxloop.kernel.errors import Damaged


def check_indexes() -> Iterator[tuple[str, Damaged | None]]:
    """Every index against its scan and its seal; adds missing sums of slices."""
    for scan in Scan.objects.exclude(index__isnull=True).order_by("pk").iterator(chunk_size=100):
        found: Damaged | None = None
        try:
            fill_sums(scan)
        except Damaged as error:
            found = error if error.code == "index_damaged" else None  # the pack itself is checked as an object
        yield f"indexes/{scan.pk}", found


KEPT = (
    ObjectKind("packs", Scan.objects.all, "pack_key"),
    ObjectKind("previews", Scan.objects.all, "preview_key"),
    ObjectKind("limits", Scan.objects.all, "limit_key"),
    StoredCheck("indexes", Scan.objects.exclude(index__isnull=True).count, check_indexes),
)
