"""The lesions that a model proposed: accepted by strokes, kept with every revision, counted at the hand-in."""

import gzip
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from annotation.masks.answers import save_answers
from annotation.masks.models import MaskRevision
from annotation.masks.renderers import nifti_of
from annotation.masks.selectors import head_of
from annotation.masks.services import begin, save_message, save_nifti, store_prediction
from annotation.masks.store import load_labels
from annotation.reviews.claims import claim_round
from annotation.reviews.models import ReviewRound
from annotation.reviews.services import return_round, submit_assignment
from annotation.scans.erasing import erase_subject
from annotation.work.models import Assignment, Campaign
from annotation.work.schema import parse_schema
from tests.factories.clients import logged_in
from tests.factories.world import SHAPE, World, first_of, label, publish
from voxloop.kernel.errors import Conflict, Invalid
from voxloop.volume.labelmap import ERASED, MEDIA_TYPE, changed_chunks, decode_message, encode_message

pytestmark = pytest.mark.django_db

FIRST, SECOND, THIRD = [12, 12, 20], [28, 24, 20], [44, 36, 30]


def cubes(*at: list[int]) -> np.ndarray:
    """Cubes of segment 1 round these voxels (i, j, k)."""
    labels = np.zeros(SHAPE, np.uint8)
    for i, j, k in at:
        labels[k - 2 : k + 3, j - 2 : j + 3, i - 2 : i + 3] = 1
    return labels


@pytest.fixture
def row(world: World) -> Assignment:
    """Work that starts from three lesions of a model."""
    found = first_of(publish(world))
    layer = parse_schema(world.campaign.schema.definition).layer("findings")
    store_prediction(
        scan=found.scan, layer=layer, labels_zyx=cubes(FIRST, SECOND, THIRD), model_id=uuid4(), model_name="m1"
    )
    return begin(assignment_id=found.pk, actor=world["annotator"])


def stroke(tool: str, ijk: list[int], of: str | None = None) -> dict[str, Any]:
    params = {"of": of} if of else {"overlay": "prediction"}
    return {"id": str(uuid4()), "tool": tool, "segment": 1, "ijk": ijk, "params": params, "added": 0, "removed": 0}


def head(row: Assignment) -> MaskRevision:
    found = head_of(row.pk, "findings")
    assert found is not None
    return found


def save(world: World, row: Assignment, labels: np.ndarray, *strokes: dict[str, Any]) -> MaskRevision:
    before = head(row)
    changed = changed_chunks(load_labels(before, SHAPE), labels)
    return save_message(
        assignment_id=row.pk,
        layer="findings",
        message=encode_message("findings", SHAPE, changed, strokes),
        if_match=str(before.pk),
        key=uuid4(),
        actor=world["annotator"],
    )[0]


def test_what_was_accepted_goes_on_with_every_save_and_comes_with_the_mask(world: World, row: Assignment) -> None:
    labels = cubes(FIRST, SECOND, THIRD)
    one, two = stroke("accept", FIRST), stroke("accept", SECOND)
    first = save(world, row, labels, one, two)
    assert first.content_hash == MaskRevision.objects.get(pk=first.parent_id).content_hash, "no voxel changed"
    labels[0, 0, 0] = 1
    save(world, row, labels, stroke("undo", SECOND, of=two["id"]))
    assert head(row).accepted == [[one["id"], *FIRST, True], [two["id"], *SECOND, False]]
    answer = logged_in(world, "annotator").get(
        f"/api/v1/assignments/{row.pk}/mask?layer=findings", headers={"Accept": MEDIA_TYPE}
    )
    assert b'"accepted":[["' + one["id"].encode() in raw(answer.content)
    # A save of a whole file knows of no strokes; what was decided before stays decided.
    save_nifti(
        assignment_id=row.pk,
        layer="findings",
        body=nifti_of(head(row), row.scan),
        if_match=str(head(row).pk),
        key=uuid4(),
        actor=world["annotator"],
    )
    assert head(row).accepted[0] == [one["id"], *FIRST, True]


def test_erasing_the_patient_empties_what_was_accepted(world: World, row: Assignment) -> None:
    save(world, row, cubes(FIRST, SECOND, THIRD), stroke("accept", FIRST))
    subject = row.scan.subject
    erase_subject(subject_id=subject.pk, actor=world["admin"], why="asked to", confirmation=subject.pseudonym)
    assert not MaskRevision.objects.filter(scan=row.scan).exclude(accepted=[]).exists()


def raw(message: bytes) -> bytes:
    decode_message(message, SHAPE)
    return gzip.decompress(message)


