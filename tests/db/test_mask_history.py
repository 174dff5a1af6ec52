"""The line of revisions behind a mask, and who set a voxel."""

from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.test import Client

from annotation.masks.history import find_setter, list_revisions
from annotation.masks.models import MaskRevision
from annotation.masks.selectors import head_of, schema_of
from annotation.masks.services import begin, save_message, store_prediction
from annotation.masks.store import load_labels
from annotation.work.models import Assignment
from tests.factories.world import SHAPE, World, ball, first_of, publish
from voxloop.kernel.errors import Invalid
from voxloop.kernel.ids import new_id
from voxloop.volume.labelmap import ERASED, changed_chunks, encode_message

pytestmark = pytest.mark.django_db


@pytest.fixture
def assignment(world: World) -> Assignment:
    """Work that starts from a model's ball of segment 2."""
    found = first_of(publish(world))
    layer = schema_of(found).layer("findings")
    store_prediction(
        scan=found.scan, layer=layer, labels_zyx=ball().astype(np.uint8) * 2, model_id=new_id(), model_name="m1"
    )
    return begin(assignment_id=found.pk, actor=world["annotator"])


def save(world: World, assignment: Assignment, labels: Any, *strokes: dict[str, Any]) -> MaskRevision:
    head = head_of(assignment.pk, "findings")
    assert head is not None
    message = encode_message("findings", SHAPE, changed_chunks(load_labels(head, SHAPE), labels), list(strokes))
    return save_message(
        assignment_id=assignment.pk,
        layer="findings",
        message=message,
        if_match=str(head.pk),
        key=uuid4(),
        actor=world["annotator"],
    )[0]


def stroke(tool: str, segment: int, added: int = 0, removed: int = 0) -> dict[str, Any]:
    return {"id": str(uuid4()), "tool": tool, "segment": segment, "added": added, "removed": removed, "at": "2026"}


def test_the_line_says_who_and_how_much(world: World, assignment: Assignment) -> None:
    labels = ball().astype(np.uint8) * 2
    labels[0, 0, :10] = 1
    save(world, assignment, labels, stroke("sphere", 1, 4), stroke("sphere", 1, 6))
    labels[labels == 2] = 0
    save(world, assignment, labels, stroke("clear", 2, removed=5))
    newest, drawn, start = list_revisions(head_of(assignment.pk, "findings"))
    voxels = int(ball().sum())
    assert (newest.author, newest.tools, newest.change) == ("annotator", {"clear": 1}, {"2": -voxels})
    assert (drawn.tools, drawn.change, drawn.counts) == ({"sphere": 2}, {"1": 10}, {"1": 10, "2": voxels})
    assert (start.author, start.model, start.change) == (None, "m1", {"2": voxels})
    assert list_revisions(None) == []


def test_every_voxel_names_who_set_it(world: World, assignment: Assignment) -> None:
    """Compared with a reference array: the last revision in which each voxel got its value."""
    rng = np.random.default_rng(7)
    head = head_of(assignment.pk, "findings")
    assert head is not None
    labels = load_labels(head, SHAPE)
    setter = np.where(labels > 0, 0, -1)
    revisions = [head]
    for _ in range(6):
        before = labels.copy()
        z, y, x = (int(rng.integers(0, size - 8)) for size in SHAPE)
        labels[z : z + 8, y : y + 8, x : x + 8] = rng.choice([0, 1, 2, 3, ERASED])
        if (before == labels).all():
            continue
        revisions.append(save(world, assignment, labels, stroke("sphere", 1, 1)))
        setter[before != labels] = len(revisions) - 1
    head = revisions[-1]
    for _ in range(150):
        k, j, i = (int(rng.integers(0, size)) for size in SHAPE)
        found = find_setter(head, (i, j, k), assignment.scan)
        assert found.value == labels[k, j, i]
        expected = None if setter[k, j, i] < 0 else revisions[setter[k, j, i]].pk
        assert (found.revision and found.revision.id) == expected


def test_of_several_strokes_those_that_fit_are_named(world: World, assignment: Assignment) -> None:
    labels = ball().astype(np.uint8) * 2
    labels[0, 0, 0], labels[0, 0, 1] = 1, 3
    save(world, assignment, labels, stroke("grow", 1, 1), stroke("sphere", 3, 1), stroke("erase", 0, removed=1))
    found = find_setter(head_of(assignment.pk, "findings"), (1, 0, 0), assignment.scan)
    assert [one.tool for one in found.strokes] == ["sphere"]
    with pytest.raises(Invalid):
        find_setter(None, (SHAPE[2], 0, 0), assignment.scan)


def test_an_undo_gives_a_voxel_back_to_who_had_set_it(world: World, assignment: Assignment) -> None:
    middle = (SHAPE[2] // 2, SHAPE[1] // 2, SHAPE[0] // 2)
    model = ball().astype(np.uint8) * 2
    erase, grow = stroke("erase", 0, removed=int(ball().sum())), stroke("grow", 1, added=9)
    undo = stroke("undo", 0, added=erase["removed"]) | {"params": {"of": erase["id"]}}
    drawn = np.where(ball(), ERASED, 0).astype(np.uint8)
    erased = save(world, assignment, drawn, erase)
    by_hand = find_setter(head_of(assignment.pk, "findings"), middle, assignment.scan)
    assert by_hand.revision is not None
    assert by_hand.revision.id == erased.pk
    # The undo is saved together with a stroke elsewhere, which is the annotator's.
    model[0, 0, :9] = 1
    mixed = save(world, assignment, model, undo, grow)
    head = head_of(assignment.pk, "findings")
    given_back, new = (find_setter(head, ijk, assignment.scan) for ijk in (middle, (0, 0, 0)))
    assert (given_back.value, given_back.revision and given_back.revision.model) == (2, "m1")
    assert (new.value, new.revision and new.revision.id) == (1, mixed.pk)
    assert "grow" in [one.tool for one in new.strokes]
    # What an undo takes away again was never set.
    taken = stroke("undo", 1, removed=9) | {"params": {"of": grow["id"]}}
    save(world, assignment, ball().astype(np.uint8) * 2, taken)
    assert find_setter(head_of(assignment.pk, "findings"), (0, 0, 0), assignment.scan).revision is None


def test_over_http(world: World, assignment: Assignment) -> None:
    client = Client()
    client.force_login(world["annotator"], backend="django.contrib.auth.backends.ModelBackend")
    base = f"/api/v1/assignments/{assignment.pk}"
    assert [row["model"] for row in client.get(f"{base}/history").json()["revisions"]] == ["m1"]
    i, j, k = SHAPE[2] // 2, SHAPE[1] // 2, SHAPE[0] // 2
    assert client.get(f"{base}/voxel?ijk={i},{j},{k}").json()["revision"]["model"] == "m1"
    assert client.get(f"{base}/voxel?ijk=0,0,0").json() == {"value": 0, "revision": None, "strokes": []}
    for wrong in ("", "1,2", "1,2,x", "-1,0,0", "999999,0,0", "١,2,3"):
        assert client.get(f"{base}/voxel", {"ijk": wrong}).status_code == 422
