"""One lossless HTJ2K codestream per slice, concatenated, with offsets and checksums.

HTJ2K (JPEG 2000 part 15) decodes in 1.5 ms a slice here and in the browser, can serve DICOMweb frames without
transcoding, and needs a third of raw chest CT. Every decoder tried supports signed 16 bits."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, cast

import imagecodecs
import numpy as np
import numpy.typing as npt

from voxloop.volume.errors import FormatError

CODEC = "htj2k"
SUM_BYTES = 16


def _fill_codec_tables() -> None:
    """Initialise the tables of OpenJPH 0.26, which does so on first use without a lock: a race gives a wrong slice."""
    tile = np.arange(64 * 64, dtype=np.int16).reshape(64, 64)
    imagecodecs.htj2k_decode(imagecodecs.htj2k_encode(tile, reversible=True))


_fill_codec_tables()

Voxels = npt.NDArray[np.int16] | npt.NDArray[np.uint16]
Raw = bytes  # `PackEntry` has a field of that name
DType = Literal["int16", "uint16"]


@dataclass(frozen=True)
class PackEntry:
    """The index entry of a pack: its length, sha256 (hex) and the (offset, length) of each slice in bytes.

    `sums`: the first 16 bytes of the sha256 of each slice's codestream, concatenated; None in older indexes."""

    bytes: int
    sha256: str
    dtype: DType
    slices: tuple[tuple[int, int], ...]
    sums: Raw | None = None

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> PackEntry:
        """Raises `FormatError` unless the slices follow each other and fill the pack, with a sum for each or none."""
        try:
            slices = tuple((int(offset), int(length)) for offset, length in document["slices"])
            sums = document.get("sums")
            entry = cls(
                int(document["bytes"]),
                str(document["sha256"]),
                document["dtype"],
                slices,
                None if sums is None else base64.b64decode(sums, validate=True),
            )
            codec = document["codec"]
        except (AttributeError, KeyError, TypeError, ValueError, binascii.Error) as error:
            raise FormatError("bad_pack", "The index of the volume pack is incomplete.") from error
        if codec != CODEC or entry.dtype not in ("int16", "uint16"):
            raise FormatError("bad_pack", "The volume pack has another codec or voxel type.")
        end = 0
        for offset, length in slices:
            if offset != end or length <= 0:
                raise FormatError("bad_pack", "The slices of the volume pack do not follow each other.")
            end += length
        if end != entry.bytes:
            raise FormatError("bad_pack", "The slices of the volume pack do not fill it.")
        if entry.sums is not None and len(entry.sums) != SUM_BYTES * len(slices):
            raise FormatError("bad_pack", "The index of the volume pack lacks a sum for each slice.")
        return entry

    def sum_of(self, number: int) -> Raw | None:
        """The sum of one slice, where the index has sums."""
        return None if self.sums is None else self.sums[number * SUM_BYTES : (number + 1) * SUM_BYTES]

    def to_json(self) -> dict[str, Any]:
        """The fields of `pack` in a volume index, without the URL."""
        return {
            "bytes": self.bytes,
            "sha256": self.sha256,
            "codec": CODEC,
            "dtype": self.dtype,
            "slices": [list(extent) for extent in self.slices],
            **({} if self.sums is None else {"sums": base64.b64encode(self.sums).decode()}),
        }


def sum_slice(stream: bytes | memoryview) -> bytes:
    """The checksum of a codestream in an index: the first 16 bytes of its sha256."""
    return hashlib.sha256(stream).digest()[:SUM_BYTES]


def sum_slices(data: bytes, slices: Sequence[tuple[int, int]]) -> bytes:
    """The concatenated sums of all slices of a pack."""
    view = memoryview(data)
    return b"".join(sum_slice(view[offset : offset + length]) for offset, length in slices)


def encode_pack(
    voxels_zyx: Voxels, *, threads: int | None = None, on_slice: Callable[[int], None] | None = None
) -> tuple[bytes, PackEntry]:
    """Pack a volume (int16 HU, or uint16 of an X-ray) slice by slice, on every core by default.

    Every slice is decoded again and compared. `on_slice` is called with the number of slices done."""
    if voxels_zyx.dtype not in (np.int16, np.uint16) or voxels_zyx.ndim != 3:
        raise ValueError("a pack holds a 3D volume of int16 or uint16")
    streams: list[bytes] = []
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        for stream in pool.map(_encode, voxels_zyx):
            streams.append(stream)
            if on_slice:
                on_slice(len(streams))
    data = b"".join(streams)
    slices: list[tuple[int, int]] = []
    for stream in streams:
        slices.append((sum(slices[-1]) if slices else 0, len(stream)))
    dtype: DType = "int16" if voxels_zyx.dtype == np.int16 else "uint16"
    sums = sum_slices(data, slices)
    return data, PackEntry(len(data), hashlib.sha256(data).hexdigest(), dtype, tuple(slices), sums)


def decode_slice(stream: bytes, entry: PackEntry, shape_yx: tuple[int, int]) -> Voxels:
    """One slice from its codestream. Raises `FormatError` (`bad_pack`) when it does not match the index. Does not check
    the sum, which `voxloop.storage.reading` does."""
    try:
        image = imagecodecs.htj2k_decode(stream)
    except (RuntimeError, ValueError) as error:
        raise FormatError("bad_pack", "A slice of the volume pack cannot be decoded.") from error
    if image.shape != shape_yx or image.dtype != entry.dtype:
        raise FormatError("bad_pack", f"A slice of the volume pack is {image.shape} {image.dtype}.")
    return cast(Voxels, image)


def decode_pack(
    data: bytes, entry: PackEntry, shape_zyx: tuple[int, int, int], *, threads: int | None = None
) -> Voxels:
    """The whole volume, after its length and sha256 were checked. Raises `FormatError` (`bad_pack`)."""
    if len(data) != entry.bytes or hashlib.sha256(data).hexdigest() != entry.sha256:
        raise FormatError("bad_pack", "The volume pack does not match its index.")
    if len(entry.slices) != shape_zyx[0]:
        raise FormatError("bad_pack", "The volume pack has another number of slices than its shape.")
    voxels_zyx = np.empty(shape_zyx, entry.dtype)

    def decode(number: int) -> None:
        offset, length = entry.slices[number]
        voxels_zyx[number] = decode_slice(data[offset : offset + length], entry, shape_zyx[1:])

    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        for _ in pool.map(decode, range(shape_zyx[0])):
            pass
    return cast(Voxels, voxels_zyx)


def _encode(slice_yx: Voxels) -> bytes:
    stream = bytes(imagecodecs.htj2k_encode(np.ascontiguousarray(slice_yx), reversible=True))
    if not np.array_equal(imagecodecs.htj2k_decode(stream), slice_yx):
        raise RuntimeError("the HTJ2K codec did not reproduce a slice")
    return stream
