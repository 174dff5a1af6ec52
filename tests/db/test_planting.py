"""Planted faults: when they come, for whom, what they are made of, and what a verdict says of the reviewer."""

from datetime import timedelta

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from scipy.stats import binomtest

from annotation.masks.services import save_message
from annotation.masks.store import load_labels
from annotation.pages.selectors.reviewers import reviewers_page
from annotation.reviews.claims import claim_round, end_rounds, give_back_claims
from annotation.reviews.models import PlantedFault, ReviewRound
from annotation.reviews.planting import is_drawn, measure_corrections, plant_beside, plant_due
from annotation.reviews.selectors import review_queue
from annotation.reviews.services import approve_round, correct_round, return_round
from annotation.reviews.taking_back import take_back_verdict
from annotation.scans.services import set_site_membership
from annotation.work.models import Assignment
from annotation.work.people import close_account
from tests.factories.gold import approved, set_policy
from tests.factories.planted import handed_in, planted
from tests.factories.world import SHAPE, World, mask_message
from voxloop.accounts.actors import SystemActor
from voxloop.audit.models import AuditEntry
from voxloop.kernel.clock import now
from voxloop.kernel.ids import new_id
from voxloop.volume.agreement import share_of

pytestmark = pytest.mark.django_db


def judge(world: World, made: PlantedFault, verdict: str) -> None:
    claim_round(round_id=made.round_id, actor=world["reviewer2"])
    if verdict == "return":
        return_round(round_id=made.round_id, actor=world["reviewer2"], comments=[{"text": "not there"}])
        return
    if verdict == "correct":
        desk = ReviewRound.with_planted.get(pk=made.round_id).review
        head = desk.heads.get(layer="findings")
        save_message(
            assignment_id=desk.pk,
            layer="findings",
            message=mask_message(),
            if_match=str(head.revision_id),
            key=new_id(),
            actor=world["reviewer2"],
        )
    act = correct_round if verdict == "correct" else approve_round
    act(round_id=made.round_id, actor=world["reviewer2"], signed_at=now())


def test_it_is_a_fault_of_an_approved_mask_that_its_reviewer_does_not_know(world: World) -> None:
    made, rounds = planted(world)
    assert made.reviewer == world["reviewer2"]  # `reviewer` has judged all that is approved
    assert made.source.annotation.scan_id == made.round.annotation.scan_id
    good = made.source.masks.get(layer="findings").approved
    faulty = made.round.masks.get(layer="findings").submitted
    labels = [load_labels(mask, SHAPE) for mask in (good, faulty)]
    assert np.count_nonzero(labels[0] != labels[1]) * 2.5 / 1000 == pytest.approx(made.changed_ml)
    assert (faulty.kind, faulty.author, faulty.source) == ("draft", world["annotator"], None)
    assert [one["tool"] for one in faulty.strokes] == [one["tool"] for one in good.strokes]
    assert not {one["id"] for one in faulty.strokes} & {one["id"] for one in good.strokes}
    assert made.round.annotation.batch_id == rounds[0].annotation.batch_id
    with CaptureQueriesContext(connection) as found:
        assert plant_beside(rounds[0]) is None  # each hand-in is drawn once
    locks = [query["sql"] for query in found if "FOR " in query["sql"]]
    assert len(locks) == 1
    assert "FOR NO KEY UPDATE" in locks[0]  # who claims a review meanwhile does not wait
    entry = AuditEntry.objects.get(action="fault.planted")
    assert (entry.new["kind"], entry.new["reviewer"]) == (made.kind, "reviewer2")
    assert made.round not in ReviewRound.objects.all()


def test_it_comes_by_lot_soon_after_a_hand_in_and_two_are_open_at_most(world: World) -> None:
    approved(world, 6)
    rounds = handed_in(world, 4)
    assert plant_due() == 0  # the campaign asks for none
    draws = [sum(is_drawn(ReviewRound(pk=new_id()), share) for _ in range(4000)) / 4000 for share in (0.05, 0.2)]
    assert draws == pytest.approx([0.05 / 0.95, 0.25], abs=0.03)
    set_policy(world.campaign, planted_share=0.2)
    ReviewRound.objects.update(created_at=now() - timedelta(hours=1))
    assert plant_due() == 0
    ReviewRound.objects.update(created_at=now())
    assert plant_due() == min(2, sum(is_drawn(one, 0.2) for one in rounds))
    for one in rounds:
        plant_beside(one)
    assert PlantedFault.objects.count() == 2
    scans = [one.round.annotation.scan_id for one in PlantedFault.objects.all()]
    assert len(set(scans)) == 2


