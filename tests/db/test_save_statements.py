"""Saves with few SQL statements: permissions, counts, and concurrent changes between them."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from annotation.masks.models import MaskChunk, MaskRevision
from annotation.masks.saving import hold
from annotation.masks.services import begin, save_message
from annotation.masks.store import hash_of, load_labels
from annotation.scans.models import Scan
from annotation.scans.services import set_site_membership
from annotation.work.models import Assignment, Batch
from annotation.work.selectors import visible_assignments
from annotation.work.services import reclaim_assignment
from tests.factories.world import SHAPE, World, ball, first_of, mask_message, publish
from voxloop.audit.models import AuditEntry
from voxloop.audit.verify import verify
from voxloop.kernel.errors import Conflict, Refusal
from voxloop.volume.labelmap import ERASED, MEDIA_TYPE, encode_message, split_labelmap

MOST_STATEMENTS = 8  # of a whole request, including session and person, without the test's savepoint


def opened(world: World) -> Assignment:
    return begin(assignment_id=first_of(publish(world)).pk, actor=world["annotator"])


def save(world: World, assignment: Assignment, labels: Any, head: str, key: UUID | None = None) -> MaskRevision:
    message = encode_message("findings", SHAPE, split_labelmap(labels))
    return save_message(
        assignment_id=assignment.pk,
        layer="findings",
        message=message,
        if_match=head,
        key=key or uuid4(),
        actor=world["annotator"],
    )[0]


def put(client: Client, assignment: Assignment, message: bytes, head: str) -> Any:
    return client.put(
        f"/api/v1/assignments/{assignment.pk}/mask?layer=findings",
        message,
        content_type=MEDIA_TYPE,
        headers={"If-Match": f'"{head}"', "Idempotency-Key": str(uuid4())},
    )


@pytest.mark.django_db
def test_a_save_asks_the_database_little(world: World) -> None:
    assignment, client = opened(world), Client()
    client.force_login(world["annotator"], backend="django.contrib.auth.backends.ModelBackend")
    first = put(client, assignment, mask_message(), "empty").json()["revision"]
    with CaptureQueriesContext(connection) as asked:
        answer = put(client, assignment, mask_message(segment=2, radius=6), first)
    assert answer.status_code == 201
    told = [query["sql"] for query in asked if "SAVEPOINT" not in query["sql"]]
    assert len(told) <= MOST_STATEMENTS, told


@pytest.mark.django_db
def test_who_may_save_is_who_may_see_and_holds_it(world: World) -> None:
    assignment = opened(world)
    batch, site = assignment.batch_id, assignment.scan.site

    def held_by() -> set[str]:
        found = {name for name in world.people if hold(assignment.pk, "findings", uuid4(), world[name])}
        seen = {
            name
            for name in world.people
            if visible_assignments(world[name]).filter(pk=assignment.pk, person=world[name]).exists()
        }
        assert found == seen
        return found

    assert held_by() == {"annotator"}
    Batch.objects.filter(pk=batch).update(state="draft")
    assert held_by() == set()
    Batch.objects.filter(pk=batch).update(state="in_progress")
    set_site_membership(user=world["annotator"], site=site, is_member=False, actor=world["admin"])
    assert held_by() == set()
    set_site_membership(user=world["annotator"], site=site, is_member=True, actor=world["admin"])
    Assignment.objects.filter(pk=assignment.pk).update(person=world["admin"])
    assert held_by() == {"admin"}
    Assignment.objects.filter(pk=assignment.pk).update(person=world["annotator"], state="reclaimed")
    assert held_by() == set()


@pytest.mark.django_db
def test_counts_and_hash_are_those_of_the_voxels(world: World) -> None:
    assignment = opened(world)
    random = np.random.default_rng(4)
    labels, head = np.zeros(SHAPE, np.uint8), "empty"
    for stroke in range(6):
        z, y, x = (int(random.integers(0, n - 12)) for n in SHAPE)
        labels[z : z + 12, y : y + 12, x : x + 12] = [1, 2, 3, 0, ERASED, 2][stroke]
        message = encode_message("findings", SHAPE, {**dict.fromkeys(ALL, b"\x01\x00"), **split_labelmap(labels)})
        revision, _ = save_message(
            assignment_id=assignment.pk,
            layer="findings",
            message=message,
            if_match=head,
            key=uuid4(),
            actor=world["annotator"],
        )
        head = str(revision.pk)
        stored = MaskRevision.objects.get(pk=revision.pk)
        assert (load_labels(stored, SHAPE) == labels).all()
        assert stored.chunks == revision.chunks
        values, counts = np.unique(labels[(labels > 0) & (labels != ERASED)], return_counts=True)
        assert stored.voxel_counts == {str(v): int(n) for v, n in zip(values, counts, strict=True)}
        assert stored.content_hash == hash_of(stored.chunks, SHAPE)
        if stroke == 2:
            # As stored by older versions: without counts.
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL session_replication_role = replica")
                cursor.execute("UPDATE masks_maskchunk SET counts = NULL")
                cursor.execute("SET LOCAL session_replication_role = DEFAULT")


ALL = [(z, y, x) for z in range(2) for y in range(2) for x in range(2)]


@pytest.mark.django_db
def test_a_save_that_changes_nothing_is_a_revision(world: World) -> None:
    assignment = opened(world)
    revision = save(world, assignment, np.zeros(SHAPE, np.uint8), "empty")
    assert (revision.chunks, revision.voxel_counts, MaskChunk.objects.count()) == ({}, {}, 0)


@pytest.mark.django_db
def test_a_save_is_written_down_or_undone_with_it(world: World) -> None:
    assignment = opened(world)
    with transaction.atomic():
        save(world, assignment, ball().astype(np.uint8), "empty")
        transaction.set_rollback(True)
    assert not AuditEntry.objects.filter(action="mask.saved").exists()
    assert (MaskRevision.objects.count(), MaskChunk.objects.count(), assignment.heads.count()) == (0, 0, 0)
    revision = save(world, assignment, ball().astype(np.uint8), "empty")
    entry = AuditEntry.objects.get(action="mask.saved")
    assert (entry.object_id, entry.actor, entry.old) == (str(revision.pk), world["annotator"], None)
    assert entry.new == {
        "scan": assignment.scan.code,
        "layer": "findings",
        "strokes": 0,
        "hash": revision.content_hash,
    }
    assert verify()[1] is None
    before = assignment.lease_until
    assignment.refresh_from_db()
    assert assignment.touched_at == revision.created_at
    assert before is not None
    assert assignment.lease_until is not None
    assert assignment.lease_until > before


@pytest.mark.django_db(transaction=True)
@pytest.mark.fault("a save and its retry at the same moment")
def test_a_retry_at_the_same_moment_is_one_revision(live_world: World) -> None:
    world = live_world
    assignment, key, gate = opened(world), uuid4(), threading.Barrier(4)

    def attempt(_: int) -> str:
        try:
            gate.wait(timeout=20)
            return str(save(world, assignment, ball().astype(np.uint8), "empty", key).pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        got = set(threads.map(attempt, range(4)))
    assert len(got) == 1
    assert MaskRevision.objects.count() == 1


def _reclaim(world: World, assignment: Assignment) -> None:
    reclaim_assignment(assignment_id=assignment.pk, actor=world["coordinator"], why="needed elsewhere")


def _withdraw(world: World, assignment: Assignment) -> None:
    Assignment.objects.select_for_update().get(pk=assignment.pk)
    Scan.objects.filter(pk=assignment.scan_id).update(state="withdrawn")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("between", "code"), [(_reclaim, "lease_lost"), (_withdraw, "scan_withdrawn")])
def test_what_happens_while_a_save_waits_counts(
    live_world: World, between: Callable[[World, Assignment], None], code: str
) -> None:
    world = live_world
    assignment = opened(world)

    def attempt() -> str:
        try:
            return str(save(world, assignment, ball().astype(np.uint8), "empty").pk)
        except Refusal as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        with transaction.atomic():
            between(world, assignment)
            got = thread.submit(attempt)
            with pytest.raises(TimeoutError):
                got.result(timeout=0.5)
        assert got.result(timeout=20) == code
    assert MaskRevision.objects.count() == 0


@pytest.mark.django_db
def test_a_log_in_that_has_ended_saves_no_more(world: World) -> None:
    assignment, client, other = opened(world), Client(), Client()
    backend = "django.contrib.auth.backends.ModelBackend"
    client.force_login(world["annotator"], backend=backend)
    head = put(client, assignment, mask_message(), "empty").json()["revision"]
    other.cookies["sessionid"] = client.cookies["sessionid"].value
    client.logout()
    assert put(other, assignment, mask_message(radius=5), head).status_code in (401, 403)
    other.force_login(world["annotator"], backend=backend)
    world["annotator"].is_active = False
    world["annotator"].save()
    assert put(other, assignment, mask_message(radius=5), head).status_code in (401, 403)
    assert MaskRevision.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("layer", ["no_such", "anatomy%00", "a" * 200, "%ff", "'; --"])
def test_a_layer_that_is_not_there_is_refused(world: World, layer: str) -> None:
    assignment, client = opened(world), Client()
    client.force_login(world["annotator"], backend="django.contrib.auth.backends.ModelBackend")
    answer = client.put(
        f"/api/v1/assignments/{assignment.pk}/mask?layer={layer}",
        mask_message(),
        content_type=MEDIA_TYPE,
        headers={"If-Match": '"empty"', "Idempotency-Key": str(uuid4())},
    )
    assert 400 <= answer.status_code < 500, answer.content
    assert answer.json()["code"]


@pytest.mark.django_db
def test_a_layer_to_look_at_is_not_drawn_on(world: World) -> None:
    assignment = opened(world)
    with pytest.raises(Conflict) as refused:
        save_message(
            assignment_id=assignment.pk,
            layer="anatomy",
            message=mask_message(),
            if_match="empty",
            key=uuid4(),
            actor=world["annotator"],
        )
    assert refused.value.code == "not_editable"
