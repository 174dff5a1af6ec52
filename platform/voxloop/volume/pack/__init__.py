"""The volume pack: a scan's voxels as stored on the server and read by byte range in the browser."""

from voxloop.volume.pack.codec import (
    SUM_BYTES,
    PackEntry,
    decode_pack,
    decode_slice,
    encode_pack,
    sum_slice,
    sum_slices,
)
from voxloop.volume.pack.preview import PreviewEntry, decode_preview, encode_preview
from voxloop.volume.pack.volume import LimitEntry, PackedVolume, VolumeIndex, pack_volume

__all__ = [
    "SUM_BYTES",
    "LimitEntry",
    "PackEntry",
    "PackedVolume",
    "PreviewEntry",
    "VolumeIndex",
    "decode_pack",
    "decode_preview",
    "decode_slice",
    "encode_pack",
    "encode_preview",
    "pack_volume",
    "sum_slice",
    "sum_slices",
]
