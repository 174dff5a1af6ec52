"""Concurrent claims get different scans; unused leases expire."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from annotation.masks.services import begin
from annotation.work.models import Assignment
from annotation.work.services import claim_assignment, expire_leases, reclaim_assignment, release_assignment
from tests.factories.world import World, first_of, invite_readers, label, make_scan, publish
from voxloop.accounts.models import User
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Forbidden, NotFound


@pytest.mark.django_db(transaction=True)
def test_ten_concurrent_claims_get_ten_scans(live_world: World) -> None:
    world = live_world
    for seed in range(6, 12):
        make_scan(world, "a", seed=seed, shape_zyx=(4, 16, 16))
    people = invite_readers(world, 10)
    publish(world, to=None, size=12)
    gate = threading.Barrier(10)

    def claim(person: User) -> Assignment | None:
        try:
            gate.wait(timeout=20)
            return claim_assignment(actor=person)
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as threads:
        got = list(threads.map(claim, people))
    assert all(got)
    assert len({assignment.scan_id for assignment in got if assignment}) == 10
    assert Assignment.objects.filter(state="open").count() == 10


@pytest.mark.django_db
def test_nothing_left_is_none(world: World) -> None:
    assert claim_assignment(actor=world["annotator"]) is None


@pytest.mark.django_db
def test_only_annotators_of_the_site_get_work(world: World) -> None:
    publish(world, to=None)
    assert claim_assignment(actor=world["outsider"]) is None
    assert claim_assignment(actor=world["coordinator"]) is None


@pytest.mark.django_db
def test_an_unused_lease_comes_back_to_the_pool(world: World) -> None:
    publish(world, to=None, size=1)
    claimed = claim_assignment(actor=world["annotator"])
    assert claimed is not None
    assert expire_leases() == 0
    Assignment.objects.filter(pk=claimed.pk).update(lease_until=now() - timedelta(minutes=1))
    assert expire_leases() == 1
    claimed.refresh_from_db()
    assert (claimed.state, claimed.person) == ("queued", None)
    second = claim_assignment(actor=world["annotator2"])
    assert second is not None
    assert second.pk == claimed.pk


@pytest.mark.django_db
def test_a_lease_on_begun_work_is_kept(world: World) -> None:
    batch = publish(world, to=None, size=1)
    claimed = claim_assignment(actor=world["annotator"])
    assert claimed is not None
    label(world, claimed)
    Assignment.objects.filter(pk=claimed.pk).update(lease_until=now() - timedelta(days=3))
    assert expire_leases() == 0
    with pytest.raises(Conflict):
        release_assignment(assignment_id=claimed.pk, actor=world["annotator"])
    fresh = reclaim_assignment(assignment_id=claimed.pk, actor=world["coordinator"], why="on leave")
    assert (fresh.state, fresh.person, fresh.batch_id) == ("queued", None, batch.pk)


@pytest.mark.django_db
def test_nobody_works_on_what_is_another_persons(world: World) -> None:
    assignment = first_of(publish(world))
    with pytest.raises(NotFound):
        begin(assignment_id=assignment.pk, actor=world["annotator2"])
    with pytest.raises(Forbidden):
        begin(assignment_id=assignment.pk, actor=world["coordinator"])


def test_a_change_of_state_is_seen_on_the_batch_page(world: World) -> None:
    assignment = first_of(publish(world))
    hour_ago = now() - timedelta(hours=1)
    Assignment.objects.filter(pk=assignment.pk).update(changed_at=hour_ago)
    begin(assignment_id=assignment.pk, actor=world["annotator"])
    assignment.refresh_from_db()
    assert (assignment.state, assignment.changed_at > hour_ago) == ("open", True)
