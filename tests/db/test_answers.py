"""Answers to the questions of the label schema, and checked differences: what is stored, and conflicts."""

from typing import Any
from uuid import uuid4

import pytest

from annotation.masks.answers import change_answers, save_answers
from annotation.masks.models import AnswerSet
from annotation.masks.selectors import head_of, newest_answers
from annotation.masks.services import begin, save_message
from annotation.reviews.checks import change_checks
from annotation.reviews.claims import claim_round, give_back_round
from annotation.reviews.models import ReviewRound
from annotation.reviews.services import approve_round, correct_round, submit_assignment
from annotation.work.models import Assignment
from tests.factories.world import SHAPE, World, first_of, label, mask_message, publish
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Refusal

pytestmark = pytest.mark.django_db


@pytest.fixture
def opened(world: World) -> Assignment:
    return begin(assignment_id=first_of(publish(world)).pk, actor=world["annotator"])


def test_two_tabs_never_undo_each_others_answers(world: World, opened: Assignment) -> None:
    for changes in ({"diagnosis": "covid19"}, {"quality": "good"}, {"quality": "good"}, {"diagnosis": None}):
        change_answers(assignment_id=opened.pk, changes=changes, actor=world["annotator"])
    assert newest_answers(opened) == {"quality": "good"}
    assert AnswerSet.objects.filter(assignment=opened).count() == 3  # an unchanged answer creates no row
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


def test_answers_of_hidden_questions_are_not_kept(world: World, opened: Assignment) -> None:
    def change(**changes: object) -> dict[str, object]:
        change_answers(assignment_id=opened.pk, changes=changes, actor=world["annotator"])
        return newest_answers(opened)

    assert change(nodule_mm=12.5, quality="good") == {"quality": "good"}
    both = {"quality": "good", "other_findings": ["effusion", "nodule"], "nodule_mm": 12.5}
    assert change(other_findings=["nodule", "effusion"], nodule_mm=12.5) == both
    assert change(other_findings=["effusion"]) == {"quality": "good", "other_findings": ["effusion"]}


def test_a_question_must_be_answered_once_it_is_shown(world: World, opened: Assignment) -> None:
    label(world, opened)
    change_answers(assignment_id=opened.pk, changes={"other_findings": ["other"]}, actor=world["annotator"])
    submit: dict[str, Any] = {
        "assignment_id": opened.pk,
        "actor": world["annotator"],
        "acknowledged": ["mask_outside_lung"],
    }
    with pytest.raises(Conflict) as refused:
        submit_assignment(**submit)
    locks: Any = refused.value.extra["interlocks"]
    assert [(lock["code"], lock["jump"]) for lock in locks if lock["blocking"]] == [
        ("question_unanswered", {"question": "other_finding"})
    ]
    change_answers(assignment_id=opened.pk, changes={"other_finding": " hiatal hernia "}, actor=world["annotator"])
    round_ = submit_assignment(**submit)
    assert round_.answers is not None
    assert round_.answers.values["other_finding"] == "hiatal hernia"


@pytest.fixture
def round_(world: World, opened: Assignment) -> ReviewRound:
    label(world, opened)
    return submit_assignment(assignment_id=opened.pk, actor=world["annotator"], acknowledged=["mask_outside_lung"])


def test_a_reviewer_cannot_approve_away_an_answer_that_must_be_there(world: World, round_: ReviewRound) -> None:
    review = claim_round(round_id=round_.pk, actor=world["reviewer"]).review
    assert review is not None
    change_answers(assignment_id=review.pk, changes={"quality": None}, actor=world["reviewer"])
    with pytest.raises(Conflict) as refused:
        correct_round(round_id=round_.pk, actor=world["reviewer"], signed_at=now())
    locks: Any = refused.value.extra["interlocks"]
    assert (refused.value.code, len(locks)) == ("interlocks", 1)
    change_answers(
        assignment_id=review.pk, changes={"quality": "poor", "quality_reason": ["motion"]}, actor=world["reviewer"]
    )
    done = correct_round(round_id=round_.pk, actor=world["reviewer"], signed_at=now())
    assert done.answers is not None
    assert done.answers.values == {"diagnosis": "covid19", "quality": "poor", "quality_reason": ["motion"]}


def test_what_was_looked_at_belongs_to_the_round_and_to_its_judge(world: World, round_: ReviewRound) -> None:
    def look(who: str = "reviewer", **changes: bool | None) -> list[str]:
        return change_checks(round_id=round_.pk, actor=world[who], changes=changes)

    def refusal(who: str, **changes: bool | None) -> str:
        with pytest.raises(Refusal) as refused:
            look(who, **changes)
        return refused.value.code

    assert refusal("reviewer", a=True) == "state_conflict"  # unclaimed
    claim_round(round_id=round_.pk, actor=world["reviewer"])
    assert [look(a=True, b=True), look(a=None, c=True), look(c=True)] == [["a", "b"], ["b", "c"], ["b", "c"]]
    assert [refusal("reviewer2", d=True), refusal("outsider", d=True)] == ["not_yours", "not_found"]
    assert refusal("annotator", d=True) == "forbidden"
    for name in ("", "x" * 201, "a\x00"):
        assert refusal("reviewer", **{name: True}) == "bad_checks"
    assert refusal("reviewer", **{f"n{n}": True for n in range(5001)}) == "bad_checks"
    give_back_round(round_id=round_.pk, actor=world["reviewer"])
    claim_round(round_id=round_.pk, actor=world["reviewer2"])
    assert look("reviewer2", e=True) == ["e"]  # the next reviewer checks everything again
    done = approve_round(round_id=round_.pk, actor=world["reviewer2"], signed_at=now())
    assert (done.signature or {})["looked_at"] == 1
    assert refusal("reviewer2", f=True) == "state_conflict"


def test_a_review_of_an_empty_mask_that_was_drawn_on_can_be_given_back(world: World) -> None:
    """The layer was first drawn by the reviewer: the next one finds it empty, as submitted."""
    assignment = first_of(publish(world))
    label(world, assignment, is_empty=True)
    round_ = submit_assignment(assignment_id=assignment.pk, actor=world["annotator"])
    review = claim_round(round_id=round_.pk, actor=world["reviewer"]).review
    save_message(
        assignment_id=review.pk,
        layer="findings",
        message=mask_message(SHAPE),
        if_match="empty",
        key=uuid4(),
        actor=world["reviewer"],
    )
    assert head_of(review.pk, "findings") is not None
    give_back_round(round_id=round_.pk, actor=world["reviewer"])
    assert head_of(review.pk, "findings") is None
    again = claim_round(round_id=round_.pk, actor=world["reviewer"])
    assert (again.state, head_of(again.review_id, "findings")) == ("claimed", None)
