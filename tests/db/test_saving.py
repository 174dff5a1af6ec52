"""Saving masks: nothing lost, nothing twice, nothing in place."""

import gzip
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import nibabel
import numpy as np
import pytest
from django.db import DatabaseError, connection, transaction

from annotation.masks.models import MaskChunk, MaskRevision
from annotation.masks.nifti import geometry_of, read_nifti_labels
from annotation.masks.renderers import nifti_of
from annotation.masks.selectors import head_of
from annotation.masks.services import begin, save_message, save_nifti
from annotation.masks.states import EMPTY
from annotation.masks.store import hash_of, load_labels
from annotation.reviews.services import submit_assignment
from annotation.work.models import Assignment
from tests.factories.world import SHAPE, World, ball, first_of, label, mask_message, publish
from voxloop.kernel.errors import Conflict, Invalid, PreconditionRequired, Stale
from voxloop.volume.labelmap import ERASED, encode_message, split_labelmap


@pytest.fixture
def opened(world: World) -> Assignment:
    return begin(assignment_id=first_of(publish(world)).pk, actor=world["annotator"])


def save(world: World, assignment: Assignment, labels: np.ndarray, head: str, **fields: Any) -> MaskRevision:
    message = encode_message("findings", SHAPE, split_labelmap(labels))
    return send(world, assignment, message, head, **fields)


def send(world: World, assignment: Assignment, message: bytes, head: str, **fields: Any) -> MaskRevision:
    arguments: dict[str, Any] = {"layer": "findings", "key": uuid4(), "actor": world["annotator"], **fields}
    return save_message(assignment_id=assignment.pk, message=message, if_match=head, **arguments)[0]


@pytest.mark.django_db
def test_what_is_saved_is_what_is_loaded(world: World, opened: Assignment) -> None:
    labels = ball().astype(np.uint8)
    labels[:3] = 2
    labels[5, 5, 5] = ERASED
    revision = save(world, opened, labels, "empty")
    assert (load_labels(revision, SHAPE) == labels).all()
    assert revision.voxel_counts == {"1": int((labels == 1).sum()), "2": int((labels == 2).sum())}
    assert revision.content_hash == hash_of(revision.chunks, SHAPE)


@pytest.mark.django_db
def test_only_changed_chunks_travel(world: World, opened: Assignment) -> None:
    first = save(world, opened, ball().astype(np.uint8), "empty")
    corner = np.zeros(SHAPE, np.uint8)
    corner[:2, :2, :2] = 3
    changed = {(0, 0, 0): split_labelmap(np.where(corner > 0, corner, ball().astype(np.uint8)))[(0, 0, 0)]}
    message = encode_message("findings", SHAPE, changed)
    second = send(world, opened, message, str(first.pk))
    assert (load_labels(second, SHAPE) == np.where(corner > 0, corner, ball())).all()
    assert second.parent == first
    assert second.voxel_counts["3"] == 8
    assert (load_labels(first, SHAPE) == ball()).all()


@pytest.mark.django_db
def test_an_emptied_chunk_is_gone(world: World, opened: Assignment) -> None:
    first = save(world, opened, ball().astype(np.uint8), "empty")
    message = encode_message("findings", SHAPE, dict.fromkeys(split_labelmap(ball().view(np.uint8)), b"\x01\x00"))
    second = send(world, opened, message, str(first.pk))
    assert second.chunks == {}
    assert second.voxel_counts == {}


@pytest.mark.django_db
def test_a_stale_save_is_refused_and_loses_nothing(world: World, opened: Assignment) -> None:
    first = save(world, opened, ball().astype(np.uint8), "empty")
    with pytest.raises(Stale) as refused:
        save(world, opened, ball(radius=5).astype(np.uint8), "empty")
    head: Any = refused.value.extra["head"]
    assert head["revision"] == first.pk
    assert head_of(opened.pk, "findings") == first
    assert MaskRevision.objects.filter(assignment=opened).count() == 1


@pytest.mark.django_db
def test_the_same_key_twice_is_one_revision(world: World, opened: Assignment) -> None:
    key = uuid4()
    first = save(world, opened, ball().astype(np.uint8), "empty", key=key)
    again = save(world, opened, ball().astype(np.uint8), "empty", key=key)
    assert first == again
    assert MaskRevision.objects.filter(assignment=opened).count() == 1


