"""What is stored of releases, for the scrub: their frozen lists, and the exports that still lie in a folder."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from annotation.datasets.exporters.manifest import manifest_hash
from annotation.datasets.models import Export, Release
from annotation.datasets.services import folder_name
from annotation.datasets.verify import SUMS
from voxloop.keeping.shelves import Walk
from voxloop.kernel.errors import Damaged
from voxloop.storage.store import sha256_of


def check_list(release: Release) -> None:
    """Raises Damaged (`release_damaged`) when a frozen list is not the one that was frozen."""
    try:
        is_whole = manifest_hash(release.manifest) == release.manifest_hash
    except (AttributeError, KeyError, TypeError, ValueError):
        is_whole = False
    if not is_whole:
        raise Damaged(
            f"The frozen list of release {release.name} was changed in the database; yank it and freeze another.",
            thing=f"releases/{release.pk}",
            code="release_damaged",
        )


def check_releases() -> Iterator[tuple[str, Damaged | None]]:
    """Every frozen list against its hash."""
    for release in Release.objects.exclude(state="draft").order_by("pk"):
        found = None
        try:
            check_list(release)
        except Damaged as error:
            found = error
        yield f"releases/{release.pk}", found


def check_exports() -> Iterator[tuple[str, Damaged | None]]:
    """The newest export of each release to a folder, file by file; one that was taken away is nobody's loss."""
    for export in _exports():
        folder = Path(unquote(urlsplit(export.destination).path)) / folder_name(export.release)
        thing = f"exports/{export.pk}"
        wrong = _wrong_file(folder, export.seal) if (folder / SUMS).is_file() else None
        yield (
            thing,
            wrong
            and Damaged(
                f"The export {folder.name} is damaged ({wrong}); export the release again.",
                thing=thing,
                code="export_damaged",
            ),
        )


def count_exports() -> int:
    return len(_exports())


def _exports() -> list[Export]:
    rows = Export.objects.filter(destination__startswith="file://").exclude(seal="").select_related("release")
    newest = {(row.release_id, row.destination): row for row in rows.order_by("created_at")}
    return list(newest.values())


def _wrong_file(folder: Path, seal: str) -> str | None:
    if sha256_of(folder / SUMS) != seal:
        return SUMS
    for line in (folder / SUMS).read_text("utf-8").splitlines():
        digest, _, name = line.partition("  ")
        if not (folder / name).is_file() or sha256_of(folder / name) != digest:
            return name
    return None


KEPT = (
    Walk("releases", Release.objects.exclude(state="draft").count, check_releases),
    Walk("exports", count_exports, check_exports),
)