def submit(world: World, row: Assignment, **more: Any) -> ReviewRound:
    save_answers(assignment_id=row.pk, values={"diagnosis": "covid19", "quality": "good"}, actor=world["annotator"])
    return submit_assignment(
        assignment_id=row.pk, actor=world["annotator"], acknowledged=["mask_outside_lung", "not_seen"], **more
    )


def test_the_hand_in_counts_what_became_of_each_lesion(world: World, row: Assignment) -> None:
    labels = cubes(FIRST, SECOND, THIRD)
    labels[cubes(SECOND) > 0] = ERASED
    labels[2:4, 2:4, 2:4] = 1
    save(world, row, labels, stroke("accept", FIRST), stroke("drop", SECOND))
    found = submit(world, row)
    assert found.masks.get(layer="findings").lesions == {
        "accepted": 1,
        "changed": 0,
        "dropped": 1,
        "left": 1,
        "new": 1,
    }


def refusal(world: World, row: Assignment, *acknowledged: str) -> Any:
    save_answers(assignment_id=row.pk, values={"diagnosis": "covid19", "quality": "good"}, actor=world["annotator"])
    with pytest.raises(Conflict) as refused:
        submit_assignment(
            assignment_id=row.pk, actor=world["annotator"], acknowledged=["mask_outside_lung", *acknowledged]
        )
    assert refused.value.code == "interlocks"
    return refused.value.extra["interlocks"]


def test_undecided_lesions_are_warned_of_and_stand_in_the_risk(world: World, row: Assignment) -> None:
    Campaign.objects.update(proposed_policy="warn")
    save(world, row, cubes(FIRST, SECOND, THIRD), stroke("accept", FIRST))
    (lock,) = refusal(world, row)
    assert (lock["code"], lock["blocking"]) == ("lesions_undecided", False)
    assert lock["message"] == (
        "2 of 3 lesions that the model proposed are undecided (0.6 mL): accept, change or drop each."
    )
    i, j, k = lock["jump"]["ijk"]
    assert cubes(SECOND, THIRD)[k, j, i] == 1, "it leads to an undecided one"
    row.refresh_from_db()
    assert row.state == "open"
    assert not ReviewRound.objects.exists()
    found = submit_assignment(
        assignment_id=row.pk, actor=world["annotator"], acknowledged=["mask_outside_lung", "lesions_undecided"]
    )
    assert any("2 of 3 lesions that the model proposed are undecided" in reason for reason in found.reasons)


def test_where_the_campaign_asks_for_it_each_lesion_is_decided(world: World, row: Assignment) -> None:
    Campaign.objects.update(proposed_policy="block")
    labels = cubes(FIRST, SECOND, THIRD)
    labels[cubes(SECOND) > 0] = ERASED  # dropped
    labels[THIRD[2], THIRD[1], THIRD[0]] = ERASED  # changed by hand
    save(world, row, labels, stroke("drop", SECOND))
    (lock,) = refusal(world, row, "lesions_undecided")
    assert lock["blocking"]
    assert lock["message"].startswith("1 of 3 lesions that the model proposed is undecided (0.3 mL)")
    save(world, row, labels, stroke("accept", FIRST))
    assert submit(world, row).state == "pending"


def test_work_without_a_prediction_counts_none(world: World) -> None:
    Campaign.objects.update(proposed_policy="block")  # it asks nothing where no model proposed anything
    found = first_of(publish(world))
    label(world, found)
    round_ = submit_assignment(
        assignment_id=found.pk, actor=world["annotator"], acknowledged=["mask_outside_lung", "not_seen"]
    )
    assert round_.masks.get(layer="findings").lesions is None


def test_a_question_goes_with_the_hand_in_once_and_is_no_reason_to_return(world: World, row: Assignment) -> None:
    asked = {"id": uuid4(), "text": "Vessel or lesion?", "ijk": FIRST}
    found = submit(world, row, comments=[asked])
    [comment] = found.comments.all()
    assert (comment.pk, comment.text, [comment.i, comment.j, comment.k]) == (asked["id"], "Vessel or lesion?", FIRST)
    assert comment.author == world["annotator"]
    claim_round(round_id=found.pk, actor=world["reviewer"])
    with pytest.raises(Invalid) as refused:
        return_round(round_id=found.pk, actor=world["reviewer"])
    assert refused.value.code == "comment_required"
    return_round(round_id=found.pk, actor=world["reviewer"], comments=[{"text": "A vessel: drop it.", "ijk": FIRST}])
    begin(assignment_id=row.pk, actor=world["annotator"])
    again = submit(world, row, comments=[asked])
    assert (found.comments.count(), again.comments.count()) == (2, 0), "a question that is sent twice is one"
