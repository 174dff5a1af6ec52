"""Validate the record of a stroke in a save (docs/formats.md)."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from voxloop.kernel.documents import find_fault, is_number
from voxloop.kernel.errors import Invalid

LONGEST_BYTES = 4000
DEEPEST = 6
MOST_VOXELS = 1 << 31
LONGEST_RADIUS_MM = 1000.0
FARTHEST = 1 << 16
TOOL = re.compile(r"[a-z][a-z0-9-]{0,39}")
TIME = re.compile(r"\d{4}(-\d\d(-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?)?)?", re.ASCII)


def check_stroke(stroke: Mapping[str, Any]) -> dict[str, Any]:
    """The stroke as stored. `id` and `tool` are required; the other known fields are checked if present. Raises Invalid
    (`bad_mask`). Unknown fields are kept when they are plain and short."""
    if fault := find_fault(stroke, deepest=DEEPEST):
        raise Invalid(f"The record of a stroke cannot be stored. {fault}", code="bad_mask")
    if len(json.dumps(stroke)) > LONGEST_BYTES:
        raise Invalid(f"The record of a stroke has more than {LONGEST_BYTES} bytes.", code="bad_mask")
    for name, (fits, wanted) in FIELDS.items():
        if (name in stroke or name in ("id", "tool")) and not fits(stroke.get(name)):
            raise Invalid(f"The field {name} of a stroke must be {wanted}.", code="bad_mask")
    return dict(stroke)


def _is_id(value: object) -> bool:
    try:
        return isinstance(value, str) and len(value) == 36 and bool(UUID(value))
    except ValueError:
        return False


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= MOST_VOXELS


def _is_position(value: object) -> bool:
    # A gesture may begin outside the volume, and a box between voxels.
    return isinstance(value, list) and len(value) == 3 and all(is_number(n) and abs(n) <= FARTHEST for n in value)


# Check of each field, and its description for messages.
FIELDS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "id": (_is_id, "a UUID"),
    "tool": (lambda v: isinstance(v, str) and TOOL.fullmatch(v) is not None, "the name of a tool"),
    "segment": (lambda v: type(v) is int and 0 <= v <= 255, "a whole number from 0 to 255"),
    "ijk": (_is_position, "three voxel coordinates"),
    "radius_mm": (lambda v: is_number(v) and 0 <= v <= LONGEST_RADIUS_MM, f"0 to {LONGEST_RADIUS_MM:g} mm"),
    "params": (lambda v: isinstance(v, dict), "an object"),
    "added": (_is_count, "a number of voxels"),
    "removed": (_is_count, "a number of voxels"),
    "at": (lambda v: isinstance(v, str) and TIME.fullmatch(v) is not None, "a time in ISO 8601"),
}
