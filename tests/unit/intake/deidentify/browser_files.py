"""Files in all the ways that are odd, for the test that holds the browser's de-identifier against Python's."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from pydicom import Dataset, config
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.tag import Tag

from annotation.intake.deidentify.cleaning import quiet
from annotation.intake.dicom.vocabulary import KERNEL_NAMES, MANUFACTURERS, MODELS
from tests.factories.vendors import VENDORS, Vendor, encode, make_header, stored_pixels
from tests.unit.intake.deidentify.browser_jpegs import jpegs
from tests.unit.intake.deidentify.test_planted import make_planted

BY_NAME = {vendor.name: vendor for vendor in VENDORS}
PLAIN = BY_NAME["siemens-va"]


def odd_files() -> dict[str, bytes]:
    """All of them, by name."""
    with quiet():  # pydicom warns of what is odd on purpose
        kinds = (packed, jpegs, sequences, headers, texts, decimals)
        return {f"{name}.dcm": data for made in kinds for name, data in made()}


def of(header: Dataset, vendor: Vendor = PLAIN, pixels: np.ndarray | None = None) -> bytes:
    return encode(header, vendor, stored_pixels(vendor) if pixels is None else pixels)


def with_raw(keyword: str, vr: str, value: Any, vendor: Vendor = PLAIN) -> bytes:
    """A file with a value that DICOM does not allow there."""
    header = make_header(vendor)
    element = DataElement(tag_for_keyword(keyword) or 0, vr, value, validation_mode=config.IGNORE)
    header.add(element)
    return of(header, vendor)


def texts() -> Iterator[tuple[str, bytes]]:
    """Texts that vocabularies, dates, ages and codes are made of."""
    odd = [b"", b" ", b"\xe9", b"\xdf", b"\xb5\xff", b"A\\B", b"\\", b"\xa0X\xa0", b"\x1b$BKANJI", b"\0\0", b"a\0b"]
    tried: dict[str, list[bytes]] = {
        "PatientID": [
            *odd,
            b"ANON",
            b"n/a",
            b"00000000",
            b"19000101",
            b"X-17",
            b"xxx",
            b"1234567",
            b"an\xf6nym",
            b"test_1",
        ],
        "PatientAge": [*odd, b"104Y", b"011M", b"069y", b"69Y", b"000D"],
        "PatientSex": [*odd, b"f", b"O ", b"F\\M"],
        "StudyDate": [*odd, b"2019.03.10", b"20190229", b"00010101", b"99991231", b"20200229101112", b"2019-03-10"],
        "AcquisitionDateTime": [b"20190310", b"20190310101112.0+0100", b"1", b"\xb2\xb3190310"],
        "Manufacturer": [
            *odd,
            *(name.encode() for name, _ in MANUFACTURERS),
            b"GE\xc9",
            b"\xe9ge",
            b"ge_",
            b"ge medical",
        ],
        "ManufacturerModelName": [name.encode() for name, _ in MODELS] + [b"SOMATOM X\xe9", b"light speed"],
        "ConvolutionKernel": [
            *odd,
            *(n.encode() for n in sorted(KERNEL_NAMES)),
            b"b70F",
            b"fc51",
            b"Br40d\\3",
            b"I70f/2",
        ],
        "ContrastBolusAgent": [*odd, b"none", b"Ultravist 370"],
        "StudyDescription": [*odd, b"CHEST ABDOMEN", b"Thorax-lung\xdfHR mueller", b"chest_lung"],
        "BodyPartExamined": [*odd, b"chest", b"LUNG", b"CHEST\\LUNG"],
        "ImageType": [b"ORIGINAL\\PRIMARY\\AXIAL\\X", b"ORIGINAL", b"original\\primary"],
    }
    for keyword, values in tried.items():
        for number, value in enumerate(values):
            header = make_header(PLAIN)
            tag = Tag(tag_for_keyword(keyword) or 0)
            padded = value + b" " * (len(value) % 2)
            vr = "LO" if keyword.startswith(("Pat", "Man", "Con", "Stu", "Bod", "Ima")) else "DT"
            header._dict[tag] = RawDataElement(tag, vr, len(padded), padded, 0, False, True)
            yield f"text-{keyword}-{number}", of(header)


def decimals() -> Iterator[tuple[str, bytes]]:
    """Numbers in all their forms, for attributes that are kept exactly, to six digits, as whole or binary numbers."""
    values = [
        "1",
        "+1.50",
        ".5",
        "5.",
        "-0",
        "1e2",
        "1E-07",
        "1e300",
        "1.0000005",
        "1000005",
        "0.1000000000000000055",
        "123456789012345678",
        "nan",
        "inf",
        "1_0",
        "12 ",
        "1,5",
        "2.5",
        "3.5",
        "120.4999999",
        "-1024.00000000001",
    ]
    for keyword in ("KVP", "SliceThickness", "RescaleIntercept", "SeriesNumber", "InstanceNumber", "ExposureTime"):
        for number, value in enumerate(values):
            yield f"number-{keyword}-{number}", with_raw(keyword, "LO", value)
    for number, double in enumerate([0.1, 1 / 3, 1e-7, 1e16, 123456.5, 2.5, -1e22, 5e-324, math.inf, math.nan]):
        for vr in ("FD", "FL"):
            for keyword in ("KVP", "SliceThickness", "RescaleSlope", "SpacingBetweenSlices"):
                with np.errstate(all="ignore"):
                    yield f"number-{vr}-{keyword}-{number}", with_raw(keyword, vr, float(np.float32(double)))


def headers() -> Iterator[tuple[str, bytes]]:
    """What the screen and the reader of pixels judge by."""

    def edited(edit: Callable[[Dataset], None], vendor: Vendor = BY_NAME["siemens"]) -> bytes:
        header = make_header(vendor)
        edit(header)
        return of(header, vendor)

    def put(keyword: str, value: object) -> Callable[[Dataset], None]:
        return lambda header: setattr(header, keyword, value)

    storage = "1.2.840.10008.5.1.4.1.1."
    for number, (keyword, value) in enumerate(
        [
            ("SOPClassUID", storage + "7"),
            ("SOPClassUID", storage + "7.3"),
            ("SOPClassUID", storage + "11.1"),
            ("SOPClassUID", storage + "104.1"),
            ("SOPClassUID", storage + "88.67"),
            ("SOPClassUID", storage + "4"),
            ("SOPClassUID", ""),
            ("SeriesInstanceUID", ""),
            ("StudyInstanceUID", ""),
            ("Modality", "OT"),
            ("Modality", "SECRET"),
            ("Modality", ""),
            ("ConversionType", "WSD"),
            ("ConversionType", "SYN"),
            ("ImageType", ["DERIVED", "PRIMARY", "AXIAL"]),
            ("ImageType", ["DERIVED", "SECONDARY", "DOSE_INFO"]),
            ("SeriesDescription", "Patient Protocol"),
            ("ImageType", ["ORIGINAL", "PRIMARY", "LOCALIZER"]),
            ("BurnedInAnnotation", "YES"),
            ("ImagePositionPatient", None),
            ("PhotometricInterpretation", "RGB"),
            ("SamplesPerPixel", 3),
            ("Rows", 0),
            ("Columns", None),
            ("BitsAllocated", 32),
            ("HighBit", 40),
            ("HighBit", 15),
            ("HighBit", 13),
            ("Rows", 4000),
            ("BitsStored", 0),
            ("NumberOfFrames", "2"),
            ("NumberOfFrames", "0"),
            ("PixelRepresentation", 1),
            ("Rows", 65535),
            ("PixelPaddingValue", None),
        ]
    ):
        yield f"header-{keyword}-{number}", edited(put(keyword, value))
    yield "header-frames", edited(put("NumberOfFrames", "2"), BY_NAME["uih"])


def packed() -> Iterator[tuple[str, bytes]]:
    """Every maker's way with planted identifiers, bits beyond the stored ones, and files that were cut or changed."""
    for vendor in VENDORS:
        yield f"planted-{vendor.name}", make_planted(vendor)[0]
    signed, unsigned = BY_NAME["ge"], BY_NAME["siemens"]
    beyond = (stored_pixels(unsigned) | 0xA000).astype("<u2")
    yield "beyond", of(make_header(unsigned), unsigned, beyond)
    header = make_header(unsigned)
    header.PixelRepresentation = 1
    yield "beyond-signed", of(header, unsigned, beyond)
    for bits in (5, 8):
        header = make_header(unsigned)
        header.BitsAllocated, header.BitsStored, header.HighBit = 8, bits, bits - 1
        yield f"eight-{bits}", of(header, unsigned, stored_pixels(unsigned).view("u1")[..., ::2])
    for name in ("ge", "siemens", "picker-bare", "agfa", "uih", "neusoft", "siemens-enhanced"):
        whole = make_planted(BY_NAME[name])[0]
        for number, part in enumerate((0.1, 0.3, 0.6, 0.9, 0.99)):
            yield f"cut-{name}-{number}", whole[: int(len(whole) * part)]
    plain = of(make_header(PLAIN))
    yield "other-syntax", plain.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.7\0", 1)
    yield "said-implicit", plain.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2\0\0\0", 1)
    yield "no-syntax", plain.replace(b"\x02\x00\x10\x00UI", b"\x02\x00\x11\x00UI", 1)
    yield "no-instance", plain.replace(b"\x08\x00\x18\x00UI", b"\x08\x00\x19\x00UI", 1)
    yield "not-dicom", b"nothing" * 40
    yield "empty", b""
    yield "utf-16", with_raw("ImageComments", "LT", b"\xff\xfeP\0L\0A\0N\0T\0".decode("latin-1"), signed)


