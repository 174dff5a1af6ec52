"""Pixel data to stored values: all common transfer syntaxes; declared sizes are checked before decoding."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame

from voxloop.kernel.errors import Invalid

Decoder = Callable[[bytes], npt.NDArray[Any]]
NATIVE = {
    "1.2.840.10008.1.2": "<",  # implicit little endian
    "1.2.840.10008.1.2.1": "<",  # explicit little endian
    "1.2.840.10008.1.2.1.99": "<",  # deflated
    "1.2.840.10008.1.2.2": ">",  # explicit big endian
}
RLE = "1.2.840.10008.1.2.5"
# One build of libjpeg-turbo reads baseline, extended, spectral selection, progressive and lossless JPEG, 8 to 16 bits.
ENCAPSULATED: dict[str, Decoder] = {
    **{f"1.2.840.10008.1.2.4.{n}": imagecodecs.jpeg8_decode for n in (50, 51, 53, 55, 57, 70)},
    **{f"1.2.840.10008.1.2.4.{n}": imagecodecs.jpegls_decode for n in (80, 81)},
    **{f"1.2.840.10008.1.2.4.{n}": imagecodecs.jpeg2k_decode for n in (90, 91)},
    **{f"1.2.840.10008.1.2.4.{n}": imagecodecs.htj2k_decode for n in (201, 202, 203)},
}
KNOWN = {*NATIVE, RLE, *ENCAPSULATED}
JPEG = {syntax for syntax, decoder in ENCAPSULATED.items() if decoder is imagecodecs.jpeg8_decode}


def decode_stored(
    pixel_data: bytes, header: Dataset, transfer_syntax: str, frame: tuple[int, int] = (0, 1)
) -> npt.NDArray[np.int32]:
    """The stored values of one frame (its number, of how many) of a monochrome image, (rows, columns), sign already
    applied.

    Raises Invalid: `unknown_syntax`, `truncated_pixels`, `bad_pixels`.
    """
    rows, columns = int(header.Rows), int(header.Columns)
    allocated = int(header.BitsAllocated)
    if transfer_syntax in NATIVE:
        raw = _native(pixel_data, rows, columns, allocated, NATIVE[transfer_syntax], frame[0])
    elif transfer_syntax == RLE or transfer_syntax in ENCAPSULATED:
        raw = _encapsulated(pixel_data, rows, columns, allocated, transfer_syntax, frame)
    else:
        raise Invalid(f"The transfer syntax {transfer_syntax[:64]} is not supported.", code="unknown_syntax")
    return _apply_sign(raw, header)


def _native(data: bytes, rows: int, columns: int, allocated: int, order: str, frame: int) -> npt.NDArray[Any]:
    need = rows * columns * allocated // 8
    there = max(0, len(data) - frame * need)
    if there < need:
        raise Invalid(f"A slice holds {there} bytes of pixels; {need} are needed.", code="truncated_pixels")
    pixels = np.frombuffer(data, f"{order}u{allocated // 8}", rows * columns, frame * need)
    return pixels.reshape(rows, columns)


def _encapsulated(
    data: bytes, rows: int, columns: int, allocated: int, syntax: str, which: tuple[int, int]
) -> npt.NDArray[Any]:
    try:
        frame = get_frame(data, which[0], number_of_frames=which[1])
    except (StopIteration, ValueError, struct.error, EOFError, IndexError) as error:
        raise Invalid("The pixel data of a slice is truncated.", code="truncated_pixels") from error
    if syntax != RLE and (declared := declared_size(frame)) != (rows, columns):
        raise Invalid(
            f"A slice is coded as {_size(declared)} but declared as {rows}×{columns} pixels.", code="bad_pixels"
        )
    if syntax in JPEG and not _is_ended(frame):
        raise Invalid("The compressed pixels of a slice end early.", code="truncated_pixels")
    image: npt.NDArray[Any]
    try:
        if syntax == RLE:
            plain = imagecodecs.dicomrle_decode(frame, f"<u{allocated // 8}", out=rows * columns * allocated // 8)
            image = np.frombuffer(plain, f"<u{allocated // 8}").reshape(rows, columns)
        else:
            image = ENCAPSULATED[syntax](frame)
    except MemoryError:
        raise
    except Exception as error:  # each codec has its own exception classes
        raise Invalid("The compressed pixels of a slice are damaged.", code="bad_pixels") from error
    if image.shape != (rows, columns) or image.dtype.kind not in "iu" or image.dtype.itemsize > 2:
        raise Invalid("The compressed pixels of a slice are not one grey image.", code="bad_pixels")
    return image


def _is_ended(frame: bytes) -> bool:
    """Whether a JPEG has its end (EOI) after its last scan (SOS); neither marker can occur in coded pixels.

    libjpeg makes up grey pixels for what is missing, with no more than a warning.
    """
    return frame.rfind(b"\xff\xd9") > frame.rfind(b"\xff\xda")


def declared_size(frame: bytes) -> tuple[int, int] | None:
    """Rows and columns declared by a JPEG, JPEG-LS or JPEG 2000 codestream; None when it is neither."""
    if frame[:4] == b"\xff\x4f\xff\x51" and len(frame) >= 24:  # JPEG 2000: SOC, SIZ
        x1, y1, x0, y0 = struct.unpack_from(">IIII", frame, 8)
        return y1 - y0, x1 - x0
    if frame[4:8] == b"jP  ":  # wrapped in a JP2 file: non-standard, but occurs
        at = frame.find(b"\xff\x4f\xff\x51")
        return declared_size(frame[at:]) if at > 0 else None
    if frame[:2] != b"\xff\xd8":
        return None
    at = 2
    while at + 9 <= len(frame):
        if frame[at] != 0xFF:
            return None
        marker = frame[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)):
            rows, columns = struct.unpack_from(">HH", frame, at + 5)
            return rows, columns
        else:
            at += 2 + max(2, struct.unpack_from(">H", frame, at + 2)[0])
    return None


def _size(declared: tuple[int, int] | None) -> str:
    return f"{declared[0]}×{declared[1]}" if declared else "something else"


def _apply_sign(raw: npt.NDArray[Any], header: Dataset) -> npt.NDArray[np.int32]:
    """Extract Bits Stored below High Bit, two's complement if Pixel Representation says so (PS3.3 C.7.6.3.1)."""
    allocated = int(header.BitsAllocated)
    stored = int(header.get("BitsStored") or allocated)
    high = int(header.get("HighBit") if header.get("HighBit") is not None else stored - 1)
    signed = header.get("PixelRepresentation") == 1
    if not (1 <= stored <= 16 and stored - 1 <= high <= 15):
        raise Invalid(f"A slice declares {stored} bits with high bit {high}.", code="bad_pixels")
    if stored == 16 and raw.dtype.itemsize == 2:
        # Fast path for nearly all scanners: all 16 bits are used.
        native = raw.astype(raw.dtype.newbyteorder("="), copy=False)
        return native.view(np.int16 if signed else np.uint16).astype(np.int32)
    values = raw.astype(np.int32) >> (high + 1 - stored)
    values &= (1 << stored) - 1
    if signed:
        values -= (values >> (stored - 1)) << stored
    return values
