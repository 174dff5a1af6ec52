"""The small 8-bit volume that a page shows before the slices arrive."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from voxloop.volume.errors import FormatError
from voxloop.volume.pack.codec import Voxels

# About 2.5 s on a line of 5 Mbit/s (`viewer.md`).
MOST_BYTES = 1_400_000
# CT: −1024 … 1016 HU in steps of 8, finer than a screen shows of a lung window.
CT_LOWEST_HU, CT_STEP_HU = -1024, 8


@dataclass(frozen=True)
class PreviewEntry:
    """What an index says of a preview; `HU = hu_lo + value × hu_step`."""

    bytes: int
    shape_zyx: tuple[int, int, int]
    step_zyx: tuple[int, int, int]
    hu_lo: int
    hu_step: int

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> PreviewEntry:
        """Raises `FormatError` when a field is missing."""
        try:
            z, y, x = (int(n) for n in document["shape_zyx"])
            sz, sy, sx = (int(n) for n in document["step_zyx"])
            return cls(
                int(document["bytes"]), (z, y, x), (sz, sy, sx), int(document["hu_lo"]), int(document["hu_step"])
            )
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError("bad_pack", "The index of the preview is incomplete.") from error

    def to_json(self) -> dict[str, Any]:
        """The fields of `preview` in a volume index, without the URL."""
        return {
            "bytes": self.bytes,
            "shape_zyx": list(self.shape_zyx),
            "step_zyx": list(self.step_zyx),
            "hu_lo": self.hu_lo,
            "hu_step": self.hu_step,
        }


def encode_preview(
    voxels_zyx: Voxels, spacing_mm_zyx: tuple[float, float, float], *, most_bytes: int = MOST_BYTES
) -> tuple[bytes, PreviewEntry]:
    """The finest preview of at most `most_bytes`, its voxels as near to cubes as whole steps allow."""
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
        # Noise of a chest CT never packs below a third of a byte a voxel: do not even try those.
        if step in tried or voxels_zyx.size / math.prod(step) > 3 * most_bytes:
            continue
        tried.add(step)
        means = _block_means(voxels_zyx, step)
        values = np.clip(np.floor((means - hu_lo) / hu_step + 0.5), 0, 255).astype(np.uint8)
        data = gzip.compress(values.tobytes(), 6, mtime=0)
        if len(data) <= most_bytes or all(s >= n for s, n in zip(step, voxels_zyx.shape, strict=True)):
            z, y, x = values.shape
            return data, PreviewEntry(len(data), (z, y, x), step, hu_lo, hu_step)


def decode_preview(data: bytes, entry: PreviewEntry) -> npt.NDArray[np.uint8]:
    """The `uint8` voxels of a preview. Raises `FormatError` (`bad_pack`); inflates no more than the shape holds."""
    size = math.prod(entry.shape_zyx)
    try:
        raw = zlib.decompressobj(wbits=31).decompress(data, size + 1)
    except zlib.error as error:
        raise FormatError("bad_pack", "The preview is not a gzip stream.") from error
    if len(raw) != size:
        raise FormatError("bad_pack", "The preview has another size than its shape.")
    return np.frombuffer(raw, np.uint8).reshape(entry.shape_zyx)


def _block_means(voxels_zyx: Voxels, step_zyx: tuple[int, int, int]) -> npt.NDArray[np.float32]:
    """Mean of every block; the last block of an axis may be partial. Slab by slab, to stay small."""
    depth, height, width = voxels_zyx.shape
    step_z, step_y, step_x = step_zyx
    starts_y, starts_x = np.arange(0, height, step_y), np.arange(0, width, step_x)
    area = np.diff(np.append(starts_y, height))[:, None] * np.diff(np.append(starts_x, width))
    means = np.empty((math.ceil(depth / step_z), *area.shape), np.float32)
    for place, z in enumerate(range(0, depth, step_z)):
        slab = voxels_zyx[z : z + step_z]
        total = slab.sum(axis=0, dtype=np.int32)
        rows = np.add.reduceat(total, starts_y, axis=0)
        means[place] = np.add.reduceat(rows, starts_x, axis=1) / (area * slab.shape[0])
    return means
