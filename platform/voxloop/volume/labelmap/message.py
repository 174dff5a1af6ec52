"""The mask message: gzip of a header and the payloads of chunks, read as hostile input."""

from __future__ import annotations

import gzip
import json
import math
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeGuard

from voxloop.volume.errors import FormatError
from voxloop.volume.labelmap.chunks import (
    LONGEST_PAYLOAD,
    ChunkIndex,
    Labels,
    check_index,
    count_chunk,
    grid_of,
    join_labelmap,
)

MEDIA_TYPE = "application/vnd.voxloop.mask"
MAGIC = b"VXM1"
VERSION = 1
LONGEST_HEADER = 4 << 20
# A labelmap above this is refused before anything is allocated (2 GiB; the largest chest CTs seen have 0.5).
MOST_VOXELS = 1 << 31


@dataclass(frozen=True)
class MaskMessage:
    """A decoded message: payloads are checked, strokes are plain JSON objects with an `id` and a `tool`."""

    layer: str
    shape_zyx: tuple[int, int, int]
    chunks: Mapping[ChunkIndex, bytes]
    strokes: Sequence[Mapping[str, Any]] = ()

    def labels(self) -> Labels:
        """The whole labelmap, for a message that lists every chunk."""
        return join_labelmap(self.chunks, self.shape_zyx)


def encode_message(
    layer: str,
    shape_zyx: Iterable[int],
    chunks: Mapping[ChunkIndex, bytes],
    strokes: Sequence[Mapping[str, Any]] = (),
    accepted: Sequence[Sequence[Any]] = (),
) -> bytes:
    """The message of these payloads, in the order given. Equal input gives equal bytes.

    `accepted`: the proposed lesions that a reader has accepted (docs/formats.md); who reads a save ignores them."""
    header = json.dumps(
        {
            "version": VERSION,
            "layer": layer,
            "shape_zyx": list(shape_zyx),
            "chunks": [[*index, len(payload)] for index, payload in chunks.items()],
            "strokes": list(strokes),
            **({"accepted": list(accepted)} if accepted else {}),
        },
        separators=(",", ":"),
    ).encode()
    return gzip.compress(MAGIC + struct.pack("<I", len(header)) + header + b"".join(chunks.values()), 6, mtime=0)


def decode_message(
    data: bytes,
    shape_zyx: Iterable[int] | None = None,
    *,
    visit: Callable[[ChunkIndex, bytes, Labels, dict[int, int]], object] | None = None,
) -> MaskMessage:
    """Read a message; `shape_zyx`, where given, is the only shape accepted.

    `visit` is called with each checked chunk (index, payload, voxels, count of each value > 0), which saves a second
    decoding.

    Raises `FormatError` (`bad_mask`, `bad_chunk`). Never inflates more than its header and the declared payloads,
    and never declares more than the shape can hold.
    """
    stream = _Stream(data)
    start = stream.take(8)
    if start[:4] != MAGIC:
        _refuse("The body is not a mask message.")
    length = struct.unpack("<I", start[4:])[0]
    if length > LONGEST_HEADER:
        _refuse("The header of the mask message is too long.")
    header = _header(stream.take(length))
    shape = _shape(header)
    if shape_zyx is not None and shape != tuple(shape_zyx):
        _refuse(f"The mask has shape {list(shape)}, its scan has {list(shape_zyx)}.")
    entries = _entries(header, shape)
    chunks: dict[ChunkIndex, bytes] = {}
    for index, size in entries:
        payload = stream.take(size)
        voxels, counts = count_chunk(payload)
        check_index(index, shape, voxels)
        chunks[index] = payload
        if visit is not None:
            visit(index, payload, voxels, counts)
    stream.end()
    return MaskMessage(header["layer"], shape, chunks, _strokes(header))


class _Stream:
    """Inflates a gzip member piece by piece, never beyond what is asked for."""

    def __init__(self, data: bytes) -> None:
        self._inflater = zlib.decompressobj(wbits=31)
        self._rest = data

    def take(self, size: int) -> bytes:
        parts = []
        while size > 0:
            try:
                part = self._inflater.decompress(self._rest, size)
            except zlib.error as error:
                raise FormatError("bad_mask", "The body is not a whole gzip stream.") from error
            self._rest = self._inflater.unconsumed_tail
            if not part:
                _refuse("The mask message ends too early.")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def end(self) -> None:
        """Refuse anything after the last payload, and a stream without its checksum."""
        try:
            surplus = self._inflater.decompress(self._rest, 1)
        except zlib.error as error:
            raise FormatError("bad_mask", "The checksum of the gzip stream is wrong.") from error
        if surplus or not self._inflater.eof or self._inflater.unused_data:
            _refuse("The mask message does not end after its last chunk.")


def _refuse(sentence: str) -> NoReturn:
    raise FormatError("bad_mask", sentence)


def _no_constant(name: str) -> NoReturn:
    _refuse(f"The header of the mask message holds {name}.")


def _header(raw: bytes) -> dict[str, Any]:
    try:
        header = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
    except (UnicodeDecodeError, RecursionError, ValueError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError("bad_mask", "The header of the mask message is not JSON.") from error
    if not isinstance(header, dict) or header.get("version") != VERSION or isinstance(header["version"], bool):
        _refuse("The mask message has another version.")
    if not isinstance(header.get("layer"), str) or not 1 <= len(header["layer"]) <= 64:
        _refuse("The mask message does not name its layer.")
    return header


def _shape(header: dict[str, Any]) -> tuple[int, int, int]:
    shape = header.get("shape_zyx")
    if not _are_integers(shape, 3) or min(shape) < 1 or math.prod(shape) > MOST_VOXELS:
        _refuse("The shape of the mask message is not possible.")
    return shape[0], shape[1], shape[2]


def _entries(header: dict[str, Any], shape: tuple[int, int, int]) -> list[tuple[ChunkIndex, int]]:
    """Index and length of each payload; checked before anything is inflated."""
    listed = header.get("chunks")
    grid = grid_of(shape)
    if not isinstance(listed, list) or len(listed) > math.prod(grid):
        _refuse("The mask message lists more chunks than the volume has.")
    entries: list[tuple[ChunkIndex, int]] = []
    seen: set[ChunkIndex] = set()
    for entry in listed:
        if not _are_integers(entry, 4):
            _refuse("A chunk of the mask message is not listed as four numbers.")
        index = (entry[0], entry[1], entry[2])
        if any(not 0 <= c < n for c, n in zip(index, grid, strict=True)):
            raise FormatError("bad_chunk", f"Chunk {list(index)} lies outside the volume.")
        if index in seen:
            raise FormatError("bad_chunk", f"Chunk {list(index)} is listed twice.")
        if not len(b"\x01\x00") <= entry[3] <= LONGEST_PAYLOAD:
            raise FormatError("bad_chunk", f"Chunk {list(index)} has an impossible length.")
        seen.add(index)
        entries.append((index, entry[3]))
    return entries


def _strokes(header: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    strokes = header.get("strokes", [])
    if not isinstance(strokes, list):
        _refuse("The strokes of the mask message are not a list.")
    for stroke in strokes:
        named = isinstance(stroke, dict) and all(
            isinstance(stroke.get(key), str) and 0 < len(stroke[key]) <= 64 for key in ("id", "tool")
        )
        if not named:
            _refuse("A stroke of the mask message has no id or no tool.")
    return tuple(strokes)


def _are_integers(value: object, count: int) -> TypeGuard[list[int]]:
    return isinstance(value, list) and len(value) == count and all(type(n) is int for n in value)
