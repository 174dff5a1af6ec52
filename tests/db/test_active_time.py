"""Active time is true: counted once, on the server's clock, never more than has passed, and short scans count."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.masks.services import begin
from annotation.work.activity import MOST_SPANS, beat_assignment, clip, union
from annotation.work.models import Assignment
from annotation.work.services import expire_leases
from tests.factories.world import World, first_of, publish
from voxloop.kernel.clock import now

pytestmark = pytest.mark.django_db


MOMENT = now()


@pytest.fixture(autouse=True)
def _still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time stands still while reports come in."""
    monkeypatch.setattr("annotation.work.activity.now", lambda: MOMENT)


def opened(world: World, *, ago: float) -> Assignment:
    """Work that was opened so many seconds ago."""
    work = begin(assignment_id=first_of(publish(world)).pk, actor=world["annotator"])
    Assignment.objects.filter(pk=work.pk).update(opened_at=MOMENT - timedelta(seconds=ago))
    return work


def seconds(world: World, work: Assignment, *periods: tuple[float, float], active: float = 0) -> int:
    done = beat_assignment(assignment_id=work.pk, actor=world["annotator"], periods=periods, active_seconds=active)
    return done.active_seconds


def test_a_short_scan_counts_and_no_report_exceeds_the_time_that_passed(world: World) -> None:
    work = opened(world, ago=12)
    assert seconds(world, work, (9, 2)) == 7
    assert seconds(world, work, active=3600) == 12


def test_two_tabs_and_a_report_sent_twice_count_once(world: World) -> None:
    work = opened(world, ago=1000)
    assert seconds(world, work, (100, 40)) == 60
    assert seconds(world, work, (100, 40)) == 60
    assert seconds(world, work, (70, 10)) == 90
    # A journey without a network is told days later and lies before what is counted already.
    assert seconds(world, work, (900, 800), (500, 450)) == 240


def test_nothing_counts_before_opening_or_after_now(world: World) -> None:
    work = opened(world, ago=30)
    assert seconds(world, work, (4_000_000, 20)) == 10
    assert seconds(world, work, (0, 0), (5, 8)) == 10


def test_seconds_counted_before_periods_were_kept_stay(world: World) -> None:
    work = opened(world, ago=100)
    Assignment.objects.filter(pk=work.pk).update(active_seconds=360)
    assert seconds(world, work, (30, 20)) == 370


def test_very_many_periods_stay_small_and_keep_their_sum(world: World) -> None:
    work = opened(world, ago=10_000)
    for start in (9000, 8000):
        periods = [(start - 4 * n, start - 4 * n - 1) for n in range(MOST_SPANS)]
        counted = seconds(world, work, *periods)
    assert counted == 2 * MOST_SPANS
    work.refresh_from_db()
    assert len(work.active_periods["spans"]) == MOST_SPANS
    assert seconds(world, work, (9500, 9400)) == counted  # before the oldest that is kept


def test_a_glance_does_not_hold_a_scan(world: World) -> None:
    work = opened(world, ago=1000)
    seconds(world, work, (900, 895))
    Assignment.objects.filter(pk=work.pk).update(lease_until=now() - timedelta(minutes=1))
    assert expire_leases() == 1


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12)


@given(spans)
def test_a_union_holds_each_moment_once(drawn: list[tuple[int, int]]) -> None:
    merged = union(clip(drawn, 10, 50))
    moments = {at for begin, end in drawn for at in range(max(begin, 10), min(end, 50))}
    assert sum(end - begin for begin, end in merged) == len(moments)
    assert all(before[1] < after[0] for before, after in pairwise(merged))
