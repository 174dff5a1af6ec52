"""A labelmap as 32³ chunks: payload of one chunk, split, join, and what changed between two labelmaps."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from voxloop.volume.errors import FormatError

ERASED = 255  # a voxel that a reader removed: background everywhere, and region growing never brings it back
CHUNK = 32
VOXELS = CHUNK**3
ROWS = CHUNK**2
EMPTY_PAYLOAD = b"\x01\x00"
LONGEST_PAYLOAD = 1 + 256 + VOXELS

ChunkIndex = tuple[int, int, int]
Labels = npt.NDArray[np.uint8]


def strip_erased(labels_zyx: Labels) -> Labels:
    """A copy with 255 turned into background, for measures and exports."""
    return np.where(labels_zyx == ERASED, np.uint8(0), labels_zyx)


def grid_of(shape_zyx: Iterable[int]) -> ChunkIndex:
    """Number of chunks along z, y, x for a volume of this shape."""
    z, y, x = ((n + CHUNK - 1) // CHUNK for n in shape_zyx)
    return z, y, x


def chunk_name(voxels: Labels) -> str:
    """The sha256 (hex) of the 32 768 raw bytes of a 32×32×32 chunk."""
    return hashlib.sha256(np.ascontiguousarray(voxels).data).hexdigest()


def encode_chunk(voxels: Labels) -> bytes:
    """The payload of one 32×32×32 uint8 chunk."""
    flat = np.ascontiguousarray(voxels, dtype=np.uint8).reshape(-1)
    if flat.size != VOXELS:
        raise ValueError(f"a chunk has {VOXELS} voxels, not {flat.size}")
    values = np.flatnonzero(np.bincount(flat, minlength=256)).astype(np.uint8)
    head = bytes([values.size % 256]) + values.tobytes()
    if values.size == 1:
        return head
    bits = _bits_for(values.size)
    index_of = np.zeros(256, np.uint8)
    index_of[values] = np.arange(values.size, dtype=np.uint8)
    rows = _pack(index_of[flat], bits).reshape(ROWS, -1)
    edges = rows.copy()
    edges[1:] ^= rows[:-1]
    return head + edges.tobytes()


def decode_chunk(payload: bytes) -> Labels:
    """The 32×32×32 uint8 voxels of a payload. Raises `FormatError` (`bad_chunk`) when it is malformed."""
    return count_chunk(payload)[0]


def count_chunk(payload: bytes) -> tuple[Labels, dict[int, int]]:
    """The voxels of a payload and how many have each value > 0. Raises as `decode_chunk`.

    Counts packed bytes, each holding several voxels, which is faster."""
    if not payload:
        raise FormatError("bad_chunk", "The payload of a chunk is empty.")
    count = payload[0] or 256
    bits = _bits_for(count)
    if len(payload) != 1 + count + (ROWS * 4 * bits if count > 1 else 0):
        raise FormatError("bad_chunk", f"The payload of a chunk has {len(payload)} bytes; its values say otherwise.")
    values = np.frombuffer(payload, np.uint8, count, 1)
    if count > 1 and np.any(values[1:] <= values[:-1]):
        raise FormatError("bad_chunk", "The values of a chunk are not in ascending order.")
    if count == 1:
        value = int(values[0])
        return np.full((CHUNK, CHUNK, CHUNK), value, np.uint8), {value: VOXELS} if value else {}
    # A row is one or a few machine words; XOR is independent of byte order.
    word = np.uint32 if bits == 1 else np.uint64
    edges = np.frombuffer(payload[1 + count :], word).reshape(ROWS, -1)
    packed = np.bitwise_xor.accumulate(edges, axis=0).reshape(-1).view(np.uint8)
    tally = np.bincount(packed, minlength=256) @ _INDICES_IN[bits]
    if tally[count:].any():
        raise FormatError("bad_chunk", "A chunk names a value that it does not have.")
    padded = np.zeros(1 << bits, np.uint8)
    padded[:count] = values
    of_byte = padded[_INDICES_OF[bits]].view(f"u{8 // bits}").reshape(-1)
    voxels = np.take(of_byte, packed).view(np.uint8).reshape(CHUNK, CHUNK, CHUNK)
    return voxels, {int(values[i]): int(tally[i]) for i in np.flatnonzero(tally) if values[i]}


def split_labelmap(labels_zyx: Labels) -> dict[ChunkIndex, bytes]:
    """Payloads of all chunks that are not all 0, in z, y, x order."""
    return {index: encode_chunk(_cut(labels_zyx, index)) for index in _differing(labels_zyx, None)}


def join_labelmap(chunks: Mapping[ChunkIndex, bytes], shape_zyx: tuple[int, int, int]) -> Labels:
    """The labelmap (uint8, C-ordered) of these payloads; a chunk not named is 0. Raises `FormatError`."""
    labels_zyx = np.zeros(shape_zyx, np.uint8)
    apply_chunks(labels_zyx, chunks)
    return labels_zyx


def apply_chunks(labels_zyx: Labels, chunks: Mapping[ChunkIndex, bytes]) -> None:
    """Write payloads into a labelmap in position.

    Raises `FormatError` for a chunk outside the shape, a malformed payload, or a voxel set beyond the volume's edge."""
    for index, payload in chunks.items():
        write_chunk(labels_zyx, index, decode_chunk(payload))


