"""Voxels of revisions: chunks in the database, counts and hashes of what they hold."""

import hashlib
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from django.db import connection, transaction

from annotation.masks.models import MaskChunk, MaskRevision
from voxloop.kernel.errors import Damaged
from voxloop.volume.errors import FormatError
from voxloop.volume.labelmap import EMPTY_PAYLOAD, ERASED, chunk_name, decode_chunk, encode_message, join_labelmap
from voxloop.volume.labelmap.chunks import LONGEST_PAYLOAD, VOXELS, ChunkIndex, Labels

Manifest = dict[str, str]


def key_of(index: ChunkIndex) -> str:
    """How a chunk is named in a revision's manifest."""
    return ",".join(map(str, index))


def index_of(key: str) -> ChunkIndex:
    """The chunk of a manifest's key."""
    cz, cy, cx = map(int, key.split(","))
    return cz, cy, cx


def put_chunks(payloads: Mapping[ChunkIndex, bytes]) -> tuple[Manifest, Counter[int]]:
    """Store payloads by content; answer their names ("" for an emptied chunk) and the voxels of each value > 0.

    Equal voxels have one name however they were encoded, and are stored once.
    """
    names: Manifest = {}
    counts: Counter[int] = Counter()
    rows: dict[str, MaskChunk] = {}
    for index, payload in payloads.items():
        if payload == EMPTY_PAYLOAD:
            names[key_of(index)] = ""
            continue
        voxels = decode_chunk(payload)
        tally = np.bincount(voxels.ravel(), minlength=256)
        if tally[0] == VOXELS:
            names[key_of(index)] = ""
            continue
        name = chunk_name(voxels)
        names[key_of(index)] = name
        counts.update({int(value): int(tally[value]) for value in np.flatnonzero(tally) if value})
        rows[name] = MaskChunk(sha256=bytes.fromhex(name), data=zlib.compress(payload, 6))
    _insert([rows[name] for name in sorted(rows)])
    return names, counts


def _insert(rows: Sequence[MaskChunk]) -> None:
    """Store chunks that are not there; those that are must be what their name says, and stay until the commit.

    In one order for everybody: two who store the same chunks at once would else wait for each other in a circle. A row
    that is there is locked, so that the collection of what nobody names cannot take it, and mended when it is damaged.
    """
    if not rows:
        return
    wanted = {bytes(row.sha256): bytes(row.data) for row in rows}
    with transaction.atomic(), connection.cursor() as cursor:
        while wanted:
            cursor.execute(
                "INSERT INTO masks_maskchunk (sha256, data) SELECT * FROM unnest(%s::bytea[], %s::bytea[]) "
                "ON CONFLICT DO NOTHING RETURNING sha256",
                [list(wanted), list(wanted.values())],
            )
            for (name,) in cursor.fetchall():
                del wanted[bytes(name)]
            there = MaskChunk.objects.filter(sha256__in=list(wanted)).order_by("sha256").select_for_update(no_key=True)
            for row in there if wanted else ():
                name = bytes(row.sha256)
                data = wanted.pop(name)
                if bytes(row.data) != data and open_chunk(name, bytes(row.data)) is None:
                    mend_chunk(name, data)


def mend_chunk(name: bytes, data: bytes) -> bool:
    """Put good bytes in the place of a damaged chunk's; False when they are not the chunk of that name."""
    if open_chunk(name, data) is None:
        return False
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL voxloop.keeping = 'mend'")  # the trigger of migration 0004 asks for it
        cursor.execute(
            "INSERT INTO masks_maskchunk (sha256, data) VALUES (%s, %s) "
            "ON CONFLICT (sha256) DO UPDATE SET data = excluded.data",
            [name, data],
        )
        cursor.execute("SET LOCAL voxloop.keeping = ''")
    return True


def get_chunks(manifest: Mapping[str, str]) -> dict[ChunkIndex, bytes]:
    """Payloads of a manifest, in z, y, x order. Raises Damaged (`mask_damaged`): missing, or not what its name says."""
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
    """The payload in a chunk's row, or None when it is not the chunk of that name (sha256 of its voxels)."""
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
        thing=thing, code="mask_damaged", is_missing=is_missing,
    )  # fmt: skip


def chunks_of(revision: MaskRevision | None, shape_zyx: Iterable[int]) -> dict[ChunkIndex, bytes]:
    """Payloads of a revision, when its list of chunks is the one that its content hash was made of. Raises Damaged."""
    if revision is None:
        return {}
    check_manifest(revision, shape_zyx)
    return get_chunks(revision.chunks)


def check_manifest(revision: MaskRevision, shape_zyx: Iterable[int]) -> None:
    """Raises Damaged unless the revision lists the chunks that its content hash was made of."""
    try:
        is_whole = hash_of(revision.chunks, shape_zyx) == revision.content_hash
    except (AttributeError, TypeError, ValueError):
        is_whole = False
    if not is_whole:
        raise mask_damaged(f"revisions/{revision.pk}", "What the database says of this mask was changed.")


def count_values(manifest: Mapping[str, str], keys: Iterable[str]) -> Counter[int]:
    """Voxels of each value > 0 in some chunks of a manifest."""
    counts: Counter[int] = Counter()
    part = {key: manifest[key] for key in keys if key in manifest}
    for payload in get_chunks(part).values():
        tally = np.bincount(decode_chunk(payload).ravel(), minlength=256)
        counts.update({int(value): int(tally[value]) for value in np.flatnonzero(tally) if value})
    return counts


def hash_of(manifest: Mapping[str, str], shape_zyx: Iterable[int]) -> str:
    """The content hash of a labelmap: sha256 over its shape and the sorted names of its chunks.

    It is what a signature and a release are bound to, and can be computed again from the voxels alone.
    """
    lines = ["x".join(map(str, shape_zyx)), *(f"{key}:{manifest[key]}" for key in sorted(manifest, key=index_of))]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def load_labels(revision: MaskRevision | None, shape_zyx: Iterable[int]) -> Labels:
    """The whole labelmap of a revision (uint8, zyx, 255 = erased still inside); all 0 for None."""
    shape = tuple(shape_zyx)
    chunks = chunks_of(revision, shape)
    try:
        return join_labelmap(chunks, (shape[0], shape[1], shape[2]))
    except FormatError as error:
        raise mask_damaged(f"revisions/{revision and revision.pk}", "A part of this mask lies outside.") from error


def message_of(revision: MaskRevision | None, layer: str, shape_zyx: Iterable[int]) -> bytes:
    """The mask message of a revision."""
    return encode_message(layer, shape_zyx, chunks_of(revision, shape_zyx))


def shown_counts(counts: Mapping[int, int]) -> dict[str, Any]:
    """Counts as stored: by segment id as a string, without the erased voxels."""
    return {str(value): count for value, count in sorted(counts.items()) if count > 0 and value != ERASED}