def sequences() -> Iterator[tuple[str, bytes]]:
    """Codes that are listed in sequences of known and unknown length, of UN, broken and too deep."""
    for number, is_open in enumerate((False, True)):
        for vendor in (PLAIN, BY_NAME["ge"], BY_NAME["agfa"]):
            header, item = make_header(vendor), Dataset()
            item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "39607008", "SCT", "PLANTED"
            item.is_undefined_length_sequence_item = is_open
            header.AnatomicRegionSequence = [item, Dataset()]
            header["AnatomicRegionSequence"].is_undefined_length = is_open
            yield f"sequence-{vendor.name}-{number}", of(header, vendor)
    header = make_header(PLAIN)
    coded = struct.pack("<HHI", 0x0008, 0x0100, 8) + b"39607008" + struct.pack("<HHI", 0x0008, 0x0102, 4) + b"SCT "
    value = struct.pack("<HHI", 0xFFFE, 0xE000, len(coded)) + coded
    for name, vr, raw in (
        ("implicit-un", "UN", value),
        ("explicit-sq", "SQ", value),
        ("broken", "SQ", value[:-3]),
        ("none", "SQ", b""),
        ("ob", "OB", value),
    ):
        tag = Tag(0x00082218)
        header._dict[tag] = RawDataElement(tag, vr, len(raw), raw, 0, False, True)
        yield f"sequence-{name}", of(header)
    enhanced = BY_NAME["siemens-enhanced"]
    deep = make_header(enhanced)
    inner = deep.SharedFunctionalGroupsSequence[0]
    for _ in range(9):
        wrapped = Dataset()
        wrapped.SharedFunctionalGroupsSequence = [inner]
        inner = wrapped
    deep.SharedFunctionalGroupsSequence = [inner]
    yield "sequence-deep", of(deep, enhanced)


def numbers() -> list[float]:
    """Ties, edges of formats, and any doubles."""
    chosen = random.Random(7)
    drawn = [struct.unpack("<d", chosen.randbytes(8))[0] for _ in range(2000)]
    near = [chosen.uniform(-3000, 3000) for _ in range(2000)] + [chosen.randrange(10**8) / 8 for _ in range(2000)]
    edges = [
        0.0,
        -0.0,
        1e-4,
        1e-5,
        9.9999949e5,
        999999.5,
        1000005.0,
        1000015.0,
        1e15,
        1e16,
        1e17,
        5e-324,
        0.5,
        1.5,
        2.5,
    ]
    return [number for number in (*edges, *drawn, *near) if math.isfinite(number)]
