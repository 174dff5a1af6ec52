"""Scans with several independent readers: drawn by lot, read by different people, and nobody is told."""

import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from annotation.learning.models import ModelVersion, TrainingRun
from annotation.masks.services import begin
from annotation.reviews.claims import claim_next_round, claim_round
from annotation.reviews.models import ReviewRound
from annotation.reviews.overlays import overlays_of
from annotation.reviews.services import approve_round
from annotation.work.batches import assign_batch, create_batch
from annotation.work.models import Assignment, Batch, CampaignScan
from annotation.work.overlap import draw
from annotation.work.services import claim_assignment, reclaim_assignment, release_assignment, skip_assignment
from tests.factories.effort import foresee
from tests.factories.overlap import claim_all, hand_in, overlap, read_twice
from tests.factories.world import World, add_role, invite_readers, make_scan, publish
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Forbidden, Invalid


def readers_of(batch: Batch) -> dict[Any, list[int]]:
    found: dict[Any, list[int]] = defaultdict(list)
    for scan, reader in batch.assignments.filter(stage="annotation").order_by("reader").values_list("scan", "reader"):
        found[scan].append(reader)
    return found


def test_the_lot_can_be_drawn_again() -> None:
    scans = [uuid4() for _ in range(40)]
    batch = Batch(pk=uuid4())
    assert len(draw(batch, scans, 0.2)) == 8
    assert set(draw(batch, reversed(scans), 0.2)) == set(draw(batch, scans, 0.2))
    assert draw(Batch(pk=uuid4()), scans, 0.2) != draw(batch, scans, 0.2)
    assert (draw(batch, scans, 0.0), len(draw(batch, scans, 1.0))) == ([], 40)


@pytest.mark.django_db
def test_a_batch_of_the_pool_holds_every_reading(world: World) -> None:
    for seed in range(6, 12):
        make_scan(world, "a", seed=seed, shape_zyx=(4, 16, 16))
    overlap(world.campaign, 0.5, 3)
    batch = publish(world, to=None, size=12)
    # Six scans and both other readers of three of them; a seventh would be one reading too many.
    assert sorted(readers_of(batch).values()) == [[1], [1], [1], [1, 2, 3], [1, 2, 3], [1, 2, 3]]
    assert sorted(batch.assignments.values_list("position", flat=True)) == list(range(1, 13))
    assert batch.assignments.filter(is_overlap=True).count() == 9
    assert CampaignScan.objects.filter(readers=3).count() == 3


@pytest.mark.django_db
def test_the_readings_of_a_persons_batch_come_with_a_later_batch_of_another(world: World) -> None:
    overlap(world.campaign)
    first = publish(world, to="annotator", size=2)
    assert list(readers_of(first).values()) == [[1], [1]]
    overlap(world.campaign, 0.0)
    own = create_batch(campaign=world.campaign, actor=world["coordinator"], size=2, assignee=world["annotator"])
    assert not set(readers_of(own)) & set(readers_of(first))
    other = create_batch(campaign=world.campaign, actor=world["coordinator"], size=3, assignee=world["annotator2"])
    assert {scan: readers for scan, readers in readers_of(other).items() if readers == [2]}.keys() == set(
        readers_of(first)
    )
    assert other.assignments.count() == 3
    last = create_batch(campaign=world.campaign, actor=world["coordinator"], size=3)
    assert list(readers_of(last).values()) == [[1]]  # nothing is owed any more


@pytest.mark.django_db
def test_what_is_owed_alone_is_a_batch_and_a_skipped_reading_is_owed_again(world: World) -> None:
    overlap(world.campaign)
    first = publish(world, to="annotator", size=6)
    second = publish(world, to="annotator2", size=6)
    assert set(readers_of(second)) == set(readers_of(first))
    row = second.assignments.first()
    skip_assignment(assignment_id=row.pk, actor=world["annotator2"], reason="cut off")
    with pytest.raises(Conflict, match="No scan is left"):
        publish(world, to="annotator2", size=6)
    invite_readers(world, 1)
    third = publish(world, to=None, size=6)
    assert readers_of(third) == {row.scan_id: [2]}


