"""Arbitration: opened where readers disagree, decided by somebody who read nothing of the scan, nothing overwritten."""

from uuid import uuid4

import numpy as np
import pytest
from django.db import IntegrityError, transaction

from annotation.datasets.models import Release
from annotation.datasets.selectors import list_candidates
from annotation.masks.models import MaskRevision
from annotation.masks.services import save_message
from annotation.masks.store import load_labels
from annotation.reviews.agreement import measure_pairs
from annotation.reviews.arbitration import open_due
from annotation.reviews.arbitrators import (
    cancel_arbitration,
    claim_arbitration,
    expire_arbitrations,
    give_back_arbitration,
)
from annotation.reviews.claims import claim_round
from annotation.reviews.context import viewer_context
from annotation.reviews.deciding import decide
from annotation.reviews.models import Arbitration, ReviewRound
from annotation.reviews.selectors import arbitration_queue, review_queue
from annotation.reviews.services import approve_round
from annotation.reviews.taking_back import take_back_submission, take_back_verdict
from annotation.work.models import Assignment
from annotation.work.withdrawing import withdraw
from tests.factories.gold import read, set_policy
from tests.factories.overlap import claim_all, overlap
from tests.factories.world import SHAPE, World, add_role, ball, mask_message, publish
from voxloop.accounts.roles import Role
from voxloop.audit.models import AuditEntry
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Forbidden, NotFound

pytestmark = pytest.mark.django_db


@pytest.fixture
def disputed(world: World) -> Arbitration:
    """One scan that `annotator` and `annotator2` drew differently."""
    return dispute(world)


def dispute(world: World, *, judge: str = "") -> Arbitration:
    overlap(world.campaign)
    set_policy(world.campaign, overlap_low_dice=0.8, overlap_most=2)
    publish(world, to=None, size=2)
    for who, radius in (("annotator", 9.0), ("annotator2", 5.0)):
        (row,) = claim_all(world[who])
        read(world, row, who, radius)
        if judge and row.reader == 1:
            found = row.rounds.get()
            claim_round(round_id=found.pk, actor=world[judge])
            approve_round(round_id=found.pk, actor=world[judge], signed_at=now())
    assert (open_due(), measure_pairs()) == (0, 1)
    assert (open_due(), open_due()) == (1, 0)
    return Arbitration.objects.get()


def mask_of(revision: MaskRevision | None) -> np.ndarray:
    return load_labels(revision, SHAPE) > 0


def test_the_readings_leave_the_queue_and_one_person_decides(world: World, disputed: Arbitration) -> None:
    assert not review_queue(world["reviewer"]).exists()
    assert {found.state for found in ReviewRound.objects.all()} == {"arbitration"}
    assert list(arbitration_queue(world["reviewer"])) == [disputed]
    row = claim_arbitration(arbitration_id=disputed.pk, actor=world["reviewer"])
    desk = row.round.review
    shown = viewer_context(desk, world["reviewer"])
    assert [(one.key, one.title) for one in shown.overlays] == [
        ("author", "Reader A"),
        ("reader-2", "Reader B"),
        ("consensus-majority", "Majority of the readers"),
        ("consensus-staple", "STAPLE of the readers"),
    ]
    assert (shown.can.edit, shown.can.approve, shown.can.correct, shown.can.return_) == (True, True, True, False)
    assert not [name for name in ("annotator", "annotator2") if name in str(shown)]  # by letters only
    before = MaskRevision.objects.count()
    decide(arbitration_id=row.pk, actor=world["reviewer"], signed_at=now())
    row.refresh_from_db()
    assert (row.state, row.way, row.arbitrator) == ("decided", "first", world["reviewer"])
    rounds = {found.annotation.reader: found for found in ReviewRound.objects.select_related("annotation")}
    assert {number: (found.state, found.annotation.state) for number, found in rounds.items()} == {
        1: ("approved", "approved"),
        2: ("corrected", "approved"),
    }
    first, other = (rounds[number].masks.get() for number in (1, 2))
    result = first.approved
    assert (result, MaskRevision.objects.count()) == (other.approved, before + 1)
    assert (result.kind, result.source["way"], len(result.source["readings"])) == ("consensus", "first", 2)
    assert np.array_equal(mask_of(result), mask_of(first.submitted))
    assert not np.array_equal(mask_of(other.submitted), mask_of(result))  # the other reading is what it was
    assert rounds[1].signature["way"] == "first"
    assert [one.pk for one in list_candidates(Release(campaign=world.campaign, filters={}))] == [rounds[1].pk]
    assert AuditEntry.objects.filter(action="arbitration.decided").count() == 1
    with pytest.raises(Conflict) as sealed:
        take_back_verdict(round_id=rounds[1].pk, actor=world["reviewer"])
    assert sealed.value.code == "verdict_sealed"
    with pytest.raises(Conflict):
        decide(arbitration_id=row.pk, actor=world["reviewer"], signed_at=now())


def test_the_other_reading_is_picked_by_its_mask(world: World, disputed: Arbitration) -> None:
    row = claim_arbitration(arbitration_id=disputed.pk, actor=world["reviewer"])
    overlays = {one.key: one.revision for one in viewer_context(row.round.review, world["reviewer"]).overlays}
    majority = MaskRevision.objects.get(pk=overlays["consensus-majority"])
    assert np.array_equal(mask_of(majority), ball(radius=5.0))  # of two readers: what both marked
    row.round.review.heads.update(revision=overlays["reader-2"])
    decide(arbitration_id=row.pk, actor=world["reviewer"], signed_at=now())
    row.refresh_from_db()
    assert row.way == "other"


