"""Certification: a set of gold scans, worked with feedback, opens ordinary work at the panel's own level."""

import statistics

import pytest
from django.db import IntegrityError, transaction

from annotation.masks.selectors import readable_revisions
from annotation.reviews.agreement import measure_pairs
from annotation.reviews.context import viewer_context
from annotation.reviews.gold import make_gold
from annotation.reviews.models import GoldResult, ReadingPair, ReviewRound, Trial
from annotation.reviews.services import submit_assignment
from annotation.reviews.trials import begin_trial, let_work, measure_trials, pass_mark
from annotation.work.models import Assignment, CampaignMember
from annotation.work.selectors import pool, unassigned_scans
from annotation.work.services import claim_assignment, open_assignment, skip_assignment
from annotation.work.withdrawing import withdraw
from tests.factories.gold import golden, read, set_policy
from tests.factories.overlap import read_twice
from tests.factories.world import World, invite_readers, publish
from voxloop.audit.models import AuditEntry
from voxloop.kernel.errors import Conflict, Forbidden, Invalid

pytestmark = pytest.mark.django_db


@pytest.fixture
def newcomer(world: World) -> World:
    """Two gold scans in the certification set, and `reader0`, who has not passed."""
    golden(world, 2, certifies=True)
    world.people |= {person.username: person for person in invite_readers(world, 1)}
    set_policy(world.campaign, certifies=True, certification_dice=0.7)
    return world


def scans_of(trial: Trial) -> list[Assignment]:
    return list(trial.batch.assignments.select_related("scan", "campaign", "batch").order_by("position"))


def attempt(world: World, *radii: float) -> Trial:
    trial = begin_trial(campaign=world.campaign, actor=world["reader0"])
    for row, radius in zip(scans_of(trial), radii, strict=True):
        read(world, row, "reader0", radius)
    trial.refresh_from_db()
    return trial


def test_work_opens_when_the_certification_is_passed(newcomer: World) -> None:
    world = newcomer
    batch = publish(world, to="reader0", size=1)
    row = batch.assignments.get()
    with pytest.raises(Conflict) as refused:
        open_assignment(assignment_id=row.pk, actor=world["reader0"])
    assert refused.value.code == "not_certified"
    assert claim_assignment(actor=world["reader0"]) is None
    publish(world, to=None, size=1)
    assert not pool(world["reader0"]).exists()
    failed = attempt(world, 9.0, 4.0)
    assert (failed.state, failed.number, failed.pass_dice) == ("failed", 1, 0.7)
    assert failed.dice == pytest.approx(statistics.fmean(GoldResult.objects.values_list("dice", flat=True)))
    assert claim_assignment(actor=world["reader0"]) is None
    passed = attempt(world, 9.0, 8.0)
    assert (passed.state, passed.number) == ("passed", 2)
    assert CampaignMember.objects.get(user=world["reader0"]).certified_at is not None
    assert claim_assignment(actor=world["reader0"]).pk == row.pk
    with pytest.raises(Conflict) as again:
        begin_trial(campaign=world.campaign, actor=world["reader0"])
    assert again.value.code == "certified"
    # Nothing of it is reviewed, counts as work, or takes a scan from others.
    assert not ReviewRound.objects.filter(author=world["reader0"]).exists()
    assert unassigned_scans(world.campaign).count() == 2
    assert {trial.batch.state for trial in Trial.objects.select_related("batch")} == {"closed"}


def test_nobody_is_certified_on_scans_that_they_have_read(newcomer: World) -> None:
    with pytest.raises(Conflict, match="read every scan of the certification set"):
        begin_trial(campaign=newcomer.campaign, actor=newcomer["annotator"])  # who drew the references
    assert len(scans_of(begin_trial(campaign=newcomer.campaign, actor=newcomer["reader0"]))) == 2


