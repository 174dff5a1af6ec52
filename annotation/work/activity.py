"""Active time: the periods in which a person worked on a scan, as one union over sessions and tabs.

A period is counted once however often it is reported, lies within opening and now by the server's clock, and so can
never add up to more than the time that has passed."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from annotation.scans.volumes import ready_volume
from annotation.work.leases import extended
from annotation.work.models import Assignment
from annotation.work.seen import add_seen
from annotation.work.services import check_not_lost, lock_own
from annotation.work.states import AssignmentState
from annotation.work.withdrawing import check_not_withdrawn
from voxloop.accounts.models import User
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict

MOST_SPANS = 200  # kept by an assignment; older ones are only a sum, and nothing is added before them
MOST_PERIODS = 200  # of one report

Span = tuple[int, int]  # from and to, in ms since 1970


@transaction.atomic
def beat_assignment(
    *,
    assignment_id: UUID,
    actor: User,
    periods: Sequence[tuple[float, float]] = (),
    active_seconds: float = 0,
    slices: str | None = None,
    lesions: tuple[int, int] | None = None,
) -> Assignment:
    """Extend the lease, count active time and keep what was looked at.

    `periods`: from and to, in seconds before now, as one's own clock measured them; `active_seconds` is short for the
    last period, `(active_seconds, 0)`. `slices`, `lesions`: as `add_seen`.
    Raises NotFound, Invalid (`bad_seen`), Conflict (`lease_lost`, `not_editable`, `withdrawn`)."""
    assignment = lock_own(assignment_id, actor)
    check_not_withdrawn(assignment.scan)
    if assignment.state != AssignmentState.OPEN:
        check_not_lost(assignment, actor)
        raise Conflict(f"This scan is {assignment.state}; it can no longer be worked on.", code="not_editable")
    count_active(assignment, [*periods, (active_seconds, 0)])
    if slices is not None or lesions is not None:
        depth = ready_volume(assignment.scan).shape_zyx[0]
        assignment.seen = add_seen(assignment.seen, depth, slices=slices, lesions=lesions)
    assignment.lease_until = extended(assignment)
    assignment.save(update_fields=["active_seconds", "active_periods", "seen", "lease_until"])
    return assignment


def count_active(assignment: Assignment, periods: Iterable[tuple[float, float]]) -> None:
    """Add periods (seconds before now) to a locked assignment, which the caller saves."""
    moment = now()
    kept = assignment.active_periods or {"settled_ms": assignment.active_seconds * 1000, "spans": []}
    spans: list[Span] = [(begin, end) for begin, end in kept["spans"]]
    settled = int(kept["settled_ms"])
    until = _ms(moment.timestamp())
    since = _ms((assignment.opened_at or moment).timestamp())
    if len(spans) >= MOST_SPANS:
        since = max(since, spans[0][0])
    reported = [(_ms((moment - timedelta(seconds=a)).timestamp()), until - _ms(b)) for a, b in periods if a > b]
    spans = union([*spans, *clip(reported, since, until)])
    settled += sum(end - begin for begin, end in spans[:-MOST_SPANS])
    spans = spans[-MOST_SPANS:]
    assignment.active_periods = {"settled_ms": settled, "spans": spans}
    assignment.active_seconds = round((settled + sum(end - begin for begin, end in spans)) / 1000)


def union(spans: Iterable[Span]) -> list[Span]:
    """The spans in order, those that touch or overlap as one."""
    merged: list[Span] = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def clip(spans: Iterable[Span], since: int, until: int) -> list[Span]:
    """The parts of the spans within `since` and `until`."""
    found = [(max(begin, since), min(end, until)) for begin, end in spans]
    return [(begin, end) for begin, end in found if end > begin]


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
