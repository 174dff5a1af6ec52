"""Refusals around reviews and accounts: the code, and what stays as it was."""

from typing import Any
from uuid import uuid4

import pytest

from annotation.masks.answers import change_answers, save_answers
from annotation.masks.importing import import_mask
from annotation.masks.services import begin, save_message
from annotation.reviews import comments
from annotation.reviews.claims import claim_round
from annotation.reviews.models import ReviewRound
from annotation.reviews.services import approve_round, correct_round, list_interlocks, return_round, submit_assignment
from annotation.work.campaigns import set_member
from annotation.work.schema import parse_schema
from annotation.work.standard import CHEST_CT
from tests.db.test_comments import older
from tests.factories.world import PASSWORD, World, first_of, label, mask_message, publish
from voxloop.accounts.models import ApiToken, Scope, User
from voxloop.accounts.roles import Role
from voxloop.accounts.services import create_person, remove_second_factor, set_password, set_theme
from voxloop.accounts.tokens import issue_token
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Refusal

pytestmark = pytest.mark.django_db


def refused(code: str, work: Any, *args: Any, **options: Any) -> str:
    with pytest.raises(Refusal) as refusal:
        work(*args, **options)
    assert refusal.value.code == code
    assert refusal.value.detail.endswith(".")
    return refusal.value.detail


@pytest.fixture
def round_(world: World) -> ReviewRound:
    assignment = first_of(publish(world))
    label(world, assignment)
    return submit_assignment(assignment_id=assignment.pk, actor=world["annotator"], acknowledged=["mask_outside_lung"])


def redraw(world: World, round_: ReviewRound, segment: int) -> None:
    """The reviewer draws something else into the submitted mask."""
    review = ReviewRound.objects.get(pk=round_.pk).review
    assert review is not None
    head = review.heads.get(layer="findings")
    save_message(
        assignment_id=review.pk,
        layer="findings",
        message=mask_message(segment=segment),
        if_match=str(head.revision_id),
        key=uuid4(),
        actor=world["reviewer"],
    )


def test_a_verdict_says_whether_something_was_corrected(world: World, round_: ReviewRound) -> None:
    claim_round(round_id=round_.pk, actor=world["reviewer"])
    options: dict[str, Any] = {"round_id": round_.pk, "actor": world["reviewer"], "signed_at": now()}
    refused("nothing_corrected", correct_round, **options)
    redraw(world, round_, segment=4)
    refused("was_corrected", approve_round, **options)
    assert ReviewRound.objects.get(pk=round_.pk).state == "claimed"
    assert correct_round(**options).state == "corrected"


def test_a_stroke_and_its_undo_are_no_correction(world: World, round_: ReviewRound) -> None:
    claim_round(round_id=round_.pk, actor=world["reviewer"])
    submitted = round_.masks.get().submitted
    options: dict[str, Any] = {"round_id": round_.pk, "actor": world["reviewer"], "signed_at": now()}
    redraw(world, round_, segment=4)
    redraw(world, round_, segment=1)  # other revisions, the same voxels
    refused("nothing_corrected", correct_round, **options)
    found = approve_round(**options)
    assert found.state == "approved"
    assert found.masks.get().approved == submitted


def test_changed_answers_are_a_correction_too(world: World, round_: ReviewRound) -> None:
    review = claim_round(round_id=round_.pk, actor=world["reviewer"]).review
    assert review is not None
    change_answers(assignment_id=review.pk, changes={"diagnosis": "no_signs"}, actor=world["reviewer"])
    options: dict[str, Any] = {"round_id": round_.pk, "actor": world["reviewer"], "signed_at": now()}
    detail = refused("was_corrected", approve_round, **options)
    assert "Correct and approve" in detail


def test_nobody_reviews_their_own_work(world: World, round_: ReviewRound) -> None:
    set_member(campaign=world.campaign, user=world["annotator"], role=Role.REVIEWER, actor=world["admin"])
    refused("own_work", claim_round, round_id=round_.pk, actor=world["annotator"])
    assert ReviewRound.objects.get(pk=round_.pk).state == "pending"


def test_a_round_is_judged_by_who_claimed_it(world: World, round_: ReviewRound) -> None:
    options: dict[str, Any] = {"round_id": round_.pk, "signed_at": now()}
    refused("state_conflict", approve_round, actor=world["reviewer"], **options)
    claim_round(round_id=round_.pk, actor=world["reviewer"])
    refused("not_yours", approve_round, actor=world["reviewer2"], **options)
    refused("state_conflict", claim_round, round_id=round_.pk, actor=world["reviewer2"])
    assert claim_round(round_id=round_.pk, actor=world["reviewer"]).reviewer == world["reviewer"]


def test_work_comes_back_only_with_words(world: World, round_: ReviewRound) -> None:
    claim_round(round_id=round_.pk, actor=world["reviewer"])
    refused("comment_required", return_round, round_id=round_.pk, actor=world["reviewer"])
    for text in ("", "  ", "x" * 2001):
        wrong: list[dict[str, Any]] = [{"text": text}]
        refused("bad_comment", return_round, round_id=round_.pk, actor=world["reviewer"], comments=wrong)
    for ijk in ([0, 0], [56, 0, 0], [0, 48, 0], [0, 0, 40], [-1, 0, 0], [0.5, 0, 0], [True, 0, 0]):
        wrong = [{"text": "Here", "ijk": ijk}]
        refused("bad_comment", return_round, round_id=round_.pk, actor=world["reviewer"], comments=wrong)
    assert round_.comments.count() == 0
    said = [{"text": "Here", "ijk": [55, 47, 39]}]
    assert return_round(round_id=round_.pk, actor=world["reviewer"], comments=said).state == "returned"


