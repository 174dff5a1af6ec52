"""Voxels of revisions: chunks in the database, counts and hashes of what they hold."""

import hashlib
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from annotation.masks.models import MaskChunk, MaskRevision
from voxloop.kernel.errors import Conflict
from voxloop.volume.labelmap import EMPTY_PAYLOAD, ERASED, chunk_name, decode_chunk, encode_message, join_labelmap
from voxloop.volume.labelmap.chunks import VOXELS, ChunkIndex, Labels

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
    # In one order for everybody: two who store the same chunks at once would else wait for each other in a circle.
    MaskChunk.objects.bulk_create([rows[name] for name in sorted(rows)], ignore_conflicts=True)
    return names, counts


def get_chunks(manifest: Mapping[str, str]) -> dict[ChunkIndex, bytes]:
    """Payloads of a manifest, in z, y, x order. Raises Conflict when one is missing or not what its name says."""
    names = {bytes.fromhex(name) for name in manifest.values()}
    stored = {bytes(row.sha256): zlib.decompress(bytes(row.data)) for row in MaskChunk.objects.filter(sha256__in=names)}
    payloads: dict[ChunkIndex, bytes] = {}
    for key in sorted(manifest, key=index_of):
        payload = stored.get(bytes.fromhex(manifest[key]))
        if payload is None or chunk_name(decode_chunk(payload)) != manifest[key]:
            raise Conflict(
                "A stored part of this mask is missing or damaged; restore it from a backup.", code="mask_damaged"
            )
        payloads[index_of(key)] = payload
    return payloads


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
    return join_labelmap(get_chunks(revision.chunks) if revision else {}, (shape[0], shape[1], shape[2]))


def message_of(revision: MaskRevision | None, layer: str, shape_zyx: Iterable[int]) -> bytes:
    """The mask message of a revision."""
    return encode_message(layer, shape_zyx, get_chunks(revision.chunks) if revision else {})


def shown_counts(counts: Mapping[int, int]) -> dict[str, Any]:
    """Counts as stored: by segment id as a string, without the erased voxels."""
    return {str(value): count for value, count in sorted(counts.items()) if count > 0 and value != ERASED}
