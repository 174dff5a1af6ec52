"""Answers to the questions of the label schema: what fits, what is shown, who wins."""

import pytest

from annotation.masks.answers import change_answers, save_answers
from annotation.masks.models import AnswerSet
from annotation.masks.selectors import newest_answers
from annotation.masks.services import begin
from annotation.reviews.services import claim_round, give_back_round, submit_assignment
from annotation.work.models import Assignment
from tests.factories.world import World, first_of, label, publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def opened(world: World) -> Assignment:
    return begin(assignment_id=first_of(publish(world)).pk, actor=world["annotator"])


def test_two_tabs_never_undo_each_others_answers(world: World, opened: Assignment) -> None:
    for changes in ({"diagnosis": "covid19"}, {"quality": "good"}, {"quality": "good"}, {"diagnosis": None}):
        change_answers(assignment_id=opened.pk, changes=changes, actor=world["annotator"])
    assert newest_answers(opened) == {"quality": "good"}
    assert AnswerSet.objects.filter(assignment=opened).count() == 3  # what changes nothing leaves no row
    save_answers(assignment_id=opened.pk, values={"diagnosis": "no_signs"}, actor=world["annotator"])
    assert newest_answers(opened) == {"diagnosis": "no_signs"}


def test_a_review_starts_from_what_was_submitted_for_every_reviewer(world: World, opened: Assignment) -> None:
    label(world, opened)
    round_ = submit_assignment(assignment_id=opened.pk, actor=world["annotator"], acknowledged=["mask_outside_lung"])
    review = claim_round(round_id=round_.pk, actor=world["reviewer"]).review
    assert review is not None
    change_answers(assignment_id=review.pk, changes={"quality": "poor"}, actor=world["reviewer"])
    assert newest_answers(review) == {"diagnosis": "covid19", "quality": "poor"}
    give_back_round(round_id=round_.pk, actor=world["reviewer"])
    claim_round(round_id=round_.pk, actor=world["reviewer2"])
    assert newest_answers(review) == newest_answers(opened) == {"diagnosis": "covid19", "quality": "good"}
