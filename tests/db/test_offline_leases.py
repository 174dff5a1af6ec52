"""Offline leases: scans are held for days, by one person, within the operator's limit."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from annotation.masks.offline import plan_offline, take_offline
from annotation.masks.services import begin
from annotation.work.activity import beat_assignment
from annotation.work.leases import end_offline
from annotation.work.models import Assignment
from annotation.work.services import expire_leases, reclaim_assignment
from tests.factories.world import World, label, publish
from voxloop.audit.models import AuditEntry
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Forbidden, Invalid, NotFound

pytestmark = pytest.mark.django_db


def test_scans_are_held_for_days_and_no_beat_cuts_it_short(world: World) -> None:
    batch = publish(world, size=3)
    before = plan_offline(batch_id=batch.pk, actor=world["annotator"])
    assert not Assignment.objects.filter(batch=batch).exclude(state="queued").exists()
    load = take_offline(batch_id=batch.pk, days=3, actor=world["annotator"])
    until = load.until
    assert load.scans == before.scans
    assert load.bytes == sum(scan.bytes for scan in load.scans) > 0
    rows = list(batch.assignments.all())
    assert {(row.state, row.lease_until) for row in rows} == {("open", until)}
    begin(assignment_id=rows[0].pk, actor=world["annotator"])
    beat_assignment(assignment_id=rows[1].pk, actor=world["annotator"], active_seconds=0)
    label(world, rows[2])
    assert {row.lease_until for row in batch.assignments.all()} == {until}
    assert expire_leases() == 0
    entry = AuditEntry.objects.get(action="batch.taken_offline")
    assert (entry.actor, entry.new["scans"]) == (world["annotator"], 3)


def test_brought_back_what_nobody_touched_is_free_again(world: World) -> None:
    batch = publish(world, size=2)
    take_offline(batch_id=batch.pk, days=2, actor=world["annotator"])
    first, second = batch.assignments.order_by("position")
    label(world, first)
    assert end_offline(batch_id=batch.pk, actor=world["annotator"]) == 1
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state, second.person) == ("open", "queued", world["annotator"])
    assert first.lease_until is not None
    assert first.lease_until < now() + timedelta(days=1)


def test_a_journey_that_is_over_gives_its_scans_back_by_itself(world: World) -> None:
    batch = publish(world, size=1)
    take_offline(batch_id=batch.pk, days=1, actor=world["annotator"])
    Assignment.objects.filter(batch=batch).update(lease_until=now() - timedelta(minutes=1))
    assert expire_leases() == 1


def test_a_coordinator_may_still_take_a_scan_back(world: World) -> None:
    batch = publish(world, size=1)
    take_offline(batch_id=batch.pk, days=7, actor=world["annotator"])
    reclaim_assignment(assignment_id=batch.assignments.get().pk, actor=world["coordinator"], why="on leave")
    with pytest.raises((Conflict, NotFound)):
        take_offline(batch_id=batch.pk, days=1, actor=world["annotator"])


def test_the_operator_sets_the_limit_or_forbids_it(world: World, settings: Any) -> None:
    batch = publish(world, size=1)
    with pytest.raises(Invalid):
        take_offline(batch_id=batch.pk, days=8, actor=world["annotator"])
    settings.OFFLINE_DAYS = 0
    with pytest.raises(Forbidden):
        take_offline(batch_id=batch.pk, days=1, actor=world["annotator"])
    assert plan_offline(batch_id=batch.pk, actor=world["annotator"]).days == 0
    assert Client().get("/offline.js").status_code == 404


def test_others_take_nothing(world: World) -> None:
    batch = publish(world, size=1)
    with pytest.raises(NotFound):
        take_offline(batch_id=batch.pk, days=1, actor=world["annotator2"])
    with pytest.raises(Conflict):
        take_offline(batch_id=batch.pk, days=1, actor=world["coordinator"])
    assert batch.assignments.get().state == "queued"