def write_chunk(labels_zyx: Labels, index: ChunkIndex, voxels: Labels) -> None:
    """Write one decoded chunk into a labelmap in place; raises as `apply_chunks`."""
    check_index(index, labels_zyx.shape, voxels)
    z, y, x = (CHUNK * c for c in index)
    target = labels_zyx[z : z + CHUNK, y : y + CHUNK, x : x + CHUNK]
    target[...] = voxels[: target.shape[0], : target.shape[1], : target.shape[2]]


def check_index(index: ChunkIndex, shape_zyx: Iterable[int], voxels: Labels) -> None:
    """Refuse a chunk outside the shape, and one with voxels set beyond the volume's edge."""
    shape = tuple(shape_zyx)
    if any(not 0 <= c < n for c, n in zip(index, grid_of(shape), strict=True)):
        raise FormatError("bad_chunk", f"Chunk {list(index)} lies outside the volume.")
    inside = tuple(min(CHUNK, n - CHUNK * c) for c, n in zip(index, shape, strict=True))
    if inside == (CHUNK, CHUNK, CHUNK):
        return
    if voxels[inside[0] :].any() or voxels[:, inside[1] :].any() or voxels[:, :, inside[2] :].any():
        raise FormatError("bad_chunk", f"Chunk {list(index)} sets voxels beyond the edge of the volume.")


def changed_chunks(before_zyx: Labels, after_zyx: Labels) -> dict[ChunkIndex, bytes]:
    """Payloads (of `after`) of the chunks that differ; an emptied one has the payload `01 00`."""
    if before_zyx.shape != after_zyx.shape:
        raise ValueError("labelmaps of different shapes")
    return {index: encode_chunk(_cut(after_zyx, index)) for index in _differing(after_zyx, before_zyx)}


def _bits_for(count: int) -> int:
    return next(b for b in (1, 2, 4, 8) if 1 << b >= count)


def _pack(index: Labels, bits: int) -> Labels:
    if bits == 8:
        return index
    if bits == 1:
        return np.packbits(index, bitorder="little")
    parts = index.reshape(-1, 8 // bits)
    packed = np.zeros(parts.shape[0], np.uint8)
    for position in range(parts.shape[1]):
        packed |= parts[:, position] << np.uint8(position * bits)
    return packed


def _unpack_every_byte(bits: int) -> Labels:
    """The indices that each of the 256 bytes holds, as (256, 8 // bits)."""
    every = np.arange(256, dtype=np.uint16)[:, None] >> (np.arange(8 // bits, dtype=np.uint16) * np.uint16(bits))
    return np.ascontiguousarray(every & ((1 << bits) - 1), dtype=np.uint8)


_INDICES_OF = {bits: _unpack_every_byte(bits) for bits in (1, 2, 4, 8)}
# How often each index occurs in each byte, as (256, 2 ** bits).
_INDICES_IN = {
    bits: (indices[:, :, None] == np.arange(1 << bits)).sum(axis=1, dtype=np.int64)
    for bits, indices in _INDICES_OF.items()
}


def _cut(labels_zyx: Labels, index: ChunkIndex) -> Labels:
    z, y, x = (CHUNK * c for c in index)
    part = labels_zyx[z : z + CHUNK, y : y + CHUNK, x : x + CHUNK]
    if part.shape == (CHUNK, CHUNK, CHUNK):
        return part
    whole = np.zeros((CHUNK, CHUNK, CHUNK), np.uint8)
    whole[: part.shape[0], : part.shape[1], : part.shape[2]] = part
    return whole


def _differing(labels_zyx: Labels, base_zyx: Labels | None) -> list[ChunkIndex]:
    """Chunks that differ from `base` (from 0 without one), slab by slab for cache locality."""
    found: list[ChunkIndex] = []
    _, grid_y, grid_x = grid_of(labels_zyx.shape)
    for z in range(0, labels_zyx.shape[0], CHUNK):
        slab = np.zeros((grid_y * CHUNK, grid_x * CHUNK), np.uint8)
        view = slab[: labels_zyx.shape[1], : labels_zyx.shape[2]]
        for k in range(z, min(z + CHUNK, labels_zyx.shape[0])):
            view |= labels_zyx[k] if base_zyx is None else labels_zyx[k] ^ base_zyx[k]
        tiles = slab.reshape(grid_y, CHUNK, grid_x, CHUNK).any(axis=(1, 3))
        found.extend((z // CHUNK, int(y), int(x)) for y, x in np.argwhere(tiles))
    return found