def test_a_mask_that_is_nobodys_was_merged(world: World, disputed: Arbitration) -> None:
    row = claim_arbitration(arbitration_id=disputed.pk, actor=world["reviewer"])
    head = row.round.review.heads.get()
    saved, _ = save_message(
        assignment_id=row.round.review_id,
        layer="findings",
        message=mask_message(radius=7.0),
        if_match=str(head.revision_id),
        key=uuid4(),
        actor=world["reviewer"],
    )
    assert saved.kind == "correction"
    found = decide(arbitration_id=row.pk, actor=world["reviewer"], signed_at=now())
    result = found.masks.get().approved
    assert (found.state, result.parent, result.source["way"]) == ("corrected", saved, "merged")


def test_nobody_arbitrates_their_own_work_on_any_path(world: World, disputed: Arbitration) -> None:
    add_role(world, "annotator", Role.REVIEWER)
    add_role(world, "annotator2", Role.ARBITRATOR)
    for who in ("annotator", "annotator2"):
        assert not arbitration_queue(world[who]).exists()
        with pytest.raises(Forbidden) as refused:
            claim_arbitration(arbitration_id=disputed.pk, actor=world[who])
        assert refused.value.code == "own_work"
        with pytest.raises(IntegrityError), transaction.atomic():
            Arbitration.objects.update(arbitrator=world[who])
        with pytest.raises(Conflict):
            decide(arbitration_id=disputed.pk, actor=world[who], signed_at=now())
    with pytest.raises(NotFound):
        claim_arbitration(arbitration_id=disputed.pk, actor=world["outsider"])
    with pytest.raises(Forbidden):
        claim_arbitration(arbitration_id=disputed.pk, actor=world["coordinator"])
    claim_arbitration(arbitration_id=disputed.pk, actor=world["reviewer"])
    with pytest.raises(Conflict):
        claim_arbitration(arbitration_id=disputed.pk, actor=world["reviewer2"])
    with pytest.raises(Conflict) as others:
        decide(arbitration_id=disputed.pk, actor=world["reviewer2"], signed_at=now())
    assert others.value.code == "not_yours"
    with pytest.raises(IntegrityError), transaction.atomic():
        Arbitration.objects.update(state="decided")  # without a way


def test_what_was_approved_before_stays_until_the_decision(world: World) -> None:
    row = dispute(world, judge="reviewer")
    rounds = list(ReviewRound.objects.filter(annotation__reader=1).order_by("number"))
    assert [(found.number, found.state) for found in rounds] == [(1, "approved"), (2, "arbitration")]
    assert [one.pk for one in list_candidates(Release(campaign=world.campaign, filters={}))] == [rounds[0].pk]
    claim_arbitration(arbitration_id=row.pk, actor=world["reviewer2"])
    decide(arbitration_id=row.pk, actor=world["reviewer2"], signed_at=now())
    assert [one.pk for one in list_candidates(Release(campaign=world.campaign, filters={}))] == [rounds[1].pk]
    assert rounds[0].masks.get().approved == rounds[0].masks.get().submitted


def test_it_is_given_back_expires_and_is_given_up(world: World, disputed: Arbitration) -> None:
    desk = claim_arbitration(arbitration_id=disputed.pk, actor=world["reviewer"]).round.review
    with pytest.raises(Conflict):
        give_back_arbitration(arbitration_id=disputed.pk, actor=world["reviewer2"])
    give_back_arbitration(arbitration_id=disputed.pk, actor=world["reviewer"])
    desk.refresh_from_db()
    assert desk.state == "reclaimed"
    claim_arbitration(arbitration_id=disputed.pk, actor=world["reviewer2"])
    assert expire_arbitrations() == 0
    Assignment.objects.filter(stage="arbitration", state="open").update(lease_until=now())
    assert expire_arbitrations() == 1
    with pytest.raises(Forbidden):
        cancel_arbitration(arbitration_id=disputed.pk, actor=world["reviewer"], why="no time")
    with pytest.raises(Conflict) as silent:
        cancel_arbitration(arbitration_id=disputed.pk, actor=world["coordinator"], why=" ")
    assert silent.value.code == "reason_required"
    cancel_arbitration(arbitration_id=disputed.pk, actor=world["coordinator"], why="all reviewers know it")
    assert review_queue(world["reviewer"]).count() == 2
    assert open_due() == 0  # a coordinator's word stands


def test_a_withdrawn_scan_ends_it(world: World, disputed: Arbitration) -> None:
    first = Assignment.objects.filter(stage="annotation", reader=1).select_related("person").get()
    with pytest.raises(Conflict):
        take_back_submission(assignment_id=first.pk, actor=first.person)
    claim_arbitration(arbitration_id=disputed.pk, actor=world["reviewer"])
    withdraw(scan_id=disputed.scan_id, actor=world["coordinator"], why="wrong patient")
    disputed.refresh_from_db()
    assert disputed.state == "cancelled"
    assert {found.state for found in ReviewRound.objects.all()} == {"withdrawn"}
    with pytest.raises(Conflict):
        decide(arbitration_id=disputed.pk, actor=world["reviewer"], signed_at=now())
