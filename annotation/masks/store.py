"""Voxels of revisions: chunks in the database, counts and hashes of what they hold."""

import hashlib
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from annotation.masks.models import MaskChunk, MaskRevision
from voxloop.kernel.errors import Conflict
from voxloop.volume.labelmap import (
    ERASED,
    chunk_name,
    count_chunk,
    decode_chunk,
    encode_message,
    join_labelmap,
)
from voxloop.volume.labelmap.chunks import ChunkIndex, Labels

Manifest = dict[str, str]


def key_of(index: ChunkIndex) -> str:
    """How a chunk is named in a revision's manifest."""
    return ",".join(map(str, index))


@lru_cache(maxsize=8192)  # of the few thousand places that there are, each is asked for at every save
def index_of(key: str) -> ChunkIndex:
    """The chunk of a manifest's key."""
    cz, cy, cx = map(int, key.split(","))
    return cz, cy, cx


@dataclass
class Arrived:
    """Chunks that came with a save, before they are stored: each is looked at once and its voxels are let go.

    Equal voxels have one name however they were encoded, and are stored once.
    """

    names: Manifest = field(default_factory=dict)  # "" for an emptied chunk
    counts: Counter[int] = field(default_factory=Counter)  # voxels of each value > 0 in all of them
    rows: dict[str, MaskChunk] = field(default_factory=dict)

    def add(self, index: ChunkIndex, payload: bytes, voxels: Labels, counts: Mapping[int, int]) -> None:
        """Take up one chunk, as `decode_message` shows it."""
        if not counts:
            self.names[key_of(index)] = ""
            return
        name = chunk_name(voxels)
        self.names[key_of(index)] = name
        self.counts.update(counts)
        self.rows[name] = MaskChunk(sha256=bytes.fromhex(name), data=_deflate(payload), counts=counts)

    @property
    def rows_in_order(self) -> list[MaskChunk]:
        """In one order for everybody: two who store the same chunks at once would else wait for each other."""
        return [self.rows[name] for name in sorted(self.rows)]


def put_chunks(payloads: Mapping[ChunkIndex, bytes]) -> tuple[Manifest, Counter[int]]:
    """Store payloads by content; answer their names ("" for an emptied chunk) and the voxels of each value > 0."""
    arrived = Arrived()
    for index, payload in payloads.items():
        arrived.add(index, payload, *count_chunk(payload))
    MaskChunk.objects.bulk_create(arrived.rows_in_order, ignore_conflicts=True)
    return arrived.names, arrived.counts


def _deflate(payload: bytes) -> bytes:
    """zlib of a payload. Rows are differences, mostly 0: looking for runs alone is 5 times faster, and no larger."""
    deflater = zlib.compressobj(6, strategy=zlib.Z_RLE)
    return deflater.compress(payload) + deflater.flush()


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
        counts.update(count_chunk(payload)[1])
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
