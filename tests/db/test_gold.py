"""Gold scans: made of what was approved or of a consensus, hidden in batches, measured, and never used as labels."""

from uuid import UUID

import numpy as np
import pytest
from django.db import IntegrityError, transaction

from annotation.datasets.models import Release
from annotation.datasets.selectors import list_candidates
from annotation.learning.manifest import approved_rounds
from annotation.masks.store import load_labels
from annotation.reviews.agreement import measure_pairs
from annotation.reviews.claims import claim_round
from annotation.reviews.gold import change_gold, make_gold, measure_gold
from annotation.reviews.models import GoldResult, GoldScan, ReadingPair
from annotation.reviews.services import approve_round
from annotation.work.batches import create_batch, publish_batch
from annotation.work.gold import hide_gold
from annotation.work.models import Assignment, Campaign, CampaignScan
from annotation.work.services import claim_assignment
from tests.factories.gold import golden, read, set_policy
from tests.factories.overlap import claim_all, read_twice
from tests.factories.world import SHAPE, World, ball, invite_readers, make_scan, publish
from voxloop.audit.models import AuditEntry
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Forbidden, Invalid
from voxloop.volume.agreement import agree

pytestmark = pytest.mark.django_db
VOXEL_ML = 2.5 / 1000


def test_gold_is_made_once_of_an_approved_scan_by_a_coordinator(world: World) -> None:
    (gold,) = golden(world)
    mask = gold.masks.get(layer="findings").revision
    assert np.array_equal(load_labels(mask, SHAPE) > 0, ball())
    assert CampaignScan.objects.get(scan=gold.scan).is_gold
    with pytest.raises(Conflict, match="gold scan already"):
        make_gold(campaign=world.campaign, scan_id=gold.scan_id, actor=world["coordinator"])
    other = world.scans[5].pk
    with pytest.raises(Conflict) as refused:
        make_gold(campaign=world.campaign, scan_id=other, actor=world["coordinator"])
    assert refused.value.code == "no_reference"
    for who in ("annotator", "reviewer", "datamanager"):
        with pytest.raises(Forbidden):
            make_gold(campaign=world.campaign, scan_id=other, actor=world[who])
    with pytest.raises(Invalid) as unknown:
        make_gold(campaign=world.campaign, scan_id=other, actor=world["coordinator"], origin="guess")
    assert unknown.value.code == "bad_gold"
    assert GoldScan.objects.count() == 1
    assert [entry.new["origin"] for entry in AuditEntry.objects.filter(action="gold.made")] == ["approved"]


@pytest.mark.parametrize("rule", ["majority", "staple"])
def test_gold_is_made_of_a_consensus_that_names_its_readings(world: World, rule: str) -> None:
    ((first, second),) = read_twice(world)
    gold = make_gold(campaign=world.campaign, scan_id=first.scan_id, actor=world["coordinator"], origin=rule)
    mask = gold.masks.get(layer="findings").revision
    submitted = [row.heads.get(layer="findings").revision_id for row in (first, second)]
    assert (mask.kind, mask.source) == ("consensus", {"way": rule, "readings": [str(pk) for pk in submitted]})
    assert np.array_equal(load_labels(mask, SHAPE) > 0, ball())
    with pytest.raises(Conflict) as refused:
        make_gold(campaign=world.campaign, scan_id=world.scans[5].pk, actor=world["coordinator"], origin=rule)
    assert refused.value.code == "no_consensus"


def test_a_share_of_a_batch_is_gold_that_its_reader_does_not_know(world: World) -> None:
    gold = golden(world, 2)
    set_policy(world.campaign, blank_share=0.1, gold_share=0.5)
    for seed in (6, 7):
        make_scan(world, "a", seed=seed)
    batch = create_batch(campaign=world.campaign, actor=world["coordinator"], size=4, assignee=world["annotator2"])
    rows = list(batch.assignments.all())
    assert len(rows) == 4
    hidden = [row for row in rows if row.is_gold]
    assert {row.scan_id for row in hidden} == {one.scan_id for one in gold}
    assert all(row.is_overlap and row.reader == 100 and row.choice == {"why": "gold"} for row in hidden)
    # Its own author knows both.
    own = create_batch(campaign=world.campaign, actor=world["coordinator"], size=4, assignee=world["annotator"])
    assert not own.assignments.filter(is_gold=True).exists()
    assert own.assignments.count() == 4


def test_a_share_of_gold_needs_a_blank_share(world: World) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Campaign.objects.update(gold_share=0.1, blank_share=0.0)
    with pytest.raises(IntegrityError), transaction.atomic():
        Campaign.objects.update(gold_share=0.6, blank_share=0.1)


