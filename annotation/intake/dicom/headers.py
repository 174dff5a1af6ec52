"""Validated values of DICOM headers: an invalid value counts as missing."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

MODALITY_OF_CLASS = {
    "1.2.840.10008.5.1.4.1.1.2": "CT",
    "1.2.840.10008.5.1.4.1.1.1": "CR",
    "1.2.840.10008.5.1.4.1.1.1.1": "DX",
    "1.2.840.10008.5.1.4.1.1.1.1.1": "DX",
}
UID = re.compile(r"[0-9.]{3,64}")


def text_of(header: Dataset, keyword: str, most: int = 64) -> str:
    """One line of printable text, or an empty one."""
    value = header.get(keyword)
    if value is None:
        return ""
    if isinstance(value, list | tuple | MultiValue):
        value = "/".join(map(str, value))
    return "".join(c for c in str(value).strip() if c.isprintable())[:most]


def uid_of(header: Dataset, keyword: str) -> str:
    """A well-formed UID, or an empty text."""
    value = text_of(header, keyword)
    return value if UID.fullmatch(value) else ""


def numbers_of(header: Dataset, keyword: str, count: int) -> npt.NDArray[np.float64] | None:
    """Exactly `count` finite numbers, or None."""
    value = header.get(keyword)
    try:
        numbers = np.array(value if count > 1 else [value], dtype=np.float64)
    except (TypeError, ValueError):
        return None
    return numbers if numbers.shape == (count,) and np.isfinite(numbers).all() else None


def modality_of(header: Dataset) -> str:
    """The modality; from the SOP class when the attribute is missing."""
    return text_of(header, "Modality", 16).upper() or MODALITY_OF_CLASS.get(text_of(header, "SOPClassUID"), "")
