"""Files that are packed with lossless JPEG, whole and damaged, for the browser's de-identifier."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BytesIO

import imagecodecs
import numpy as np
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID

from tests.factories.vendors import VENDORS, Vendor, encode, make_header, stored_pixels

BY_NAME = {vendor.name: vendor for vendor in VENDORS}
FIRST, SOME = "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.57"  # lossless JPEG: first predictor, any
END = b"\xfe\xff\xdd\xe0\0\0\0\0"


def jpegs() -> Iterator[tuple[str, bytes]]:
    """Lossless JPEG with each predictor, in 8, 12 and 16 bits, in fragments, of another size, cut, and damaged."""
    for name in ("siemens", "ge"):
        vendor = BY_NAME[name]
        image = stored_pixels(vendor)[0].astype("<u2")
        for predictor in range(1, 8):
            packed = bytes(imagecodecs.jpeg8_encode(image, lossless=True, predictor=predictor, bitspersample=16))
            yield f"jpeg-{name}-{predictor}", as_jpeg(vendor, [packed], SOME if predictor > 1 else FIRST)
        yield f"jpeg-{name}-ljpeg", as_jpeg(vendor, [bytes(imagecodecs.ljpeg_encode(image, bitspersample=16))], FIRST)
    vendor, small = BY_NAME["siemens"], stored_pixels(BY_NAME["siemens"])[0] & 0xFF
    eight = bytes(imagecodecs.jpeg8_encode(small.astype("u1"), lossless=True))
    smooth = np.add.outer(np.arange(12), np.arange(16)).astype("<u2") * 20
    twelve = bytes(imagecodecs.jpeg8_encode(smooth, lossless=True, predictor=6, bitspersample=12))
    yield "jpeg-eight", as_jpeg(vendor, [eight], SOME)
    yield "jpeg-fragments", as_jpeg(vendor, [twelve[:100], twelve[100:]], SOME)
    yield "jpeg-comment", as_jpeg(vendor, [twelve[:2] + b"\xff\xfe\x00\x07PLANT" + twelve[2:]], SOME)
    yield "jpeg-size", as_jpeg(vendor, [bytes(imagecodecs.jpeg8_encode(smooth[:8], lossless=True))], SOME)
    yield "jpeg-cut", as_jpeg(vendor, [twelve[: len(twelve) // 2]], SOME)
    yield "jpeg-cut-in-tables", as_jpeg(vendor, [twelve[: twelve.index(b"\xff\xda")]], SOME)
    yield "jpeg-none", as_jpeg(vendor, [b"\xff\xd8\xff\xff" * 4], SOME)
    colour = np.zeros((12, 16, 3), "u1")
    yield "jpeg-colour", as_jpeg(vendor, [bytes(imagecodecs.jpeg8_encode(colour, lossless=True))], SOME)


def as_jpeg(vendor: Vendor, fragments: list[bytes], syntax: str) -> bytes:
    """A file whose one frame lies in these fragments."""
    header = make_header(vendor)
    plain = encode(header, vendor, stored_pixels(vendor))
    read = dcmread(BytesIO(plain))
    read.file_meta.TransferSyntaxUID = UID(syntax)
    even = [part + b"\0" * (len(part) % 2) for part in fragments]
    read.PixelData = encapsulate(even) if len(even) == 1 else encapsulate_in_parts(even)
    read["PixelData"].VR, read["PixelData"].is_undefined_length = "OB", True
    out = BytesIO()
    dcmwrite(out, read, implicit_vr=False, little_endian=True, enforce_file_format=True)
    return out.getvalue()


def encapsulate_in_parts(fragments: list[bytes]) -> bytes:
    """An empty table of offsets, then each fragment (PS3.5 A.4)."""
    items = [b"", *fragments]
    return b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item for item in items) + END
