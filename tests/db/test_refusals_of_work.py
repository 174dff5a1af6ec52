"""Refusals around batches and leases: the code, and that nothing has changed."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from annotation.masks.offline import plan_offline, take_offline
from annotation.masks.services import begin
from annotation.scans.services import create_site, set_site_membership
from annotation.work.batches import assign_batch, cancel_batch, close_batch, create_batch, publish_batch, refresh_batch
from annotation.work.campaigns import create_campaign
from annotation.work.leases import check_offline_allowed, end_offline, hold_offline, own_work_of
from annotation.work.models import Assignment, Batch, Campaign, ScanScore
from annotation.work.standard import CHEST_CT
from annotation.work.states import AssignmentState, BatchState
from tests.factories.world import World, approve, first_of, label, publish
from voxloop.audit.models import AuditEntry
from voxloop.kernel.clock import now
from voxloop.kernel.errors import NotFound, Refusal

pytestmark = pytest.mark.django_db


def refused(expected: str, work: Any, /, *args: Any, **options: Any) -> str:
    """The sentence of a refusal; nothing is made, and nothing is in the log."""
    before = (Batch.objects.count(), Assignment.objects.count(), AuditEntry.objects.count())
    with pytest.raises(Refusal) as refusal:
        work(*args, **options)
    assert refusal.value.code == expected
    assert refusal.value.detail.endswith(".")
    assert (Batch.objects.count(), Assignment.objects.count(), AuditEntry.objects.count()) == before
    return refusal.value.detail


def make(world: World, **options: Any) -> Batch:
    return create_batch(campaign=world.campaign, actor=world["coordinator"], **options)


def test_a_batch_of_a_size_that_no_batch_has(world: World) -> None:
    for size in (0, -1, world.campaign.batch_size + 1):
        assert f"1 to {world.campaign.batch_size}" in refused("bad_size", make, world, size=size)


def test_a_batch_by_hand_that_is_larger_than_asked(world: World) -> None:
    refused("bad_size", make, world, size=2, scan_ids=[scan.pk for scan in world.scans[:3]])


def test_a_batch_for_somebody_who_draws_nothing(world: World) -> None:
    for name in ("reviewer", "outsider", "coordinator"):
        assert name in refused("not_an_annotator", make, world, assignee=world[name])
    batch = make(world, size=1)
    refused("not_an_annotator", assign_batch, batch_id=batch.pk, person=world["reviewer"], actor=world["coordinator"])


def test_a_batch_that_is_due_before_it_is_made(world: World) -> None:
    refused("bad_due_date", make, world, due_on=now().date() - timedelta(days=1))
    assert make(world, size=1, due_on=now().date()).due_on == now().date()


def test_a_way_to_choose_that_there_is_not(world: World) -> None:
    assert "use hybrid, entropy, foreground_random, random, order or hand" in refused(
        "bad_choice", make, world, chosen_by="best"
    )


def test_a_scan_is_in_one_batch(world: World) -> None:
    taken = first_of(make(world, size=1)).scan_id
    for ids in ([taken], [taken, world.scans[-1].pk], [uuid4()]):
        refused("scan_taken", make, world, scan_ids=ids)
    make(world, size=5)
    refused("no_scans_left", make, world)
    cancel_batch(batch_id=Batch.objects.order_by("number")[0].pk, actor=world["coordinator"])
    assert first_of(make(world, scan_ids=[taken])).scan_id == taken


def test_scans_of_sites_that_a_person_may_not_see(world: World) -> None:
    for code in "ab":
        set_site_membership(user=world["annotator"], site=world.sites[code], is_member=False, actor=world["admin"])
    batch = make(world, assignee=world["annotator"])
    assert {row.scan.site.code for row in batch.assignments.select_related("scan__site")} == {"c"}
    refused("no_scans_left", make, world, assignee=world["annotator"])
    refused("scan_taken", make, world, assignee=world["annotator"], scan_ids=[world.scans[0].pk])
    pool = make(world, size=4)
    options: dict[str, Any] = {"batch_id": pool.pk, "person": world["annotator"], "actor": world["coordinator"]}
    assert "annotator" in refused("site_not_visible", assign_batch, **options)
    assert assign_batch(batch_id=pool.pk, person=world["annotator2"], actor=world["coordinator"]).assignee is not None


def test_an_ended_batch_is_given_to_nobody(world: World) -> None:
    for end in (close_batch, cancel_batch):
        batch = publish(world, to=None)
        end(batch_id=batch.pk, actor=world["coordinator"])
        options: dict[str, Any] = {"batch_id": batch.pk, "person": world["annotator"], "actor": world["coordinator"]}
        refused("state_conflict", assign_batch, **options)
        refused("state_conflict", end, batch_id=batch.pk, actor=world["coordinator"])
        refused("state_conflict", publish_batch, batch_id=batch.pk, actor=world["coordinator"])


def test_only_who_oversees_a_batch_moves_it(world: World) -> None:
    batch = make(world, size=1, assignee=world["annotator"])
    for act in (publish_batch, close_batch, cancel_batch):
        refused("not_found", act, batch_id=batch.pk, actor=world["outsider"])
        refused("not_found", act, batch_id=uuid4(), actor=world["coordinator"])
        refused("forbidden", act, batch_id=batch.pk, actor=world["datamanager"])


def test_ending_a_batch_frees_what_was_not_submitted(world: World) -> None:
    batch = publish(world, size=3)
    first, second, third = batch.assignments.order_by("position")
    label(world, first)
    approve(world, first)
    begin(assignment_id=second.pk, actor=world["annotator"])
    close_batch(batch_id=batch.pk, actor=world["coordinator"])
    states = [Assignment.objects.get(pk=row.pk).state for row in (first, second, third)]
    assert states == ["approved", "reclaimed", "reclaimed"]
    assert {row.scan_id for row in make(world, size=3).assignments.all()} >= {second.scan_id, third.scan_id}


def test_scans_are_chosen_by_score_then_by_code(world: World) -> None:
    scores = {world.scans[4].pk: 0.9, world.scans[1].pk: 0.7, world.scans[2].pk: 0.7}
    for pk, score in scores.items():
        ScanScore.objects.create(
            campaign=world.campaign, scan_id=pk, strategy="hybrid", score=score, why="uncertain", surer=score
        )
    batch = make(world, size=5, chosen_by="score")  # as programs of before say
    chosen = [row.scan_id for row in batch.assignments.order_by("position")]
    assert batch.chosen_by == "hybrid"
    unscored = sorted((s for s in world.scans if s.pk not in scores), key=lambda scan: scan.code)
    ties = sorted(world.scans[1:3], key=lambda scan: scan.code)
    assert chosen == [world.scans[4].pk, *(scan.pk for scan in (*ties, *unscored[:2]))]


def test_a_random_batch_has_no_scan_twice(world: World) -> None:
    chosen = [row.scan_id for row in make(world, size=6, chosen_by="random").assignments.all()]
    assert sorted(chosen) == sorted(scan.pk for scan in world.scans)


# States of two assignments, the state of their batch before, and after.
FOLLOWED = [
    ("queued queued", "published", "published"),
    ("open queued", "published", "in_progress"),
    ("submitted submitted", "in_progress", "submitted"),
    ("submitted submitted", "published", "submitted"),
    ("submitted approved", "in_progress", "submitted"),
    ("submitted approved", "in_review", "in_review"),
    ("approved approved", "in_review", "accepted"),
    ("approved skipped", "submitted", "accepted"),
    ("returned approved", "in_review", "returned"),
    ("returned open", "returned", "in_progress"),
    ("returned queued", "in_review", "in_progress"),
    ("submitted approved", "returned", "submitted"),
    ("blocked skipped", "in_progress", "in_progress"),
    ("reclaimed reclaimed", "published", "published"),
    ("approved approved", "closed", "closed"),
]


def test_a_batch_follows_its_assignments(world: World) -> None:
    batch = publish(world, size=2)
    found = []
    for states, before, _ in FOLLOWED:
        for row, state in zip(batch.assignments.order_by("position"), states.split(), strict=True):
            Assignment.objects.filter(pk=row.pk).update(state=AssignmentState(state))
        Batch.objects.filter(pk=batch.pk).update(state=BatchState(before))
        refresh_batch(batch.pk, world["coordinator"])
        found.append((states, before, Batch.objects.get(pk=batch.pk).state))
    assert found == FOLLOWED


def test_days_offline_are_limited_and_may_be_none(settings: Any) -> None:
    settings.OFFLINE_DAYS = 7
    for days in (0, -1, 8):
        with pytest.raises(Refusal) as refusal:
            check_offline_allowed(days)
        assert (refusal.value.code, "1 to 7" in refusal.value.detail) == ("bad_days", True)
    check_offline_allowed(1)
    check_offline_allowed(7)
    settings.OFFLINE_DAYS = 0
    with pytest.raises(Refusal) as refusal:
        check_offline_allowed(1)
    assert refusal.value.code == "offline_forbidden"


def test_nothing_of_ones_own_is_taken_nowhere(world: World) -> None:
    batch = publish(world, to=None)
    refused("not_found", take_offline, batch_id=batch.pk, days=2, actor=world["annotator"])
    own = publish(world)
    for row in own.assignments.all():
        label(world, row)
        approve(world, row)
    refused("nothing_to_take", take_offline, batch_id=own.pk, days=2, actor=world["annotator"])
    assert plan_offline(batch_id=own.pk, actor=world["annotator"]).scans == []
    rows = list(own.assignments.all())
    refused("nothing_to_take", hold_offline, batch=own, assignments=rows, days=2, actor=world["annotator"])


def test_work_is_held_for_days_and_never_for_less(world: World) -> None:
    batch = publish(world)
    until = take_offline(batch_id=batch.pk, days=3, actor=world["annotator"]).until
    assert {row.lease_until for row in batch.assignments.all()} == {until}
    hold_offline(batch=batch, assignments=batch.assignments.all(), days=1, actor=world["annotator"])
    assert {row.lease_until for row in batch.assignments.all()} == {until}


def test_what_comes_back_untouched_goes_back_and_begun_work_stays(world: World) -> None:
    batch = publish(world)
    take_offline(batch_id=batch.pk, days=3, actor=world["annotator"])
    first, second, third = batch.assignments.order_by("position")
    label(world, first)
    Assignment.objects.filter(pk=second.pk).update(active_seconds=30)
    assert end_offline(batch_id=batch.pk, actor=world["annotator"]) == 1
    states = [Assignment.objects.get(pk=row.pk) for row in (first, second, third)]
    assert [row.state for row in states] == ["open", "open", "queued"]
    minutes = timedelta(minutes=world.campaign.lease_minutes)
    assert all(row.lease_until <= now() + minutes for row in states[:2])
    assert (states[2].lease_until, states[2].person) == (None, world["annotator"])
    with pytest.raises(NotFound):
        end_offline(batch_id=batch.pk, actor=world["outsider"])
    assert len(own_work_of(batch.pk, world["annotator"])) == 3


def test_names_of_campaigns_and_codes_of_sites_are_their_own(world: World) -> None:
    for name, slug, code in (
        ("Chest CT", "other", "campaign_taken"),
        ("Other", "chest-ct", "slug_taken"),
        ("O", "new", "slug_taken"),
    ):
        refused(code, create_campaign, name=name, slug=slug, definition=CHEST_CT, actor=world["admin"])
    assert Campaign.objects.count() == 1
    for code in ("a", "A"):
        refused("site_taken", create_site, code=code, name="x", split="train", actor=world["admin"])
    for code in ("", "a-b", "a b", "ä", "a\n", "VX/1"):
        refused("bad_site", create_site, code=code, name="x", split="train", actor=world["admin"])
