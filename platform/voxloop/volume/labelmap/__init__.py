"""Labelmaps, their 32³ chunks, and the mask message that carries them (`docs/formats.md`)."""

from voxloop.volume.labelmap.chunks import (
    CHUNK,
    EMPTY_PAYLOAD,
    ERASED,
    ChunkIndex,
    apply_chunks,
    changed_chunks,
    chunk_name,
    count_chunk,
    decode_chunk,
    encode_chunk,
    grid_of,
    join_labelmap,
    split_labelmap,
    strip_erased,
)
from voxloop.volume.labelmap.message import MEDIA_TYPE, MaskMessage, decode_message, encode_message

__all__ = [
    "CHUNK",
    "EMPTY_PAYLOAD",
    "ERASED",
    "MEDIA_TYPE",
    "ChunkIndex",
    "MaskMessage",
    "apply_chunks",
    "changed_chunks",
    "chunk_name",
    "count_chunk",
    "decode_chunk",
    "decode_message",
    "encode_chunk",
    "encode_message",
    "grid_of",
    "join_labelmap",
    "split_labelmap",
    "strip_erased",
]
