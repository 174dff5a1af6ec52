"""Single slices of a labelmap, and counts by slice, from its chunks: without the whole volume in memory."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from voxloop.volume.labelmap.chunks import CHUNK, ERASED, ChunkIndex, Labels, check_index, decode_chunk, grid_of

Chunks = Mapping[ChunkIndex, bytes]

_BLANK = np.zeros((CHUNK, CHUNK, CHUNK), np.bool_)


def slice_of(chunks: Chunks, k: int, shape_zyx: tuple[int, int, int]) -> Labels:
    """Axial slice `k` of a labelmap: uint8 (y, x), erased voxels (255) inside. Raises `FormatError` as `join_labelmap`
    does, for the chunks that hold the slice."""
    depth, height, width = shape_zyx
    if not 0 <= k < depth:
        raise ValueError(f"slice {k} of {depth}")
    rows, columns = (CHUNK * n for n in grid_of(shape_zyx)[1:])
    found = np.zeros((rows, columns), np.uint8)
    for index, payload in chunks.items():
        if index[0] != k // CHUNK:
            continue
        voxels = decode_chunk(payload)
        check_index(index, shape_zyx, voxels)
        y, x = CHUNK * index[1], CHUNK * index[2]
        found[y : y + CHUNK, x : x + CHUNK] = voxels[k % CHUNK]
    return found[:height, :width]


def count_by_slice(one: Chunks, other: Chunks, shape_zyx: tuple[int, int, int]) -> tuple[Any, Any]:
    """Voxels by axial slice: marked in `one` and not in `other` or the other way round, and marked in `one`; int64
    (z,) each. An erased voxel is not marked; which segment marks a voxel does not matter. Raises `FormatError`."""
    depth = shape_zyx[0]
    differing, drawn = (np.zeros(CHUNK * grid_of(shape_zyx)[0], np.int64) for _ in range(2))
    for index in one.keys() | other.keys():
        mine, theirs = one.get(index), other.get(index)
        marked = _marked(mine, index, shape_zyx)
        at = slice(CHUNK * index[0], CHUNK * (index[0] + 1))
        drawn[at] += marked.sum(axis=(1, 2))
        if mine != theirs:
            differing[at] += (marked != _marked(theirs, index, shape_zyx)).sum(axis=(1, 2))
    return differing[:depth], drawn[:depth]


def _marked(payload: bytes | None, index: ChunkIndex, shape_zyx: tuple[int, int, int]) -> Any:
    if payload is None:
        return _BLANK
    voxels = decode_chunk(payload)
    check_index(index, shape_zyx, voxels)
    return (voxels > 0) & (voxels != ERASED)
