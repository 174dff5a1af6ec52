"""Read one untrusted DICOM file: only the few attributes that intake needs."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from annotation.intake.limits import Limits
from voxloop.kernel.errors import Invalid

# The only attributes that are read.
IDENTITY_TAGS = (
    "PatientName",
    "PatientBirthDate",
    "PatientAddress",
    "PatientTelephoneNumbers",
    "PatientTelecomInformation",
    "OtherPatientIDs",
    "OtherPatientNames",
    "PatientBirthName",
    "PatientMotherBirthName",
    "ResponsiblePerson",
    "CountryOfResidence",
    "RegionOfResidence",
    "InsurancePlanIdentification",
    "MilitaryRank",
)
HEADER_TAGS = (
    "ImageType",
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyDate",
    "AcquisitionDate",
    "Modality",
    "BodyPartExamined",
    "Manufacturer",
    "ManufacturerModelName",
    "PatientID",
    "ContrastBolusAgent",
    "SliceThickness",
    "KVP",
    "GantryDetectorTilt",
    "ConvolutionKernel",
    "ImagerPixelSpacing",
    "ViewPosition",
    "PatientOrientation",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SeriesNumber",
    "FrameOfReferenceUID",
    "AcquisitionNumber",
    "TemporalPositionIdentifier",
    "NominalPercentageOfCardiacPhase",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "PixelSpacing",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "BurnedInAnnotation",
    "RescaleIntercept",
    "RescaleSlope",
    *IDENTITY_TAGS,
)
# The records of a directory, and the frames of an enhanced file.
SEQUENCES = ("DirectoryRecordSequence", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
PIXEL_TAGS = ("PixelData", "BitsAllocated", "PixelRepresentation")
HEADER_BYTES = 1 << 20  # the most that is read before a file has said how large it is
_SIZES = {"SamplesPerPixel": 1, "NumberOfFrames": 1, "Rows": 0, "Columns": 0, "BitsAllocated": 16}


@dataclass(frozen=True)
class Slice:
    """One file of a series: path, transfer syntax, attributes, size of the pixel data; `frame` (number, of how many) of
    an enhanced file, which has many."""

    path: Path
    folder: str
    transfer_syntax: str
    header: Dataset
    pixel_bytes: int
    frame: tuple[int, int] | None = None


def looks_like_dicom(data: bytes) -> bool:
    """The magic of PS3.10, or a file without preamble that begins with group 0002 or 0008 in little endian."""
    bare = len(data) > 16 and data[:2] in (b"\x02\x00", b"\x08\x00") and data[3:4] == b"\0"
    return bare or data[128:132] == b"DICM"


def is_directory(item: Slice) -> bool:
    """A DICOMDIR (PS3.10 8): records of other files, no image and no UID of a series."""
    return "DirectoryRecordSequence" in item.header


def read_slice(path: Path, folder: str, limits: Limits) -> Slice:
    """The header of a file. Raises Invalid (`unreadable`, `deflated_too_large`). The preamble is ignored."""
    data = path.read_bytes()
    header, syntax = _parse(data, [*HEADER_TAGS, *SEQUENCES, "PixelData"], limits)
    pixels = header.pop("PixelData", None)
    size = len(pixels.value) if pixels is not None and isinstance(pixels.value, bytes) else 0
    return Slice(path, folder, syntax, header, size)


def read_pixels(path: Path, limits: Limits) -> bytes:
    """The value of Pixel Data of a file that `read_slice` has read."""
    dataset, _ = _parse(path.read_bytes(), [*PIXEL_TAGS], limits)
    return bytes(dataset.PixelData)


def read_whole(data: bytes, limits: Limits, *, stop_before_pixels: bool = False) -> tuple[Dataset, str]:
    """Every attribute of a file as pydicom finds it, values not yet converted, and the transfer syntax.

    Raises Invalid (`not_dicom`, `unreadable`, `deflated_too_large`)."""
    if not looks_like_dicom(data):
        raise Invalid("The file is not DICOM.", code="not_dicom")
    try:
        syntax, end = _file_meta(data)
        if syntax == DeflatedExplicitVRLittleEndian:
            data = _inflate(data, end, limits)
        dataset = dcmread(BytesIO(data), force=True, stop_before_pixels=stop_before_pixels)
        if not len(dataset):  # what pydicom makes of compressed pixels that are cut off
            raise EOFError
        return dataset, syntax
    except (Invalid, MemoryError):
        raise
    except (Exception, RecursionError) as error:  # as below
        raise Invalid("The file is damaged and cannot be read as DICOM.", code="unreadable") from error


def _parse(data: bytes, tags: list[str], limits: Limits) -> tuple[Dataset, str]:
    if not looks_like_dicom(data):
        raise Invalid("The file is not DICOM.", code="not_dicom")
    try:
        syntax, end = _file_meta(data)
        if syntax == DeflatedExplicitVRLittleEndian:
            data = _inflate(data, end, limits)
        # From memory, so that a declared length cannot allocate more than the file holds.
        dataset = dcmread(BytesIO(data), force=True, specific_tags=tags)
    except Invalid:
        raise
    except MemoryError:
        raise
    except (Exception, RecursionError) as error:  # pydicom raises arbitrary exceptions for broken files
        raise Invalid("The file is damaged and cannot be read as DICOM.", code="unreadable") from error
    kept = Dataset()
    for tag in list(dataset.keys()):
        with suppress(Exception):  # a non-numeric value of a numeric attribute counts as missing
            kept.add(dataset[tag])
    return kept, syntax


def _file_meta(data: bytes) -> tuple[str, int]:
    """The transfer syntax, and where the data set begins. Without file meta: the default of PS3.5 10.1, or guessed from
    the bytes."""
    at = 132 if data[128:132] == b"DICM" else 0
    syntax = ""
    while data[at : at + 2] == b"\x02\x00" and len(data) >= at + 12:
        if data[at + 4 : at + 6] in (b"OB", b"UN", b"OW", b"SQ", b"UT"):
            head, (length,) = 12, struct.unpack_from("<I", data, at + 8)
        else:
            head, (length,) = 8, struct.unpack_from("<H", data, at + 6)
        if data[at + 2 : at + 4] == b"\x10\x00":
            syntax = data[at + 8 : at + 8 + length].rstrip(b"\0 ").decode("ascii", "replace")
        at += head + length
    if not syntax:
        vr = data[at + 4 : at + 6]
        syntax = ExplicitVRLittleEndian if vr.isalpha() and vr.isupper() else ImplicitVRLittleEndian
    return str(syntax), at


def _inflate(data: bytes, end: int, limits: Limits) -> bytes:
    """A deflated file (PS3.5 A.5) as a plain one, never more than its header promises."""
    body = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data[end:], HEADER_BYTES)
    if len(body) == HEADER_BYTES:  # there is more
        most = HEADER_BYTES + min(limits.most_file_bytes, _promised(body))
        body = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data[end:], most + 1)
        if len(body) > most:
            raise Invalid("The deflated file inflates to more than its header promises.", code="deflated_too_large")
    syntax = ExplicitVRLittleEndian.encode() + b"\0"
    element = b"\x02\x00\x10\x00UI" + struct.pack("<H", len(syntax)) + syntax
    length = b"\x02\x00\x00\x00UL\x04\x00" + struct.pack("<I", len(element))
    return bytes(128) + b"DICM" + length + element + body


def _promised(start: bytes) -> int:
    """Bytes of pixels that the first elements of an explicit little endian data set declare; 0 where they do not."""
    header = dcmread(BytesIO(start), force=True, specific_tags=[*_SIZES], stop_before_pixels=True)
    size = 1
    for keyword, usual in _SIZES.items():
        size *= max(0, int(header.get(keyword) or usual))
    return size // 8
