"""The certificate of a batch: the sample is reviewed, the rest waits, the first defect sends all of it to review."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from annotation.learning.manifest import approved_rounds
from annotation.reviews.certificates import (
    accept_rest,
    cancel_sample,
    draw_by_policy,
    draw_due,
    draw_sample,
    order_of,
    review_all,
)
from annotation.reviews.claims import claim_next_round, claim_round
from annotation.reviews.models import Certificate, ReviewRound
from annotation.reviews.selectors import review_queue
from annotation.reviews.taking_back import take_back_submission, take_back_verdict
from annotation.work.batches import create_batch, publish_batch
from annotation.work.models import Batch, ReviewPolicy
from annotation.work.withdrawing import withdraw
from tests.factories.batches import handed_in, judge
from tests.factories.overlap import hand_in
from tests.factories.world import World, add_role, publish
from voxloop.accounts.roles import Role
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Refusal


def draw(world: World, batch: Batch, *, excluded: int = 2, extras: int = 1, confidence: float = 0.8) -> Certificate:
    return draw_sample(
        batch_id=batch.pk, actor=world["coordinator"], excluded=excluded, confidence=confidence, extras=extras
    )


def of_part(certificate: Certificate, part: str) -> list[ReviewRound]:
    return list(certificate.rounds.filter(part=part).order_by("pk"))


@pytest.mark.django_db
def test_the_sample_is_reviewed_and_the_rest_accepted_with_a_signature(world: World) -> None:
    batch = handed_in(world)
    certificate = draw(world, batch)
    assert (certificate.scans, certificate.sampled) == (6, 3)
    pks = list(certificate.rounds.values_list("pk", flat=True))
    sample, extra, rest = (of_part(certificate, part) for part in ("sample", "extra", "rest"))
    assert {row.pk for row in sample} == set(order_of(certificate.seed, pks)[:3])
    assert (len(extra), len(rest)) == (1, 2)
    assert {row.pk for row in review_queue(world["reviewer"])} == {row.pk for row in (*sample, *extra)}
    with pytest.raises(Conflict) as held:
        claim_round(round_id=rest[0].pk, actor=world["reviewer"])
    assert held.value.code == "held"
    for row in sample[:2]:
        judge(world, row)
    judge(world, extra[0], verdict="returned")  # stays out of the estimate
    with pytest.raises(Conflict, match="2 of 3 drawn scans are approved") as early:
        accept_rest(batch_id=batch.pk, actor=world["coordinator"], signed_at=now())
    assert early.value.code == "sample_open"
    judge(world, sample[2])
    done = accept_rest(batch_id=batch.pk, actor=world["coordinator"], signed_at=now())
    assert (done.state, done.accepted_by) == ("accepted", world["coordinator"])
    for row in rest:
        row.refresh_from_db()
        assert (row.state, row.reviewer, row.review, row.annotation.state) == (
            "approved",
            world["coordinator"],
            None,
            "approved",
        )
        assert row.signature["meaning"].startswith("I accept this mask and these answers as reference without having")
        assert row.signature["certificate"] == str(certificate.pk)
    assert approved_rounds(world.campaign).filter(pk__in=[row.pk for row in rest]).count() == 2
    assert claim_next_round(actor=world["reviewer"]) is None


@pytest.mark.django_db
@pytest.mark.parametrize("verdict", ["returned", "corrected"])
def test_the_first_defect_sends_every_scan_to_review(world: World, verdict: str) -> None:
    batch = handed_in(world)
    certificate = draw(world, batch)
    first, *_ = of_part(certificate, "sample")
    judge(world, first, verdict=verdict)
    certificate.refresh_from_db()
    assert (certificate.state, certificate.reason) == ("failed", "a defect was found in the sample")
    assert review_queue(world["reviewer"]).count() == 5
    judge(world, of_part(certificate, "rest")[0])
    with pytest.raises(Conflict, match="No sample"):
        accept_rest(batch_id=batch.pk, actor=world["coordinator"], signed_at=now())


@pytest.mark.django_db
def test_a_batch_is_sampled_whole_and_before_its_first_review(world: World) -> None:
    batch = publish(world, size=2)
    first, second = batch.assignments.select_related("scan", "campaign").order_by("position")
    hand_in(world, first, "annotator", is_empty=True)
    with pytest.raises(Conflict) as refused:
        draw(world, batch, excluded=1, extras=0)
    assert refused.value.code == "not_handed_in"
    hand_in(world, second, "annotator", is_empty=True)
    claimed = claim_next_round(actor=world["reviewer"])
    with pytest.raises(Conflict) as begun:
        draw(world, batch, excluded=1, extras=0)
    assert begun.value.code == "review_begun"
    assert claimed.part == ""


@pytest.mark.django_db
def test_who_may_and_with_which_numbers(world: World) -> None:
    batch = handed_in(world)
    for who, kind in (
        ("annotator", Forbidden),
        ("datamanager", Forbidden),
        ("reviewer", NotFound),
        ("outsider", NotFound),
    ):
        with pytest.raises(kind):
            draw_sample(batch_id=batch.pk, actor=world[who], excluded=2, confidence=0.8, extras=0)
    for wrong in ({"excluded": 0}, {"excluded": 7}, {"confidence": 0.5}, {"extras": 7}, {"extras": -1}):
        with pytest.raises(Invalid) as refused:
            draw(world, batch, **wrong)
        assert refused.value.code == "bad_sample"
    draw(world, batch)
    with pytest.raises(Conflict):
        draw(world, batch)
    assert cancel_sample(batch_id=batch.pk, actor=world["coordinator"]).state == "cancelled"
    assert review_queue(world["reviewer"]).count() == 6
    assert draw(world, batch).state == "drawn"


@pytest.mark.django_db
def test_nobody_accepts_their_own_work(world: World) -> None:
    add_role(world, "annotator", Role.COORDINATOR)
    batch = handed_in(world)
    certificate = draw(world, batch)
    for row in of_part(certificate, "sample"):
        judge(world, row)
    with pytest.raises(Forbidden, match="their own work"):
        accept_rest(batch_id=batch.pk, actor=world["annotator"], signed_at=now())


@pytest.mark.django_db
def test_a_batch_that_changes_has_no_certificate(world: World) -> None:
    batch = handed_in(world)
    certificate = draw(world, batch)
    row = of_part(certificate, "rest")[0]
    take_back_submission(assignment_id=row.annotation_id, actor=world["annotator"])
    certificate.refresh_from_db()
    assert (certificate.state, certificate.reason) == ("cancelled", "a scan of the batch was taken back")
    hand_in(world, row.annotation, "annotator", is_empty=True)
    again = draw(world, batch)
    withdraw(scan_id=of_part(again, "sample")[0].annotation.scan_id, actor=world["datamanager"], why="consent")
    again.refresh_from_db()
    assert (again.state, again.reason) == ("cancelled", "a scan of the batch was withdrawn")


@pytest.mark.django_db
def test_a_verdict_that_others_were_accepted_on_is_sealed(world: World) -> None:
    batch = handed_in(world)
    certificate = draw(world, batch)
    sample = of_part(certificate, "sample")
    for row in sample:
        judge(world, row)
    take_back_verdict(round_id=sample[0].pk, actor=world["reviewer"])
    with pytest.raises(Conflict, match="2 of 3"):
        accept_rest(batch_id=batch.pk, actor=world["coordinator"], signed_at=now())
    judge(world, sample[0])
    accept_rest(batch_id=batch.pk, actor=world["coordinator"], signed_at=now())
    with pytest.raises(Conflict) as sealed:
        take_back_verdict(round_id=sample[0].pk, actor=world["reviewer"])
    assert sealed.value.code == "verdict_sealed"


@pytest.mark.django_db(transaction=True)
def test_drawing_while_reviewers_claim_leaves_no_rest_in_review(live_world: World) -> None:
    world = live_world
    batch = handed_in(world)
    gate = threading.Barrier(3)

    def claim(who: str) -> Any:
        try:
            gate.wait(timeout=20)
            return claim_next_round(actor=world[who])
        except Refusal as refused:
            return refused.code
        finally:
            connection.close()

    def sample() -> Any:
        try:
            gate.wait(timeout=20)
            return draw(world, batch)
        except Refusal as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as threads:
        works = [threads.submit(claim, "reviewer"), threads.submit(claim, "reviewer2"), threads.submit(sample)]
        drawn = works[2].result()
    claimed = ReviewRound.objects.filter(state="claimed")
    if isinstance(drawn, Certificate):
        assert not claimed.filter(part="rest").exists()
    else:
        assert (drawn, Certificate.objects.count()) == ("review_begun", 0)
    assert claim_next_round(actor=world["reviewer"]) is not None  # who came while it was drawn asks again


@pytest.mark.django_db
def test_a_batch_is_reviewed_by_sample_when_its_campaign_says_so(world: World) -> None:
    world.campaign.review_policy = "sample"
    world.campaign.save()
    batch = publish(world, size=6)
    assert batch.review_policy == "sample"
    rows = list(batch.assignments.select_related("scan", "campaign").order_by("position"))
    for row in rows[:5]:
        hand_in(world, row, "annotator")
    assert not review_queue(world["reviewer"]).exists()  # nobody begins before the sample
    with pytest.raises(Conflict) as held:
        claim_round(round_id=rows[0].rounds.get().pk, actor=world["reviewer"])
    assert held.value.code == "held"
    assert (draw_due(), draw_by_policy(batch.pk)) == (0, None)
    hand_in(world, rows[5], "annotator")
    assert (draw_due(), draw_due()) == (1, 0)
    certificate = batch.certificates.get()
    assert (certificate.scans, certificate.excluded, certificate.confidence) == (6, 1, 0.9)
    assert certificate.created_by is None
    assert review_queue(world["reviewer"]).count() == certificate.sampled
    assert draw_by_policy(batch.pk) is None


@pytest.mark.django_db
def test_a_coordinator_has_every_scan_of_such_a_batch_reviewed(world: World) -> None:
    batch = create_batch(
        campaign=world.campaign,
        actor=world["coordinator"],
        size=2,
        assignee=world["annotator"],
        review_policy=ReviewPolicy.SAMPLE,
    )
    publish_batch(batch_id=batch.pk, actor=world["coordinator"])
    hand_in(world, batch.assignments.select_related("scan", "campaign").first(), "annotator")
    assert not review_queue(world["reviewer"]).exists()
    with pytest.raises(NotFound):
        review_all(batch_id=batch.pk, actor=world["reviewer"])
    review_all(batch_id=batch.pk, actor=world["coordinator"])
    assert review_queue(world["reviewer"]).count() == 1
    with pytest.raises(Conflict):
        review_all(batch_id=batch.pk, actor=world["coordinator"])
    assert draw_due() == 0
