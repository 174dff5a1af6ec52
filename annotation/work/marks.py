"""What a person has measured on a scan: distances, ellipses and rectangles, kept with the work and shown to whoever
judges it. Figures are not kept: they follow from the voxels."""

import math
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from annotation.scans.volumes import ready_volume
from annotation.work.facts import MarkKind
from annotation.work.services import check_not_lost, lock_own
from annotation.work.states import AssignmentState
from annotation.work.withdrawing import check_not_withdrawn
from voxloop.accounts.models import User
from voxloop.kernel.errors import Conflict, Invalid

MOST = 200
BEYOND = 1.0  # voxels: a corner may be dragged over the edge of the image


@transaction.atomic
def change_marks(
    *, assignment_id: UUID, actor: User, changes: Mapping[UUID, Mapping[str, Any] | None]
) -> dict[str, Any]:
    """Keep these marks and leave the others, so that two tabs never undo each other; None removes one. Returns all.

    A mark has `kind`, `start` and `end` (continuous ijk), and a shape its `plane` and slice `index`. Raises NotFound,
    Invalid (`bad_marks`), Conflict (`lease_lost`, `not_editable`, `withdrawn`)."""
    assignment = lock_own(assignment_id, actor)
    check_not_withdrawn(assignment.scan)
    if assignment.state != AssignmentState.OPEN:
        check_not_lost(assignment, actor)
        raise Conflict(f"This scan is {assignment.state}; its marks can no longer be changed.", code="not_editable")
    shape_zyx = ready_volume(assignment.scan).shape_zyx
    kept = dict(assignment.marks)
    for name, mark in changes.items():
        if mark is None:
            kept.pop(str(name), None)
            continue
        _check(mark, shape_zyx)
        kept[str(name)] = dict(mark)
    if len(kept) > MOST:
        raise Invalid(f"A scan keeps at most {MOST} measurements; delete some first.", code="bad_marks")
    if kept != assignment.marks:
        assignment.marks = kept
        assignment.save(update_fields=["marks"])
    return kept


def _check(mark: Mapping[str, Any], shape_zyx: tuple[int, int, int]) -> None:
    """Raise Invalid for a mark outside the scan, or a shape that lies in no plane."""
    sizes = tuple(reversed(shape_zyx))
    for end in (mark["start"], mark["end"]):
        if any(not math.isfinite(v) or not -BEYOND <= v <= n + BEYOND for v, n in zip(end, sizes, strict=True)):
            raise Invalid("A measurement must lie in the scan.", code="bad_marks")
    if mark["kind"] != MarkKind.LENGTH and (mark["plane"] is None or mark["index"] is None):
        raise Invalid("An ellipse or a rectangle needs its plane and its slice.", code="bad_marks")
