"""Measurements are kept with the work: by id, within the scan, as long as it is open; whoever judges it sees them."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from annotation.masks.services import begin
from annotation.reviews.claims import claim_round
from annotation.reviews.context import viewer_context
from annotation.reviews.services import return_round, submit_assignment
from annotation.scans.erasing import erase_subject
from annotation.work.marks import MOST, change_marks
from annotation.work.models import Assignment
from annotation.work.services import reclaim_assignment
from tests.factories.clients import logged_in
from tests.factories.world import SHAPE, World, first_of, label, publish
from voxloop.kernel.errors import Conflict, Invalid

pytestmark = pytest.mark.django_db

LENGTH = {"kind": "length", "plane": None, "index": None, "start": [1.5, 2.0, 3.5], "end": [10.0, 2.0, 3.5]}
CIRCLE = {"kind": "ellipse", "plane": "axial", "index": 20, "start": [3.0, 3.0, 20.5], "end": [9.0, 9.0, 20.5]}


@pytest.fixture
def row(world: World) -> Assignment:
    found = first_of(publish(world))
    return begin(assignment_id=found.pk, actor=world["annotator"])


def change(world: World, row: Assignment, changes: dict[UUID, Any], who: str = "annotator") -> dict[str, Any]:
    return change_marks(assignment_id=row.pk, actor=world[who], changes=changes)


def test_two_tabs_do_not_undo_each_other_and_one_mark_goes(world: World, row: Assignment) -> None:
    one, two = uuid4(), uuid4()
    change(world, row, {one: LENGTH})
    assert set(change(world, row, {two: CIRCLE})) == {str(one), str(two)}
    assert change(world, row, {one: None, uuid4(): None}) == {str(two): CIRCLE}
    row.refresh_from_db()
    shown = viewer_context(row, world["annotator"]).marks
    assert shown.own[str(two)].start == (3.0, 3.0, 20.5)
    assert shown.others == []


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        ({**LENGTH, "end": [SHAPE[2] + 1.5, 2.0, 3.5]}, "must lie in the scan"),
        ({**LENGTH, "start": [float("nan"), 2.0, 3.5]}, "must lie in the scan"),
        ({**CIRCLE, "plane": None}, "needs its plane"),
    ],
)
def test_what_lies_nowhere_is_refused(world: World, row: Assignment, mark: Any, words: str) -> None:
    with pytest.raises(Invalid, match=words) as refused:
        change(world, row, {uuid4(): mark})
    assert refused.value.code == "bad_marks"
    row.refresh_from_db()
    assert row.marks == {}


def test_there_is_an_end_to_them_and_to_changing_them(world: World, row: Assignment) -> None:
    with pytest.raises(Invalid, match="delete some"):
        change(world, row, {uuid4(): LENGTH for _ in range(MOST + 1)})
    label(world, row)
    submit_assignment(assignment_id=row.pk, actor=world["annotator"], acknowledged=["mask_outside_lung", "not_seen"])
    with pytest.raises(Conflict) as refused:
        change(world, row, {uuid4(): LENGTH})
    assert refused.value.code == "not_editable"


def test_the_reviewer_sees_the_authors_and_the_author_the_reviewers(world: World, row: Assignment) -> None:
    change(world, row, {uuid4(): LENGTH})
    label(world, row)
    round_ = submit_assignment(
        assignment_id=row.pk, actor=world["annotator"], acknowledged=["mask_outside_lung", "not_seen"]
    )
    claimed = claim_round(round_id=round_.pk, actor=world["reviewer"])
    assert claimed.review is not None
    shown = viewer_context(claimed.review, world["reviewer"]).marks
    assert ([mark.kind for mark in shown.others], shown.own) == (["length"], {})
    change(world, claimed.review, {uuid4(): CIRCLE}, "reviewer")
    return_round(round_id=round_.pk, actor=world["reviewer"], comments=[{"text": "Too small."}])
    begin(assignment_id=row.pk, actor=world["annotator"])
    row.refresh_from_db()
    back = viewer_context(row, world["annotator"]).marks
    assert ([mark.kind for mark in back.own.values()], [mark.kind for mark in back.others]) == (["length"], ["ellipse"])


def test_who_takes_over_has_them_and_erasure_takes_them(world: World, row: Assignment) -> None:
    change(world, row, {uuid4(): LENGTH})
    fresh = reclaim_assignment(
        assignment_id=row.pk, actor=world["coordinator"], why="on leave", person=world["annotator2"]
    )
    begin(assignment_id=fresh.pk, actor=world["annotator2"])
    fresh.refresh_from_db()
    assert list(fresh.marks.values()) == [LENGTH]
    subject = row.scan.subject
    erase_subject(subject_id=subject.pk, actor=world["admin"], why="asked to", confirmation=subject.pseudonym)
    assert not Assignment.objects.filter(scan=row.scan).exclude(marks={}).exists()


def test_over_http_ids_and_forms_are_checked(world: World, row: Assignment) -> None:
    client, url = logged_in(world, "annotator"), f"/api/v1/assignments/{row.pk}/marks"

    def patch(values: Any) -> Any:
        return client.patch(url, {"values": values}, content_type="application/json")

    name = str(uuid4())
    answer = patch({name: LENGTH})
    assert (answer.status_code, answer.json()["values"][name]) == (200, LENGTH)
    assert patch({name: None}).json() == {"values": {}}
    refused = patch({"mine": LENGTH})
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_marks")
    assert patch({name: {**LENGTH, "kind": "arrow"}}).status_code == 422
    assert patch({name: {**LENGTH, "start": [1, 2]}}).status_code == 422