def test_feedback_comes_with_the_hand_in_and_not_before(newcomer: World) -> None:
    world = newcomer
    trial = begin_trial(campaign=world.campaign, actor=world["reader0"])
    first, second = scans_of(trial)
    assert first.starts_from == "blank"
    open_assignment(assignment_id=first.pk, actor=world["reader0"])
    first.refresh_from_db()
    before = viewer_context(first, world["reader0"])
    assert (before.feedback, before.overlays) == (None, [])
    gold = first.scan.gold_scans.get().masks.get().revision
    assert not readable_revisions(world["reader0"]).filter(pk=gold.pk).exists()
    read(world, first, "reader0", 7.0)
    first.refresh_from_db()
    shown = viewer_context(first, world["reader0"])
    told = shown.feedback
    assert (told.attempt, told.state, told.measured, told.scans) == (1, "working", 1, 2)
    assert (told.next, told.too_much_ml) == (f"/view/{second.pk}/", 0.0)
    assert told.missed_ml > 1
    assert told.mean_dice == told.dice
    assert [(one.key, one.revision) for one in shown.overlays] == [("correction", gold.pk)]
    assert readable_revisions(world["reader0"]).filter(pk=gold.pk).exists()
    # Nobody else gets it, not even who oversees.
    assert viewer_context(first, world["coordinator"]).feedback is None


def test_the_mark_is_the_panels_own_agreement(world: World) -> None:
    pairs = read_twice(world, scans=6)
    measure_pairs()
    for number, row in enumerate(ReadingPair.objects.filter(segment=0).order_by("pk")):
        row.dice = 0.6 + 0.05 * number
        row.save()
    assert (pass_mark(world.campaign).dice, pass_mark(world.campaign).pairs) == (0.6, 0)
    for first, _ in pairs[:4]:
        make_gold(campaign=world.campaign, scan_id=first.scan_id, actor=world["coordinator"], origin="majority")
    assert pass_mark(world.campaign).pairs == 0  # four say nothing yet
    for first, _ in pairs[4:]:
        make_gold(campaign=world.campaign, scan_id=first.scan_id, actor=world["coordinator"], origin="majority")
    known = [0.6 + 0.05 * number for number in range(6)]
    mark = pass_mark(world.campaign)
    assert mark.pairs == 6
    assert mark.dice == pytest.approx(statistics.fmean(known) - statistics.stdev(known))


def test_what_is_refused(newcomer: World) -> None:
    world = newcomer
    with pytest.raises(Forbidden):
        begin_trial(campaign=world.campaign, actor=world["reviewer"])
    trial = begin_trial(campaign=world.campaign, actor=world["reader0"])
    with pytest.raises(Conflict) as open_one:
        begin_trial(campaign=world.campaign, actor=world["reader0"])
    assert open_one.value.code == "trial_open"
    row = scans_of(trial)[0]
    open_assignment(assignment_id=row.pk, actor=world["reader0"])
    with pytest.raises(Conflict):
        submit_assignment(assignment_id=row.pk, actor=world["reader0"])
    with pytest.raises(Conflict):
        skip_assignment(assignment_id=row.pk, actor=world["reader0"], reason="too hard")
    with pytest.raises(IntegrityError), transaction.atomic():
        Trial.objects.update(state="passed", dice=0.1)
    set_policy(world.campaign, certifies=False)
    with pytest.raises(Conflict) as none:
        begin_trial(campaign=world.campaign, actor=world["annotator2"])
    assert none.value.code == "no_certification"


def test_a_withdrawn_scan_does_not_hold_an_attempt_up(newcomer: World) -> None:
    world = newcomer
    trial = begin_trial(campaign=world.campaign, actor=world["reader0"])
    first, second = scans_of(trial)
    read(world, first, "reader0")
    withdraw(scan_id=second.scan_id, actor=world["coordinator"], why="wrong patient")
    measure_trials()
    trial.refresh_from_db()
    assert (trial.state, trial.dice) == ("passed", 1.0)


def test_a_coordinator_lets_a_member_of_the_panel_work_with_a_reason(newcomer: World) -> None:
    world = newcomer
    person = world["reader0"].pk
    with pytest.raises(Forbidden):
        let_work(campaign=world.campaign, person_id=person, actor=world["reviewer"], why="reads well")
    with pytest.raises(Invalid):
        let_work(campaign=world.campaign, person_id=person, actor=world["coordinator"], why=" ")
    let_work(campaign=world.campaign, person_id=person, actor=world["coordinator"], why="made the set")
    publish(world, to=None, size=1)
    assert claim_assignment(actor=world["reader0"]) is not None
    assert AuditEntry.objects.get(action="campaign.let_work").why == "made the set"
