"""Pixel data written anew: only the stored values of the image are carried over. Codestreams are decoded, since they
may hold comments; bits beyond Bits Stored and bytes beyond the image, where old scanners put overlays, are cleared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from annotation.intake.deidentify.elements import find, numbers_of
from annotation.intake.dicom.pixels import KNOWN, NATIVE, decode_stored
from annotation.intake.limits import Limits
from voxloop.kernel.errors import Invalid, TooLarge

TAG = 0x7FE00010
NUMBERS = {
    "rows": (0x00280010, "US"),
    "columns": (0x00280011, "US"),
    "frames": (0x00280008, "IS"),
    "allocated": (0x00280100, "US"),
    "stored": (0x00280101, "US"),
    "high": (0x00280102, "US"),
    "signed": (0x00280103, "US"),
}


@dataclass(frozen=True)
class Pixels:
    """Native little-endian pixel data, and Bits Stored of it; High Bit is one less."""

    data: bytes
    bits_stored: int


@dataclass(frozen=True)
class _Shape:
    """What the header says of the image, checked."""

    rows: int
    columns: int
    frames: int
    allocated: int
    stored: int
    high: int
    signed: bool

    @property
    def size(self) -> int:
        """Bytes of all frames."""
        return self.rows * self.columns * self.frames * self.allocated // 8

    @property
    def dtype(self) -> str:
        return f"<{'i' if self.signed else 'u'}{self.allocated // 8}"

    def to_header(self) -> Dataset:
        """For the decoder: the frames as one image, one below the other."""
        header = Dataset()
        header.Rows, header.Columns = self.rows * self.frames, self.columns
        header.BitsAllocated, header.BitsStored, header.HighBit = self.allocated, self.stored, self.high
        header.PixelRepresentation = int(self.signed)
        return header


def clean_pixels(header: Dataset, syntax: str, limits: Limits) -> Pixels:
    """The stored values of an image, frame after frame.

    Raises Invalid or TooLarge: `no_pixel_data`, `bad_size`, `bad_bits`, `volume_too_large`, `compressed_frames`,
    and those of decode_stored."""
    shape = _read_shape(header, limits)
    if syntax not in KNOWN:
        raise Invalid(
            "The images are packed in a way that cannot be read; export them uncompressed.", code="unknown_syntax"
        )
    source = find(header, TAG)
    data = None if source is None else source.value
    if not isinstance(data, bytes) or not data:
        raise Invalid("The file has no pixel data, or it is cut off; export it again.", code="no_pixel_data")
    if shape.frames > 1 and syntax not in NATIVE:
        raise Invalid(
            "The file holds several compressed frames; export it uncompressed, or one slice a file.",
            code="compressed_frames",
        )
    if NATIVE.get(syntax) == "<" and len(data) >= shape.size and _is_clean(data, shape):
        written = data if len(data) == shape.size else data[: shape.size]
    else:
        written = decode_stored(data, shape.to_header(), syntax).astype(shape.dtype).tobytes()
    return Pixels(written + b"\0" if len(written) % 2 else written, shape.stored)


def _read_shape(header: Dataset, limits: Limits) -> _Shape:
    said = {name: _whole_number(header, *where) for name, where in NUMBERS.items()}
    rows, columns, allocated = said["rows"], said["columns"], said["allocated"]
    if rows is None or columns is None or not (1 <= rows <= 65535 and 1 <= columns <= 65535):
        raise Invalid("The file does not say how many rows and columns it has; export it again.", code="bad_size")
    frames = max(1, said["frames"] or 1)
    if rows * columns * frames > limits.most_voxels:
        raise TooLarge("The file declares more pixels than can be read; export it again.", code="volume_too_large")
    stored = said["stored"] or allocated
    if allocated not in (8, 16) or stored is None or not 1 <= stored <= allocated:
        raise Invalid("The file has no 8 or 16 bits a pixel; export it again with 16 bits.", code="bad_bits")
    high = stored - 1 if said["high"] is None else said["high"]
    if not stored - 1 <= high < allocated:
        raise Invalid("The bits of a pixel lie outside it; export the file again.", code="bad_bits")
    return _Shape(rows, columns, frames, allocated, stored, high, said["signed"] == 1)


def _whole_number(header: Dataset, tag: int, vr: str) -> int | None:
    source = find(header, tag)
    if source is None:
        return None
    try:
        (word,) = numbers_of(source, vr)
        return int(word)
    except ValueError:
        return None


def _is_clean(data: bytes, shape: _Shape) -> bool:
    """Whether no bit beyond Bits Stored holds anything: zeros, or the sign of two's complement."""
    if shape.high != shape.stored - 1:
        return False
    if shape.stored == shape.allocated:
        return True
    values: npt.NDArray[np.integer] = np.frombuffer(data, shape.dtype, shape.size * 8 // shape.allocated)
    if shape.signed:
        return bool(values.min() >= -(1 << (shape.stored - 1)) and values.max() < 1 << (shape.stored - 1))
    return bool(values.max() < 1 << shape.stored)