def test_an_id_belongs_to_one_comment_of_one_person(world: World, round_: ReviewRound) -> None:
    told: dict[str, Any] = {"round_id": round_.pk, "text": "Here", "id": uuid4()}
    first = comments.add_comment(actor=world["reviewer"], **told)
    assert comments.add_comment(actor=world["reviewer"], **told) == first
    refused("id_taken", comments.add_comment, actor=world["annotator"], **told)


def test_words_are_changed_while_they_are_new_open_and_unanswered(world: World, round_: ReviewRound) -> None:
    comment = comments.add_comment(round_id=round_.pk, actor=world["reviewer"], text="Here")
    change: dict[str, Any] = {"comment_id": comment.pk, "actor": world["reviewer"], "text": "There"}
    refused("not_yours", comments.edit_comment, **(change | {"actor": world["annotator"]}))
    comments.add_reply(comment_id=comment.pk, actor=world["annotator"], text="Where?")
    refused("too_late", comments.edit_comment, **change)
    other = comments.add_comment(round_id=round_.pk, actor=world["reviewer"], text="Old")
    older(other)
    refused("too_late", comments.edit_comment, **(change | {"comment_id": other.pk}))
    resolved = comments.add_comment(round_id=round_.pk, actor=world["reviewer"], text="Done")
    comments.resolve_comment(comment_id=resolved.pk, actor=world["reviewer"])
    refused("too_late", comments.edit_comment, **(change | {"comment_id": resolved.pk}))


# Whether something is marked, the answers, and what is wrong with them.
FITTING: list[tuple[bool, dict[str, Any], set[str]]] = [
    (True, {"diagnosis": "covid19", "quality": "good"}, set()),
    (True, {"quality": "good"}, {"question_unanswered"}),
    (True, {"diagnosis": "no_signs", "quality": "good"}, {"no_signs_with_mask"}),
    (
        True,
        {"diagnosis": "no_signs", "quality": "good", "confirmed_empty": True},
        {"no_signs_with_mask", "confirmed_empty_with_mask"},
    ),
    (False, {"diagnosis": "covid19", "quality": "good"}, {"finding_without_mask", "empty_not_confirmed"}),
    (False, {"diagnosis": "no_signs", "quality": "good"}, {"empty_not_confirmed"}),
    (False, {"diagnosis": "no_signs", "quality": "good", "confirmed_empty": True}, set()),
]


def test_mask_and_answers_must_fit(world: World) -> None:
    marked, empty = publish(world, size=2).assignments.order_by("position")
    label(world, marked)
    begin(assignment_id=empty.pk, actor=world["annotator"])
    for is_marked, answers, codes in FITTING:
        assignment = marked if is_marked else empty
        save_answers(assignment_id=assignment.pk, values=answers, actor=world["annotator"])
        found = {lock.code: lock for lock in list_interlocks(assignment) if lock.blocking}
        assert set(found) == codes, answers
        assert all(lock.message.endswith(".") and lock.jump for lock in found.values())


def test_layers_that_people_draw_come_from_people(world: World) -> None:
    options: dict[str, Any] = {
        "scan": world.scans[0],
        "campaign": world.campaign,
        "body": b"",
        "actor": world["datamanager"],
    }
    refused("layer_is_drawn", import_mask, layer="findings", **options)
    assert "findings" in refused("unknown_layer", import_mask, layer="bones", **options)
    with pytest.raises(Refusal):
        parse_schema(CHEST_CT).layer("bones")


def test_accounts_that_cannot_be_made(world: World) -> None:
    options: dict[str, Any] = {"password": PASSWORD, "actor": world["admin"]}
    for name in ("annotator", "ANNOTATOR"):
        refused("name_taken", create_person, username=name, **options)
    for change in ({"password": "short"}, {"username": ""}, {"email": "no address"}):
        refused("bad_person", create_person, **({"username": "newcomer"} | options | change))
    assert not User.objects.filter(username__in=["newcomer", ""]).exists()


def test_what_an_administrator_does_to_others_only(world: World) -> None:
    admin, person = world["admin"], world["annotator"]
    refused("own_password", set_password, person=admin, password=PASSWORD + "x", actor=admin)
    refused("forbidden", set_password, person=person, password=PASSWORD + "x", actor=world["coordinator"])
    refused("bad_person", set_password, person=person, password="short", actor=admin)
    refused("own_second_factor", remove_second_factor, person=admin, actor=admin, why="lost")
    refused("reason_required", remove_second_factor, person=person, actor=admin, why=" ")
    refused("no_second_factor", remove_second_factor, person=person, actor=admin, why="lost")
    assert User.objects.get(pk=person.pk).check_password(PASSWORD)


def test_a_theme_that_there_is_not(world: World) -> None:
    assert "'pink'" in refused("bad_theme", set_theme, user=world["annotator"], theme="pink")


def test_a_token_that_cannot_be_issued(world: World) -> None:
    wrong: list[dict[str, Any]] = [{"scopes": ["read", "everything"]}, {"scopes": []}, {"days": 0}, {"days": 31}]
    for options in (*wrong, {"name": "x" * 61}, {"name": "\x00"}):
        refused("bad_token", issue_token, user=world["annotator"], **options)
    assert ApiToken.objects.count() == 0


def test_ten_tokens_a_person_and_their_scopes_in_order(world: World) -> None:
    for _ in range(10):
        token, _ = issue_token(user=world["annotator"], scopes=[Scope.WORK, Scope.READ, Scope.READ], days=30)
    assert token.scopes == ["read", "work"]
    refused("too_many_tokens", issue_token, user=world["annotator"])
    issue_token(user=world["annotator2"])
    ApiToken.objects.filter(pk=token.pk).update(expiry=now())
    issue_token(user=world["annotator"])  # one that has ended does not count
