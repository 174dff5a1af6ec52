"""Integrity checks of masks before other work builds on them."""

from collections.abc import Iterable

from annotation.masks.models import MaskChunk, MaskRevision
from annotation.masks.store import check_manifest, get_chunks, mask_damaged
from voxloop.keeping.selectors import damage_of

NAMES_AT_ONCE = 5000


def check_masks(revisions: Iterable[MaskRevision | None]) -> None:
    """Raises Damaged (`mask_damaged`) when a list of chunks was changed, a chunk is missing, or is recorded as damaged.
    Bytes are read only where damage is recorded: everything is verified on use and by the weekly scrub."""
    wanted: dict[str, tuple[str, MaskRevision]] = {}
    for revision in revisions:
        if revision is None:
            continue
        check_manifest(revision, revision.scan.shape_zyx)
        wanted.update({name: (key, revision) for key, name in revision.chunks.items()})
    for names in _some(list(wanted)):
        raw = [bytes.fromhex(name) for name in names]
        there = {bytes(name).hex() for name in MaskChunk.objects.filter(pk__in=raw).values_list("pk", flat=True)}
        known = damage_of(f"chunks/{name}" for name in names).values_list("thing", flat=True)
        for name in {*names} - there | {thing.removeprefix("chunks/") for thing in known}:
            key, revision = wanted[name]
            if name not in there:
                raise mask_damaged(
                    f"chunks/{name}", f"Part {key} of a mask of {revision.scan.code} is missing.", is_missing=True
                )
            get_chunks({key: name})


def _some(names: list[str]) -> Iterable[list[str]]:
    for start in range(0, len(names), NAMES_AT_ONCE):
        yield names[start : start + NAMES_AT_ONCE]
