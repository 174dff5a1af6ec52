"""Values of attributes as the file has them: text or numbers, whatever VR they came with."""

from __future__ import annotations

import struct
from typing import Any

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

Source = DataElement | RawDataElement
BINARY = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FD": "d", "FL": "f"}


def find(header: Dataset, tag: int) -> Source | None:
    """An attribute without converting it; None when it is not there."""
    try:
        found: Source = header.get_item(tag)
    except KeyError:
        return None
    return found


def items_of(source: Source | None) -> list[Dataset]:
    """The items of a sequence; none when it is not one."""
    value: Any = None if source is None else source.value
    return [item for item in value if isinstance(item, Dataset)] if isinstance(value, Sequence) else []


def text_of(source: Source | None) -> str:
    """The value as text, values parted by a backslash, without padding. Bytes beyond ASCII stay what they are
    (Latin-1): such a text is compared or hashed, never written."""
    value: Any = None if source is None else source.value
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("latin-1").strip(" \0\t\r\n")
    if isinstance(value, list | tuple | MultiValue):
        return "\\".join(map(str, value)).strip()
    return str(value).strip()


def words_of(source: Source | None) -> list[str]:
    """The values of a text, in capitals."""
    return [word.strip().upper() for word in text_of(source).split("\\")]


def numbers_of(source: Source, vr: str) -> list[str]:
    """The values of a number as decimal text; `vr` is what the attribute has where the file does not say.

    Raises ValueError when binary values have an impossible length."""
    value: Any = source.value
    own = source.VR if source.VR not in (None, "UN") else vr
    if isinstance(value, bytes) and (code := BINARY.get(str(own))):
        order = "<" if getattr(source, "is_little_endian", True) else ">"
        size = struct.calcsize(code)
        if len(value) % size:
            raise ValueError("an impossible length")
        return [repr(number) for number in struct.unpack(f"{order}{len(value) // size}{code}", value)]
    return [word.strip() for word in text_of(source).split("\\")]
