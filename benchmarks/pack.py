"""Size of the volume pack compared with raw int16, and its speed compared with JPEG 2000 (OpenJPEG)."""

import time
from collections.abc import Iterator
from typing import Any

import imagecodecs

from benchmarks._rows import ratio_row
from benchmarks._scans import real_chest_ct
from voxloop.volume.pack import decode_pack, encode_pack, encode_preview
from voxloop.volume.pack.preview import MOST_BYTES
from voxloop.volume.phantom import make_phantom

MOST_SHARE_OF_RAW = 0.40
MOST_SHARE_OF_TIME = 0.5
EVERY = 6  # slices for the slow peer


def run() -> Iterator[dict[str, Any]]:
    """Rows of bytes and milliseconds per slice."""
    phantom = make_phantom(1, "A")
    scans = {"phantom 192×192×64": (phantom.hu_zyx, phantom.geometry.spacing_mm_zyx)}
    real = real_chest_ct()
    if real:
        scans["LIDC-IDRI-0001"] = real
    for name, (hu, spacing) in scans.items():
        start = time.perf_counter()
        data, entry = encode_pack(hu, threads=1)
        encoded = time.perf_counter()
        decode_pack(data, entry, hu.shape, threads=1)
        decoded = time.perf_counter()
        slices = hu.shape[0]
        limit = MOST_SHARE_OF_RAW if real and hu is real[0] else 1.0
        yield ratio_row("pack", f"{name}: size beside raw int16", len(data) / 2**20, hu.nbytes / 2**20, "MiB", limit)
        streams, slow_encode, slow_decode = [], 0.0, 0.0
        for part in hu[::EVERY]:
            begin = time.perf_counter()
            streams.append(imagecodecs.jpeg2k_encode(part, reversible=True, level=0))
            middle = time.perf_counter()
            imagecodecs.jpeg2k_decode(streams[-1])
            slow_encode += middle - begin
            slow_decode += time.perf_counter() - middle
        count = len(streams)
        for what, ours, peer in (
            ("encode and verify", encoded - start, slow_encode),
            ("decode", decoded - encoded, slow_decode),
        ):
            case = f"{name}: {what}, beside JPEG 2000"
            yield ratio_row("pack", case, 1000 * ours / slices, 1000 * peer / count, "ms", MOST_SHARE_OF_TIME)
        preview, _ = encode_preview(hu, spacing)
        yield ratio_row("pack", f"{name}: preview beside its most", len(preview) / 1e6, MOST_BYTES / 1e6, "MB", 1.0)
