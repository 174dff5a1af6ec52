"""The single plane of an X-ray: its values, its geometry, and what is needed to write it back as it came."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from annotation.intake.dicom.headers import MODALITY_OF_CLASS, body_part_of, numbers_of, text_of, uid_of
from annotation.intake.dicom.pixels import decode_stored
from annotation.intake.dicom.read import Slice, read_pixels
from annotation.intake.limits import Limits
from voxloop.kernel.errors import Invalid
from voxloop.volume.geometry import Geometry

DIRECTION = re.compile(r"[LRAPHF]{1,3}")
VIEWS = frozenset({"AP", "PA", "LL", "RL", "LLD", "LLO", "RLD", "RLO"})
INVERTED = "MONOCHROME1"


def read_plane(item: Slice, limits: Limits) -> tuple[npt.NDArray[np.uint16], Geometry, dict[str, Any]]:
    """Stored values (uint16, zyx, bright = dense: MONOCHROME1 is inverted), an arbitrary plane as geometry, and the
    facts of `projection`. Raises Invalid (`no_spacing`)."""
    header = item.header
    spacing, keyword = _spacing_of(header)
    stored = decode_stored(read_pixels(item.path, limits), header, item.transfer_syntax)
    offset = min(0, int(stored.min())) if header.get("PixelRepresentation") == 1 else 0
    values = stored - offset
    is_inverted = text_of(header, "PhotometricInterpretation") == INVERTED
    highest = int(values.max())
    if is_inverted:
        values = highest - values
    sop_class, view = uid_of(header, "SOPClassUID"), text_of(header, "ViewPosition").upper()
    facts = {
        "sop_class_uid": sop_class if sop_class in MODALITY_OF_CLASS else "",
        "bits_allocated": int(header.BitsAllocated),
        "bits_stored": int(header.get("BitsStored") or header.BitsAllocated),
        "is_signed": header.get("PixelRepresentation") == 1,
        "inverted_at": highest if is_inverted else None,
        "offset": offset,
        "spacing": keyword,
        "body_part": body_part_of(header),
        "orientation": _orientation_of(header),
        "view": view if view in VIEWS else "",
    }
    shape_zyx = (1, int(header.Rows), int(header.Columns))
    geometry = Geometry.axial(shape_zyx, (1.0, float(spacing[0]), float(spacing[1])))
    return np.clip(values, 0, 65535).astype(np.uint16)[None], geometry, facts


def _orientation_of(header: Dataset) -> list[str]:
    """Where rows and columns point (PS3.3 C.7.6.1.1.1), two words of letters; empty where it is not told."""
    value = header.get("PatientOrientation")
    words = [str(word).strip().upper() for word in value] if isinstance(value, (list, MultiValue)) else []
    return words if len(words) == 2 and all(DIRECTION.fullmatch(word) for word in words) else []


def _spacing_of(header: Dataset) -> tuple[npt.NDArray[np.float64], str]:
    """Row and column spacing in mm, and the attribute: that of the detector where the patient's is unknown."""
    keyword, spacing = "PixelSpacing", numbers_of(header, "PixelSpacing", 2)
    if spacing is None or spacing.min() <= 0:
        keyword, spacing = "ImagerPixelSpacing", numbers_of(header, "ImagerPixelSpacing", 2)
    if spacing is None or not 0 < spacing.min() <= spacing.max() <= 100:
        raise Invalid("The X-ray has no pixel spacing, so no length can be told; add it.", code="no_spacing")
    return spacing, keyword
