"""What is stored of scans, for the scrub and the collection."""

from collections.abc import Iterator

from annotation.scans.models import Scan
from annotation.scans.volumes import fill_sums
from voxloop.keeping.shelves import Shelf, Walk
from voxloop.kernel.errors import Damaged


def check_indexes() -> Iterator[tuple[str, Damaged | None]]:
    """Every index against its scan and its seal; those from before slices had sums get them."""
    for scan in Scan.objects.exclude(index__isnull=True).order_by("pk").iterator(chunk_size=100):
        found: Damaged | None = None
        try:
            fill_sums(scan)
        except Damaged as error:
            found = error if error.code == "index_damaged" else None  # the pack itself is looked at on its shelf
        yield f"indexes/{scan.pk}", found


KEPT = (
    Shelf("packs", Scan.objects.all, "pack_key"),
    Shelf("previews", Scan.objects.all, "preview_key"),
    Shelf("limits", Scan.objects.all, "limit_key"),
    Walk("indexes", Scan.objects.exclude(index__isnull=True).count, check_indexes),
)