@pytest.mark.django_db
def test_conditions_are_demanded(world: World, opened: Assignment) -> None:
    for missing in ({"if_match": None, "key": uuid4()}, {"if_match": "empty", "key": None}):
        with pytest.raises(PreconditionRequired):
            save_message(
                assignment_id=opened.pk, layer="findings", message=mask_message(), actor=world["annotator"], **missing
            )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"", "bad_mask"),
        (b"not a mask", "bad_mask"),
        (mask_message(segment=77), "bad_mask"),
        (mask_message((8, 8, 8), radius=2), "bad_mask"),
    ],
)
def test_bad_messages_leave_nothing(world: World, opened: Assignment, message: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        save_message(
            assignment_id=opened.pk,
            layer="findings",
            message=message,
            if_match="empty",
            key=uuid4(),
            actor=world["annotator"],
        )
    assert refused.value.code == code
    assert MaskRevision.objects.count() == 0
    assert MaskChunk.objects.count() == 0


@pytest.mark.django_db
def test_handed_in_work_is_read_only(world: World) -> None:
    assignment = first_of(publish(world))
    label(world, assignment)
    head = head_of(assignment.pk, "findings")
    submit_assignment(assignment_id=assignment.pk, actor=world["annotator"])
    with pytest.raises(Conflict) as refused:
        save(world, assignment, ball(radius=4).astype(np.uint8), str(head and head.pk))
    assert refused.value.code == "not_editable"


@pytest.mark.django_db
def test_revisions_are_never_edited(world: World, opened: Assignment) -> None:
    revision = save(world, opened, ball().astype(np.uint8), "empty")
    changes: tuple[Callable[[], object], ...] = (
        lambda: MaskRevision.objects.filter(pk=revision.pk).update(kind="import"),
        lambda: MaskRevision.objects.filter(pk=revision.pk)._raw_delete("default"),
        lambda: MaskChunk.objects.update(data=b""),
    )
    for change in changes:
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()


@pytest.mark.django_db
def test_a_nifti_keeps_what_was_erased(world: World, opened: Assignment) -> None:

    labels = ball().astype(np.uint8)
    labels[0, 0, 0] = ERASED
    first = save(world, opened, labels, "empty")
    body = nifti_of(first, opened.scan)
    second, _ = save_nifti(
        assignment_id=opened.pk,
        layer="findings",
        body=body,
        if_match=str(first.pk),
        key=uuid4(),
        actor=world["annotator"],
    )
    assert (load_labels(second, SHAPE) == labels).all()


@pytest.mark.django_db(transaction=True)
@pytest.mark.fault("two save at once")
def test_two_savers_at_once_never_overwrite_each_other(live_world: World) -> None:
    world = live_world
    assignment = begin(assignment_id=first_of(publish(world)).pk, actor=world["annotator"])
    gate = threading.Barrier(4)

    def attempt(radius: int) -> str:
        try:
            gate.wait(timeout=20)
            return str(save(world, assignment, ball(radius=radius).astype(np.uint8), "empty").pk)
        except Stale:
            return "stale"
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        got = list(threads.map(attempt, [4, 5, 6, 7]))
    assert sorted(answer == "stale" for answer in got) == [False, True, True, True]
    assert MaskRevision.objects.filter(assignment=assignment).count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("order", ["RAS", "LAS", "SPL"])
def test_a_nifti_in_another_order_of_axes_is_the_same_mask(world: World, opened: Assignment, order: str) -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[3, 5:20, 7:30] = 1
    image = nibabel.Nifti1Image(labels.transpose(2, 1, 0), geometry_of(opened.scan).ras_from_ijk())
    start = nibabel.orientations.io_orientation(image.affine)
    turn = nibabel.orientations.ornt_transform(start, nibabel.orientations.axcodes2ornt(order))
    body = gzip.compress(image.as_reoriented(turn).to_bytes())
    revision, _ = save_nifti(
        assignment_id=opened.pk, layer="findings", body=body, if_match=EMPTY, key=uuid4(), actor=world["annotator"]
    )
    assert np.array_equal(load_labels(revision, SHAPE), labels)
    moved = nibabel.Nifti1Image(image.get_fdata().astype(np.uint8), image.affine + np.eye(4, k=3) * 0.5)
    with pytest.raises(Invalid, match="another grid") as refused:
        read_nifti_labels(gzip.compress(moved.to_bytes()), geometry_of(opened.scan))
    assert refused.value.code == "bad_mask"
