"""Write DICOM files of explicit little endian from scratch (PS3.5 7.1, PS3.10 7.1): nothing of the source's bytes is
carried over, neither preamble nor file meta nor padding."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from pydicom.uid import ExplicitVRLittleEndian

from voxloop.kernel.uids import derive_uid

LONG = frozenset({"OB", "OW", "SQ", "UN", "UT"})
IMPLEMENTATION = "VOXLOOP"
_tag_of = attrgetter("tag")


@dataclass(frozen=True)
class Element:
    """One attribute as it is written: its value as bytes, or the items of a sequence."""

    tag: int
    vr: str
    value: bytes | tuple[tuple[Element, ...], ...]


def text(tag: int, vr: str, words: str) -> Element:
    """An attribute of ASCII text, padded to an even length."""
    data = words.encode("ascii")
    return Element(tag, vr, data + (b"\0" if vr == "UI" else b" ") if len(data) % 2 else data)


def encode_file(sop_class: str, instance: str, elements: Sequence[Element]) -> bytes:
    """A whole file: zeroed preamble, new file meta, the data set in order of tags."""
    meta = [
        Element(0x00020001, "OB", b"\x00\x01"),
        text(0x00020002, "UI", sop_class),
        text(0x00020003, "UI", instance),
        text(0x00020010, "UI", ExplicitVRLittleEndian),
        text(0x00020012, "UI", derive_uid("voxloop")),
        text(0x00020013, "SH", IMPLEMENTATION),
    ]
    head = b"".join(_parts(meta))
    length = _parts([Element(0x00020000, "UL", struct.pack("<I", len(head)))])
    return b"".join([bytes(128), b"DICM", *length, head, *_parts(elements)])


def _parts(elements: Sequence[Element]) -> list[bytes]:
    """Heads and values in order of tags, to be joined once: pixels are half a megabyte."""
    parts: list[bytes] = []
    for element in sorted(elements, key=_tag_of):
        value = element.value if isinstance(element.value, bytes) else _items(element.value)
        group, number = element.tag >> 16, element.tag & 0xFFFF
        vr = element.vr.encode()
        if element.vr in LONG:
            parts.append(struct.pack("<HH2sHI", group, number, vr, 0, len(value)))
        else:
            parts.append(struct.pack("<HH2sH", group, number, vr, len(value)))
        parts.append(value)
    return parts


def _items(items: tuple[tuple[Element, ...], ...]) -> bytes:
    encoded = [b"".join(_parts(item)) for item in items]
    return b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item for item in encoded)
