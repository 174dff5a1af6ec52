"""The small 8-bit volume that a page shows before the slices arrive."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import imagecodecs
import numpy as np
import numpy.typing as npt

from voxloop.volume.errors import FormatError
from voxloop.volume.pack.codec import Voxels

# 0.67 s at 5 Mbit/s.
MOST_BYTES = 400_000
# Quantisation of wavelet coefficients, as a share of the range. On LIDC-IDRI-0001, blocks of 1 × 3 × 3 need a third of
# the bytes of gzip with 1 × 4 × 4 and are closer to the full slices (67 HU instead of 77; docs/adr/0026).
QUANTISATION = 0.05
# Noisy chest CT needs a tenth of a byte per voxel: much finer grids are not tried.
MOST_VOXELS_A_BYTE = 16
Codec = Literal["gzip", "htj2k"]
# CT: −1024 … 1016 HU in steps of 8, finer than a screen shows of a lung window.
CT_LOWEST_HU, CT_STEP_HU = -1024, 8


@dataclass(frozen=True)
class PreviewEntry:
    """The index entry of a preview; `HU = hu_lo + value × hu_step`.

    `htj2k`: concatenated codestreams of the slices, with their lengths in bytes. `gzip`: raw voxels, of scans imported
    by older versions."""

    bytes: int
    shape_zyx: tuple[int, int, int]
    step_zyx: tuple[int, int, int]
    hu_lo: int
    hu_step: int
    codec: Codec = "gzip"
    lengths: tuple[int, ...] = ()

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> PreviewEntry:
        """Raises `FormatError` when a field is missing, or the lengths do not add up."""
        try:
            z, y, x = (int(n) for n in document["shape_zyx"])
            sz, sy, sx = (int(n) for n in document["step_zyx"])
            size, lengths = int(document["bytes"]), tuple(int(n) for n in document.get("lengths", ()))
            hu_lo, hu_step = int(document["hu_lo"]), int(document["hu_step"])
            codec = document.get("codec", "gzip")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise FormatError("bad_pack", "The index of the preview is incomplete.") from error
        is_whole = codec == "gzip" if not lengths else codec == "htj2k" and len(lengths) == z and sum(lengths) == size
        if not is_whole or min(lengths, default=1) <= 0:
            raise FormatError("bad_pack", "The slices of the preview do not fill it.")
        return cls(size, (z, y, x), (sz, sy, sx), hu_lo, hu_step, codec, lengths)

    def to_json(self) -> dict[str, Any]:
        """The fields of `preview` in a volume index, without the URL. Those of `gzip` are unchanged, because the index
        is sealed."""
        fields = {
            "bytes": self.bytes,
            "shape_zyx": list(self.shape_zyx),
            "step_zyx": list(self.step_zyx),
            "hu_lo": self.hu_lo,
            "hu_step": self.hu_step,
        }
        return fields if self.codec == "gzip" else {**fields, "codec": self.codec, "lengths": list(self.lengths)}


def encode_preview(
    voxels_zyx: Voxels, spacing_mm_zyx: tuple[float, float, float], *, most_bytes: int = MOST_BYTES
) -> tuple[bytes, PreviewEntry]:
    """The finest preview of at most `most_bytes`, with voxels as near to cubes as whole steps allow."""
    if voxels_zyx.dtype == np.int16:
        hu_lo, hu_step = CT_LOWEST_HU, CT_STEP_HU
    else:
        hu_lo = int(voxels_zyx.min())
        hu_step = max(1, math.ceil((int(voxels_zyx.max()) - hu_lo) / 255))
    target_mm = min(spacing_mm_zyx)
    tried: set[tuple[int, int, int]] = set()
    while True:
        sz, sy, sx = (max(1, round(target_mm / s)) for s in spacing_mm_zyx)
        step = (sz, sy, sx)
        target_mm *= 1.15
        if step in tried or voxels_zyx.size / math.prod(step) > MOST_VOXELS_A_BYTE * most_bytes:
            continue
        tried.add(step)
        means = _block_means(voxels_zyx, step)
        values = np.clip(np.floor((means - hu_lo) / hu_step + 0.5), 0, 255).astype(np.uint8)
        slices = [_encode_slice(one) for one in values]
        size = sum(map(len, slices))
        if size <= most_bytes or all(s >= n for s, n in zip(step, voxels_zyx.shape, strict=True)):
            z, y, x = values.shape
            lengths = tuple(map(len, slices))
            return b"".join(slices), PreviewEntry(size, (z, y, x), step, hu_lo, hu_step, "htj2k", lengths)


def decode_preview(data: bytes, entry: PreviewEntry) -> npt.NDArray[np.float32]:
    """HU of the preview (slices, rows, columns). Raises `FormatError` when it is not what the entry says."""
    try:
        if entry.codec == "gzip":
            values = np.frombuffer(gzip.decompress(data), np.uint8)
        else:
            ends = np.cumsum(entry.lengths)
            starts = ends - entry.lengths
            values = np.stack([imagecodecs.htj2k_decode(data[a:b]) for a, b in zip(starts, ends, strict=True)])
        return entry.hu_lo + entry.hu_step * values.reshape(entry.shape_zyx).astype(np.float32)
    except (ValueError, OSError, EOFError, zlib.error, RuntimeError) as error:
        raise FormatError("bad_pack", "The preview cannot be read.") from error


def _encode_slice(values_yx: npt.NDArray[np.uint8]) -> bytes:
    return bytes(imagecodecs.htj2k_encode(np.ascontiguousarray(values_yx), level=QUANTISATION, reversible=False))


def _block_means(voxels_zyx: Voxels, step_zyx: tuple[int, int, int]) -> npt.NDArray[np.float32]:
    """Mean of every block; the last block of an axis may be partial. Slab by slab, to stay small."""
    depth, height, width = voxels_zyx.shape
    step_z, step_y, step_x = step_zyx
    starts_y, starts_x = np.arange(0, height, step_y), np.arange(0, width, step_x)
    area = np.diff(np.append(starts_y, height))[:, None] * np.diff(np.append(starts_x, width))
    means = np.empty((math.ceil(depth / step_z), *area.shape), np.float32)
    for row, z in enumerate(range(0, depth, step_z)):
        slab = voxels_zyx[z : z + step_z]
        total = slab.sum(axis=0, dtype=np.int32)
        rows = np.add.reduceat(total, starts_y, axis=0)
        means[row] = np.add.reduceat(rows, starts_x, axis=1) / (area * slab.shape[0])
    return means