def test_nobody_of_the_pool_claims_gold_that_they_know(world: World) -> None:
    golden(world, 1)
    set_policy(world.campaign, blank_share=0.1, gold_share=0.5)
    batch = publish(world, to=None, size=2)
    assert batch.assignments.filter(is_gold=True).count() == 1
    assert not [row for row in claim_all(world["annotator"]) if row.is_gold]
    (row,) = claim_all(world["annotator2"])
    assert row.is_gold


def test_gold_is_measured_once_as_handed_in_first_and_never_used_as_a_label(world: World) -> None:
    (gold,) = golden(world)
    set_policy(world.campaign, blank_share=0.1, gold_share=0.5)
    batch = publish(world, to="annotator2", size=2)
    row = batch.assignments.select_related("scan", "campaign").get(is_gold=True)
    read(world, row, "annotator2", 7.0)
    assert measure_pairs() == 0  # nor is it a reading of the panel
    assert (measure_gold(), measure_gold()) == (1, 0)
    found = GoldResult.objects.get()
    expected = agree(ball(radius=7.0), ball(), (2.5, 1.0, 1.0))
    assert (found.dice, found.surface_dice) == pytest.approx((expected.dice, expected.surface_dice))
    missed = int((ball() & ~ball(radius=7.0)).sum()) * VOXEL_ML
    assert (found.too_much_ml, found.missed_ml) == pytest.approx((0.0, missed))
    assert (found.drawn_ml, found.gold_ml, found.trial) == pytest.approx((expected.first_ml, expected.second_ml, None))
    row.refresh_from_db()
    judged = row.rounds.get()
    approve_handed_in(world, judged.pk)
    for rounds in (approved_rounds(world.campaign), list_candidates(Release(campaign=world.campaign, filters={}))):
        assert [one.annotation.reader for one in rounds] == [1]
    assert ReadingPair.objects.count() == 0
    assert gold.results.count() == 1


def approve_handed_in(world: World, round_id: UUID) -> None:
    claim_round(round_id=round_id, actor=world["reviewer2"])
    approve_round(round_id=round_id, actor=world["reviewer2"], signed_at=now())


def test_gold_is_hidden_in_a_running_batch_with_as_many_others(world: World) -> None:
    golden(world, 2)
    batch = publish(world, to="annotator2", size=2)
    begun = claim_assignment(actor=world["annotator2"])
    place = begun.position
    made = hide_gold(batch_id=batch.pk, actor=world["coordinator"], count=1)
    assert (len(made), batch.assignments.count()) == (1, 4)
    assert sorted(batch.assignments.values_list("position", flat=True)) == [1, 2, 3, 4]
    begun.refresh_from_db()
    assert begun.position == place
    again = hide_gold(batch_id=batch.pk, actor=world["coordinator"], count=5)
    assert len({row.scan_id for row in [*made, *again]}) == 2
    with pytest.raises(Conflict) as refused:
        hide_gold(batch_id=batch.pk, actor=world["coordinator"])
    assert refused.value.code == "no_gold_left"
    with pytest.raises(Forbidden):
        hide_gold(batch_id=batch.pk, actor=world["annotator2"])
    with pytest.raises(Invalid):
        hide_gold(batch_id=batch.pk, actor=world["coordinator"], count=0)
    rows = batch.assignments.filter(is_gold=True)
    assert AuditEntry.objects.filter(action="batch.gold_hidden").count() == 2
    assert rows.count() == 2


def test_gold_is_served_evenly_and_used_no_more_when_retired(world: World) -> None:
    gold = golden(world, 3)
    for seed in range(20, 23):
        make_scan(world, "a", seed=seed)
    world.people |= {person.username: person for person in invite_readers(world, 2)}
    set_policy(world.campaign, blank_share=0.1, gold_share=0.34)
    for who in ("annotator2", "reader0", "reader1"):
        batch = create_batch(campaign=world.campaign, actor=world["coordinator"], size=2, assignee=world[who])
        publish_batch(batch_id=batch.pk, actor=world["coordinator"])
    assert set(Assignment.objects.filter(is_gold=True).values_list("scan", flat=True)) == {one.scan_id for one in gold}
    for one in gold:
        change_gold(gold_id=one.pk, actor=world["coordinator"], is_used=False)
    last = create_batch(campaign=world.campaign, actor=world["coordinator"], size=2, assignee=world["reader1"])
    assert not last.assignments.filter(is_gold=True).exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        Assignment.objects.filter(is_gold=True).update(is_overlap=False)
