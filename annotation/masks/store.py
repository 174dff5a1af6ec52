"""Voxels of revisions: chunks in the database, counts and hashes of what they hold."""

import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from annotation.masks.models import MaskChunk, MaskRevision
from voxloop.kernel.errors import Damaged
from voxloop.volume.errors import FormatError
from voxloop.volume.labelmap import (
    ERASED,
    chunk_name,
    count_chunk,
    decode_chunk,
    encode_message,
    grid_of,
    join_labelmap,
)
from voxloop.volume.labelmap.chunks import LONGEST_PAYLOAD, ChunkIndex, Labels

Manifest = dict[str, str]


def key_of(index: ChunkIndex) -> str:
    """The key of a chunk in a revision's manifest."""
    return ",".join(map(str, index))


@lru_cache(maxsize=8192)  # a few thousand indices, each looked up at every save
def index_of(key: str) -> ChunkIndex:
    """The chunk index of a manifest's key."""
    cz, cy, cx = map(int, key.split(","))
    return cz, cy, cx


@dataclass
class Arrived:
    """Received chunks of a save, before they are stored: each is decoded once and its voxels are dropped. Equal voxels
    have one name whatever their encoding, and are stored once."""

    names: Manifest = field(default_factory=dict)  # "" for an emptied chunk
    counts: Counter[int] = field(default_factory=Counter)  # voxels of each value > 0 in all of them
    rows: dict[str, MaskChunk] = field(default_factory=dict)

    def add(self, index: ChunkIndex, payload: bytes, voxels: Labels, counts: Mapping[int, int]) -> None:
        """Add one chunk; a `visit` callback of `decode_message`."""
        if not counts:
            self.names[key_of(index)] = ""
            return
        name = chunk_name(voxels)
        self.names[key_of(index)] = name
        self.counts.update(counts)
        self.rows[name] = MaskChunk(sha256=bytes.fromhex(name), data=_deflate(payload), counts=counts)

    @property
    def rows_in_order(self) -> list[MaskChunk]:
        """Sorted: concurrent saves of the same chunks could otherwise deadlock."""
        return [self.rows[name] for name in sorted(self.rows)]


def put_chunks(payloads: Mapping[ChunkIndex, bytes]) -> tuple[Manifest, Counter[int]]:
    """Store payloads by content; returns their names ("" for an emptied chunk) and the voxels of each value > 0."""
    arrived = Arrived()
    for index, payload in payloads.items():
        arrived.add(index, payload, *count_chunk(payload))
    with transaction.atomic():
        MaskChunk.objects.bulk_create(arrived.rows_in_order, ignore_conflicts=True)
        keep_stored(arrived.rows_in_order)
    return arrived.names, arrived.counts


def _deflate(payload: bytes) -> bytes:
    """zlib of a payload. Rows are XOR differences, mostly 0: run-length matching alone is 5 times faster, and no
    larger."""
    deflater = zlib.compressobj(6, strategy=zlib.Z_RLE)
    return deflater.compress(payload) + deflater.flush()


def keep_stored(rows: Sequence[MaskChunk]) -> None:
    """Verify and lock existing chunks until the commit, so that garbage collection cannot delete them; damaged ones are
    repaired."""
    wanted = {bytes(row.sha256): row for row in rows}
    for name, data in hold_chunks(list(wanted)) if wanted else ():
        row = wanted.pop(name)
        if data != bytes(row.data) and open_chunk(name, data) is None:
            mend_chunk(row)
    for row in wanted.values():  # deleted meanwhile
        mend_chunk(row)


def hold_chunks(names: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """Names and stored bytes of existing chunks, locked until the transaction ends (migration 0007)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sha256, data FROM voxloop_hold_chunks(%s)", [list(names)])
        return [(bytes(name), bytes(data)) for name, data in cursor.fetchall()]


def mend_chunk(row: MaskChunk) -> None:
    """Replace the bytes of a damaged or missing chunk; the new ones match its name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT voxloop_mend_chunk(%s, %s, %s)", [bytes(row.sha256), bytes(row.data), json.dumps(row.counts)]
        )