def test_nobody_gets_one_who_could_not_judge_the_batch(world: World) -> None:
    approved(world, 6)
    rounds = handed_in(world, 1)
    set_site_membership(user=world["reviewer2"], site=world.sites["a"], is_member=False, actor=world["admin"])
    assert plant_beside(rounds[0]) is None
    assert not PlantedFault.objects.exists()
    assert not Assignment.objects.filter(is_planted=True).exists()


@pytest.mark.parametrize(("verdict", "outcome"), [("approve", False), ("return", True), ("correct", True)])
def test_a_verdict_says_whether_the_fault_was_found(world: World, verdict: str, outcome: bool) -> None:
    made, _ = planted(world)
    before = list(made.source.annotation.rounds.values())
    judge(world, made, verdict)
    assert measure_corrections() == 0  # it can still be taken back
    ReviewRound.with_planted.filter(is_planted=True).update(ended_at=now() - timedelta(minutes=2))
    assert measure_corrections() == (verdict == "correct")
    found = reviewers_page(world["coordinator"], world.campaign)
    row = next(one for one in found.reviewers if one.person == world["reviewer2"])
    assert (row.all.found, row.all.judged, row.waiting) == (int(outcome), 1, 0)
    assert sum(tally.judged for _, tally in row.kinds) == 1
    assert list(made.source.annotation.rounds.values()) == before
    # It comes back to nobody, and nobody goes on with it.
    assert not Assignment.objects.filter(stage="planted", person__isnull=False).exists()
    assert Assignment.objects.filter(is_planted=True).count() == 2
    assert made.round not in review_queue(world["reviewer2"])


def test_a_correction_that_mends_nothing_has_missed_it(world: World) -> None:
    made, _ = planted(world)
    claim_round(round_id=made.round_id, actor=world["reviewer2"])
    desk = ReviewRound.with_planted.get(pk=made.round_id).review
    head = desk.heads.get(layer="findings")
    save_message(
        assignment_id=desk.pk,
        layer="findings",
        message=mask_message(segment=2, radius=2.0),
        if_match=str(head.revision_id),
        key=new_id(),
        actor=world["reviewer2"],
    )
    correct_round(round_id=made.round_id, actor=world["reviewer2"], signed_at=now())
    assert reviewers_page(world["coordinator"], world.campaign).readings[0].outcome == "not measured yet"
    ReviewRound.with_planted.filter(is_planted=True).update(ended_at=now() - timedelta(minutes=2))
    measure_corrections()
    assert reviewers_page(world["coordinator"], world.campaign).readings[0].outcome == "missed"


def test_its_review_is_given_back_taken_back_and_ended_as_any_other(world: World) -> None:
    made, _ = planted(world)
    judge(world, made, "approve")
    assert take_back_verdict(round_id=made.round_id, actor=world["reviewer2"]).state == "claimed"
    assert give_back_claims(person=world["reviewer2"], actor=SystemActor.SYSTEM, why="away") == 1
    made.round.refresh_from_db()
    assert made.round.state == "pending"
    end_rounds(scan=made.round.annotation.scan, actor=SystemActor.SYSTEM)
    made.round.refresh_from_db()
    assert made.round.state == "withdrawn"
    assert reviewers_page(world["coordinator"], world.campaign).all.share is None


def test_the_interval_is_the_exact_one_of_scipy() -> None:
    for found, judged in ((0, 1), (0, 12), (3, 7), (12, 12), (41, 50), (400, 1000)):
        expected = binomtest(found, judged).proportion_ci(confidence_level=0.95, method="exact")
        got = share_of(found, judged)
        assert (got.value, got.low, got.high) == pytest.approx((found / judged, expected.low, expected.high), abs=1e-9)
    for found, judged in ((0, 0), (2, 1), (-1, 3)):
        with pytest.raises(ValueError, match="a share needs trials"):
            share_of(found, judged)


def test_a_reviewer_who_left_keeps_the_figures(world: World) -> None:
    made, _ = planted(world)
    judge(world, made, "return")
    close_account(person=world["reviewer2"], actor=world["admin"], why="left")
    assert reviewers_page(world["coordinator"], world.campaign).all.judged == 1
