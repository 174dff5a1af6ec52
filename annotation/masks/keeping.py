"""Stored data of masks, for the scrub and the collection."""

from collections.abc import Iterable, Iterator, Sequence

from django.db import connection

from annotation.masks.models import MaskChunk, MaskRevision, ProbabilityMap
from annotation.masks.store import check_manifest, mask_damaged, open_chunk
from voxloop.keeping.registry import ObjectKind, OrphanedRows, StoredCheck
from voxloop.kernel.errors import Damaged
from voxloop.volume.labelmap import count_chunk

AT_ONCE = 200

UNNAMED = """
SELECT encode(chunk.sha256, 'hex'), length(chunk.data) FROM masks_maskchunk AS chunk
WHERE NOT EXISTS (
    SELECT 1 FROM (
        SELECT DISTINCT part.value FROM masks_maskrevision AS revision, jsonb_each_text(
            CASE jsonb_typeof(revision.chunks) WHEN 'object' THEN revision.chunks ELSE '{}' END
        ) AS part
    ) AS named WHERE named.value = encode(chunk.sha256, 'hex')
)
"""


def check_chunks() -> Iterator[tuple[str, Damaged | None]]:
    """Every chunk against its name."""
    for row in MaskChunk.objects.order_by("pk").iterator(chunk_size=AT_ONCE):
        name = bytes(row.sha256)
        thing = f"chunks/{name.hex()}"
        payload = open_chunk(name, bytes(row.data))
        is_whole = payload is not None and row.counts in (None, _counts(payload))
        yield thing, None if is_whole else mask_damaged(thing, "A part of a mask is damaged in the database.")


def _counts(payload: bytes) -> dict[str, int]:
    return {str(value): n for value, n in count_chunk(payload)[1].items()}


def check_revisions() -> Iterator[tuple[str, Damaged | None]]:
    """Every revision against its content hash, and whether each chunk it names is there."""
    rows = MaskRevision.objects.select_related("scan").only("scan", "chunks", "content_hash", "scan__shape_zyx")
    some: list[MaskRevision] = []
    for revision in rows.order_by("pk").iterator(chunk_size=AT_ONCE):
        some.append(revision)
        if len(some) == AT_ONCE:
            yield from _check_some(some)
            some = []
    yield from _check_some(some)


def _check_some(revisions: Sequence[MaskRevision]) -> Iterator[tuple[str, Damaged | None]]:
    faults: dict[object, Damaged] = {}
    for revision in revisions:
        try:
            check_manifest(revision, revision.scan.shape_zyx)
        except Damaged as found:
            faults[revision.pk] = found
    whole = [revision for revision in revisions if revision.pk not in faults]
    wanted = {bytes.fromhex(name) for revision in whole for name in revision.chunks.values()}
    there = {bytes(name) for name in MaskChunk.objects.filter(pk__in=wanted).values_list("pk", flat=True)}
    for revision in revisions:
        gone = [] if revision.pk in faults else [n for n in revision.chunks.values() if bytes.fromhex(n) not in there]
        if gone:
            faults[revision.pk] = mask_damaged(
                f"chunks/{gone[0]}", "A part of a mask is missing in the database.", is_missing=True
            )
        yield f"revisions/{revision.pk}", faults.get(revision.pk)


def find_unnamed_chunks() -> Iterable[tuple[str, int]]:
    """Chunks that no revision names, and their bytes."""
    with connection.cursor() as cursor:
        cursor.execute(UNNAMED)
        return [(f"chunks/{name}", int(size)) for name, size in cursor.fetchall()]


def drop_chunks(things: Sequence[str]) -> int:
    """Delete chunks. The database raises IntegrityError when a revision names one of them (migration 0005)."""
    names = [bytes.fromhex(thing.removeprefix("chunks/")) for thing in things]
    with connection.cursor() as cursor:
        cursor.execute("SELECT voxloop_collect_chunks(%s)", [names])
        return int(cursor.fetchone()[0])


KEPT = (
    ObjectKind("probabilities", ProbabilityMap.objects.all, "key"),
    StoredCheck("chunks", MaskChunk.objects.count, check_chunks),
    StoredCheck("revisions", MaskRevision.objects.count, check_revisions),
    OrphanedRows("chunks", find_unnamed_chunks, drop_chunks),
)