def get_chunks(manifest: Mapping[str, str]) -> dict[ChunkIndex, bytes]:
    """Payloads of a manifest, in z, y, x order. Raises Damaged (`mask_damaged`) when one is missing or does not match
    its name."""
    try:
        names = {key: bytes.fromhex(manifest[key]) for key in sorted(manifest, key=index_of)}
    except (AttributeError, TypeError, ValueError) as error:
        raise mask_damaged("chunks/?", "The list of the parts of this mask is damaged.") from error
    stored = {bytes(row.sha256): bytes(row.data) for row in MaskChunk.objects.filter(sha256__in=set(names.values()))}
    payloads: dict[ChunkIndex, bytes] = {}
    for key, name in names.items():
        if name not in stored:
            raise mask_damaged(
                f"chunks/{name.hex()}", f"Part {key} of this mask is missing in the database.", is_missing=True
            )
        payload = open_chunk(name, stored[name])
        if payload is None:
            raise mask_damaged(f"chunks/{name.hex()}", f"Part {key} of this mask is damaged in the database.")
        payloads[index_of(key)] = payload
    return payloads


def open_chunk(name: bytes, data: bytes) -> bytes | None:
    """The payload in a chunk's row, or None when it does not match the name (sha256 of its voxels)."""
    inflater = zlib.decompressobj()
    try:
        payload = inflater.decompress(data, LONGEST_PAYLOAD + 1)
        whole = inflater.eof and not inflater.unused_data and bytes.fromhex(chunk_name(decode_chunk(payload))) == name
    except (zlib.error, FormatError):
        return None
    return payload if whole else None


def mask_damaged(thing: str, sentence: str, *, is_missing: bool = False) -> Damaged:
    """The refusal for a mask that cannot be read as it was saved."""
    return Damaged(
        f"{sentence} Nothing of it is shown; an administrator can restore it (manage.py scrub).",
        thing=thing,
        code="mask_damaged",
        is_missing=is_missing,
    )


def chunks_of(revision: MaskRevision | None, shape_zyx: Iterable[int]) -> dict[ChunkIndex, bytes]:
    """Payloads of a revision, after checking its list of chunks against its content hash. Raises Damaged."""
    if revision is None:
        return {}
    shape = tuple(shape_zyx)
    check_manifest(revision, shape)
    chunks = get_chunks(revision.chunks)
    if any(not 0 <= c < n for index in chunks for c, n in zip(index, grid_of(shape), strict=True)):
        raise mask_damaged(f"revisions/{revision.pk}", "A part of this mask is outside the scan.")
    return chunks


def check_manifest(revision: MaskRevision, shape_zyx: Iterable[int] | None) -> None:
    """Raises Damaged unless the revision's list of chunks matches its content hash."""
    check_list(revision.pk, revision.chunks, revision.content_hash, shape_zyx)


def check_list(
    revision_id: UUID | None, chunks: Any, content_hash: str | None, shape_zyx: Iterable[int] | None
) -> None:
    """The same for values read from a revision; None: no revision."""
    if revision_id is None:
        return
    try:
        is_whole = shape_zyx is not None and hash_of(chunks, shape_zyx) == content_hash
    except (AttributeError, TypeError, ValueError):
        is_whole = False
    if not is_whole:
        raise mask_damaged(f"revisions/{revision_id}", "The record of this mask in the database was changed.")


def count_values(manifest: Mapping[str, str], keys: Iterable[str]) -> Counter[int]:
    """Voxels of each value > 0 in some chunks of a manifest."""
    counts: Counter[int] = Counter()
    part = {key: manifest[key] for key in keys if key in manifest}
    for payload in get_chunks(part).values():
        counts.update(count_chunk(payload)[1])
    return counts


def hash_of(manifest: Mapping[str, str], shape_zyx: Iterable[int]) -> str:
    """The content hash of a labelmap: sha256 over its shape and the sorted names of its chunks.

    Signatures and releases refer to it; it can be recomputed from the voxels alone."""
    lines = ["x".join(map(str, shape_zyx)), *(f"{key}:{manifest[key]}" for key in sorted(manifest, key=index_of))]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def load_labels(revision: MaskRevision | None, shape_zyx: Iterable[int]) -> Labels:
    """The whole labelmap of a revision (uint8, zyx, 255 = erased still inside); all 0 for None."""
    shape = tuple(shape_zyx)
    chunks = chunks_of(revision, shape)
    try:
        return join_labelmap(chunks, (shape[0], shape[1], shape[2]))
    except FormatError as error:
        raise mask_damaged(
            f"revisions/{revision and revision.pk}", "A part of this mask is outside the scan."
        ) from error


def message_of(revision: MaskRevision | None, layer: str, shape_zyx: Iterable[int]) -> bytes:
    """The mask message of a revision."""
    accepted = revision.accepted if revision is not None else ()
    return encode_message(layer, shape_zyx, chunks_of(revision, shape_zyx), accepted=accepted)


def shown_counts(counts: Mapping[int, int]) -> dict[str, Any]:
    """Counts as stored: by segment id as a string, without the erased voxels."""
    return {str(value): count for value, count in sorted(counts.items()) if count > 0 and value != ERASED}
