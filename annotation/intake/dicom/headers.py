"""Validated values of DICOM headers: an invalid value counts as missing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

MODALITY_OF_CLASS = {
    "1.2.840.10008.5.1.4.1.1.2": "CT",
    "1.2.840.10008.5.1.4.1.1.2.1": "CT",
    "1.2.840.10008.5.1.4.1.1.2.2": "CT",
    "1.2.840.10008.5.1.4.1.1.1": "CR",
    "1.2.840.10008.5.1.4.1.1.1.1": "DX",
    "1.2.840.10008.5.1.4.1.1.1.1.1": "DX",
}
# Body Part Examined as it may leave a site (deidentify/rules.json): anything else is free text.
BODY_PARTS = frozenset(
    {
        *("CHEST", "LUNG", "THORAX", "ABDOMEN", "CHESTABDOMEN", "CHESTABDPELVIS", "PELVIS", "NECK", "NECKCHEST"),
        *("HEAD", "HEADNECK", "BRAIN", "HEART", "SPINE", "TSPINE", "RIB", "WHOLEBODY"),
    }
)
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


def image_type_of(header: Dataset) -> tuple[str, ...]:
    """The values of Image Type in capitals: (ORIGINAL or DERIVED, PRIMARY or SECONDARY, AXIAL, LOCALIZER, …)."""
    value = header.get("ImageType")
    words = [] if value is None else [value] if isinstance(value, str) else list(value)
    return tuple(str(word).strip().upper() for word in words)


def steps_of(headers: Sequence[Dataset], keyword: str, count: int) -> npt.NDArray[np.float64]:
    """For each of `count` decimal strings the last decimal place in which the files write it, 0 where it is not known:
    values are rounded to multiples of it."""
    steps = np.zeros(count)
    for axis in range(count):
        written = [str(header[keyword].value[axis]).strip() for header in headers]
        if all(re.fullmatch(r"[-+]?\d+\.?\d*", value) for value in written):
            steps[axis] = 10.0 ** -max(len(value.partition(".")[2]) for value in written)
    return steps


def body_part_of(header: Dataset) -> str:
    """The listed body part that was examined, or an empty text."""
    word = text_of(header, "BodyPartExamined").upper().replace(" ", "").replace("_", "")
    return word if word in BODY_PARTS else ""


def day_of(header: Dataset) -> str:
    """The day of the study, else of its acquisition, as YYYY-MM-DD; empty where none is written or it is a dummy."""
    for keyword in ("StudyDate", "AcquisitionDate"):
        words = text_of(header, keyword).replace(".", "")
        if re.fullmatch(r"(19|20)\d{6}", words) and words != "19000101":
            try:
                return date(int(words[:4]), int(words[4:6]), int(words[6:])).isoformat()
            except ValueError:
                continue
    return ""
