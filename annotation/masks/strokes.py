"""Validate the record of a stroke in a save (docs/formats.md)."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from voxloop.kernel.documents import find_fault, is_number
from voxloop.kernel.errors import Invalid

LONGEST_BYTES = 4000
DEEPEST = 6
MOST_VOXELS = 1 << 31
LONGEST_RADIUS_MM = 1000.0
FARTHEST = 1 << 16
ACCEPTING = ("accept", "regrow")
MOST_ACCEPTED = 2000  # the header of a message holds 4 MiB
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


def accepted_after(accepted: Sequence[Sequence[Any]], strokes: Iterable[Mapping[str, Any]]) -> list[list[Any]]:
    """Which proposed lesions are accepted after these checked strokes: `[stroke, i, j, k, whether it holds]` each.

    A stroke that accepts changes no voxel, or regrows the lesion; undo and redo name it. What was undone stays in the
    list, because a later redo names the first stroke only. At most the `MOST_ACCEPTED` newest."""
    found = {row[0]: list(row) for row in accepted}
    for stroke in strokes:
        params = stroke.get("params", {})
        of = params.get("of")
        if stroke["tool"] in ACCEPTING and "ijk" in stroke:
            found[stroke["id"]] = [stroke["id"], *stroke["ijk"], True]
        elif stroke["tool"] in ("undo", "redo") and isinstance(of, str) and of in found:
            found[of][4] = stroke["tool"] == "redo"
    return list(found.values())[-MOST_ACCEPTED:]


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