@pytest.mark.django_db(transaction=True)
def test_concurrent_claims_give_nobody_two_readings_of_a_scan(live_world: World) -> None:
    world = live_world
    for seed in range(6, 9):
        make_scan(world, "a", seed=seed, shape_zyx=(4, 16, 16))
    overlap(world.campaign, 1.0, 3)
    people = invite_readers(world, 4)
    batch = publish(world, to=None, size=27)
    gate = threading.Barrier(8)

    def claim(person: User) -> list[Assignment]:
        try:
            gate.wait(timeout=20)
            return claim_all(person)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:  # each person in two tabs
        list(threads.map(claim, people * 2))
    rows = list(batch.assignments.all())
    assert {readers == [1, 2, 3] for readers in readers_of(batch).values()} == {True}
    taken = [(row.scan_id, row.person_id) for row in rows if row.person_id]
    assert len(taken) == len(set(taken)) == len(rows) == 27


@pytest.mark.django_db
def test_every_reading_begins_blank(world: World) -> None:
    run = TrainingRun.objects.create(
        campaign=world.campaign, number=1, profile="demo", seed=1, manifest={}, manifest_hash="0", state="promoted"
    )
    model = ModelVersion.objects.create(
        campaign=world.campaign, number=1, run=run, state="candidate", weights_key="w", config={}, metrics={}
    )
    overlap(world.campaign)
    batch = publish(world, to=None, size=2)
    foresee(world, model, batch.assignments.first().scan, radius=8.0)
    for who in ("annotator", "annotator2"):
        row = claim_assignment(actor=world[who])
        assert begin(assignment_id=row.pk, actor=world[who]).starts_from == "blank"


@pytest.mark.django_db
def test_nobody_is_given_a_second_reading_by_hand(world: World) -> None:
    overlap(world.campaign)
    batch = publish(world, to=None, size=4)
    first = claim_assignment(actor=world["annotator"])
    other = batch.assignments.get(scan=first.scan, reader=3 - first.reader)
    with pytest.raises(Invalid, match="reads or reviews") as refused:
        reclaim_assignment(assignment_id=other.pk, actor=world["coordinator"], why="x", person=world["annotator"])
    assert refused.value.code == "not_independent"
    assign_batch(batch_id=batch.pk, person=world["annotator"], actor=world["coordinator"])
    mine = batch.assignments.filter(person=world["annotator"])
    assert sorted(mine.values_list("scan", flat=True)) == sorted(readers_of(batch))  # one of each
    # What was given back untouched is anybody's again, and one's own.
    release_assignment(assignment_id=first.pk, actor=world["annotator"])
    assert claim_assignment(actor=world["annotator2"]) is not None


@pytest.mark.django_db
def test_who_reads_a_scan_judges_no_reading_of_it(world: World) -> None:
    ((first, second),) = read_twice(world)
    reader = User.objects.get(pk=first.person_id)
    add_role(world, reader.username, Role.REVIEWER)
    found = ReviewRound.objects.get(annotation=second)
    assert claim_next_round(actor=reader) is None
    with pytest.raises(Forbidden, match="another reading"):
        claim_round(round_id=found.pk, actor=reader)


@pytest.mark.django_db
def test_who_judged_a_reading_gets_no_other_of_the_scan(world: World) -> None:
    overlap(world.campaign)
    publish(world, to=None, size=2)
    hand_in(world, claim_assignment(actor=world["annotator"]), "annotator")
    add_role(world, "reviewer", Role.ANNOTATOR)
    assert claim_next_round(actor=world["reviewer"]) is not None
    assert claim_assignment(actor=world["reviewer"]) is None
    assert claim_assignment(actor=world["annotator2"]) is not None


@pytest.mark.django_db
def test_a_judge_sees_the_other_reading_after_the_verdict(world: World) -> None:
    ((first, _),) = read_twice(world)
    found = ReviewRound.objects.get(annotation=first)
    claim_round(round_id=found.pk, actor=world["reviewer"])

    def keys() -> list[str]:
        round_ = ReviewRound.objects.select_related("review__scan", "review__campaign").get(pk=found.pk)
        return [one.key for one in overlays_of(round_.review, {}, round_, world["reviewer"])]

    assert keys() == ["author"]
    approve_round(round_id=found.pk, actor=world["reviewer"], signed_at=now())
    assert keys() == ["author", "reader-2"]
