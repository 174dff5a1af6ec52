"""What the scrub checks of releases: frozen lists, and exports to folders."""

from collections.abc import Iterator
from pathlib import Path

from annotation.datasets.exporters.manifest import manifest_hash
from annotation.datasets.models import Export, Release
from annotation.datasets.parts import suffix_of
from annotation.datasets.services import folder_of, folder_of_export
from annotation.datasets.states import ReleaseState
from annotation.datasets.verify import SUMS
from voxloop.keeping.registry import StoredCheck
from voxloop.kernel.errors import Damaged
from voxloop.storage.objects import sha256_of


def check_list(release: Release) -> None:
    """Raises Damaged (`release_damaged`) when a frozen list was changed."""
    try:
        is_whole = manifest_hash(release.manifest or {}) == release.manifest_hash
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
    for release in Release.objects.exclude(state=ReleaseState.DRAFT).order_by("pk"):
        found = None
        try:
            check_list(release)
        except Damaged as error:
            found = error
        yield f"releases/{release.pk}", found


def check_exports() -> Iterator[tuple[str, Damaged | None]]:
    """The newest export of each release to a folder, file by file; a removed export is no fault."""
    for export in _exports():
        folder = folder_of(export.destination) / folder_of_export(export)
        thing = f"exports/{export.pk}"
        wrong = _wrong_file(folder, export.seal) if (folder / SUMS).is_file() else None
        sentence = f"The export {folder.name} is damaged ({wrong}); export the release again."
        yield thing, Damaged(sentence, thing=thing, code="export_damaged") if wrong else None


def count_exports() -> int:
    return len(_exports())


def _exports() -> list[Export]:
    rows = Export.objects.filter(destination__startswith="file://").exclude(seal="").select_related("release")
    newest = {(row.release_id, row.destination, suffix_of(row.part)): row for row in rows.order_by("created_at")}
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
    StoredCheck("releases", Release.objects.exclude(state=ReleaseState.DRAFT).count, check_releases),
    StoredCheck("exports", count_exports, check_exports),
)
