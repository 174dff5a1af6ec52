"""Many people at once, full disks, paused campaigns and withdrawn scans, on a real PostgreSQL."""

import gc
import json
import resource
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.test import Client

from annotation.intake.services import receive_upload
from annotation.masks.models import MaskRevision
from annotation.masks.selectors import head_of
from annotation.masks.services import begin, save_message
from annotation.reviews.claims import claim_round
from annotation.reviews.services import submit_assignment
from annotation.scans.services import withdraw_scan
from annotation.work.batches import close_batch
from annotation.work.models import Assignment, Campaign
from annotation.work.services import claim_assignment
from tests.factories.world import (
    World,
    add_role,
    first_of,
    invite_readers,
    label,
    make_scan,
    mask_message,
    publish,
)
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.jobs.models import Job
from voxloop.kernel.errors import Conflict, NoSpace, NotFound
from voxloop.project.problems import problem
from voxloop.volume.labelmap import MEDIA_TYPE

BACKEND = "django.contrib.auth.backends.ModelBackend"
SMALL = (8, 40, 40)
SAVES = 5


def logged_in(world: World, name: str) -> Client:
    client = Client()
    client.force_login(world[name], backend=BACKEND)
    return client


def save_often(gate: threading.Barrier, person: User, assignment: Assignment) -> list[str]:
    """Save the same voxels as everybody else, so that all write the same chunks; returns the acknowledged ids."""
    shape, head, done = tuple(assignment.scan.shape_zyx), "empty", []
    gate.wait(timeout=30)
    for turn in range(SAVES):
        try:
            revision, _ = save_message(
                assignment_id=assignment.pk,
                layer="findings",
                if_match=head,
                key=uuid4(),
                actor=person,
                message=mask_message(shape, segment=1 + turn % 3, radius=3 + turn),
            )
        except (Conflict, NotFound):  # the batch was closed under it
            break
        head = str(revision.pk)
        done.append(head)
    return done


@pytest.mark.django_db(transaction=True)
@pytest.mark.fault("eight save while a batch is closed and others claim")
def test_eight_save_while_a_batch_is_closed_and_others_claim(live_world: World) -> None:
    """No deadlock; every acknowledged save is stored and in order."""
    world = live_world
    for seed in range(100, 116):
        make_scan(world, "a", seed=seed, shape_zyx=SMALL)
    people = invite_readers(world, 12)
    savers, claimers = people[:8], people[8:]
    batch = publish(world, to=None, size=12)
    publish(world, to=None, size=8)
    held = [claim_assignment(actor=person) for person in savers]
    assert len({one.scan_id for one in held if one}) == 8
    gate = threading.Barrier(13)

    def claim(person: User, _: Any) -> list[str]:
        gate.wait(timeout=30)
        return [str(found.pk) for _ in range(3) if (found := claim_assignment(actor=person)) is not None]

    def close(_person: Any, _: Any) -> list[str]:
        gate.wait(timeout=30)
        close_batch(batch_id=batch.pk, actor=world["coordinator"])
        return []

    def closing(act: Any, person: Any, thing: Any) -> list[str]:
        try:
            found: list[str] = act(person, thing)
            return found
        finally:
            connection.close()

    work: list[tuple[Any, Any, Any]] = [
        (partial(save_often, gate), person, one) for person, one in zip(savers, held, strict=True)
    ]
    work += [(claim, person, None) for person in claimers] + [(close, None, None)]
    with ThreadPoolExecutor(13) as threads:
        got = [done.result(timeout=120) for done in [threads.submit(closing, *one) for one in work]]

    acknowledged = [revision for done in got[:8] for revision in done]
    assert {str(pk) for pk in MaskRevision.objects.values_list("pk", flat=True)} == set(acknowledged)
    for assignment, done in zip(held, got[:8], strict=True):
        assert assignment is not None
        head = head_of(assignment.pk, "findings")
        assert (str(head.pk) if head else None) == (done[-1] if done else None)
    claimed = [pk for done in got[8:] for pk in done]
    assert len(claimed) == len(set(claimed))
    batch.refresh_from_db()
    assert batch.state == "closed"
    assert set(batch.assignments.values_list("state", flat=True)) == {"reclaimed"}


@contextmanager
def files_at_most(size: int) -> Iterator[None]:
    """Limit the file size of this process, so that writing fails as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.django_db
@pytest.mark.fault("the disk is full under an upload")
def test_an_upload_that_does_not_fit_is_507_and_leaves_nothing(world: World, settings: Any) -> None:
    data = bytes(3 << 20)
    with files_at_most(1 << 20), pytest.raises(NoSpace):
        receive_upload(
            upload=SimpleUploadedFile("scan.zip", data),
            site=world.sites["a"],
            campaign=world.campaign,
            actor=world["datamanager"],
        )
    client = logged_in(world, "datamanager")
    form = {"site": "a", "campaign": world.campaign.slug, "file": SimpleUploadedFile("scan.zip", data)}
    with files_at_most(1 << 20), warnings.catch_warnings():
        # Django leaves its half-written file to the garbage collector, which closes and deletes it.
        warnings.simplefilter("ignore", ResourceWarning)
        answer = client.post("/api/v1/scans/upload", form)
        gc.collect()
    assert (answer.status_code, answer.json()["code"]) == (507, "no_space")
    assert not Job.objects.exists()
    assert [path for path in Path(settings.STATE_DIR).rglob("*upload*") if path.is_file()] == []
    answer = client.post("/api/v1/scans/upload", {**form, "file": SimpleUploadedFile("scan.zip", data)})
    assert answer.status_code == 202


@pytest.mark.fault("the database says that its disk is full")
def test_a_full_disk_of_the_database_is_507() -> None:
    error = OperationalError("could not extend file")
    error.__cause__ = psycopg.errors.DiskFull("could not extend file")
    answer = problem(error, {})
    assert answer is not None
    assert (answer.status_code, json.loads(answer.content)["code"]) == (507, "no_space")
    away = problem(OperationalError("the server closed the connection"), {})
    assert away is not None
    assert (away.status_code, json.loads(away.content)["code"]) == (503, "database_away")


@pytest.mark.django_db
def test_a_paused_campaign_gives_no_work_and_loses_none(world: World) -> None:
    batch = publish(world, size=2)
    started, waiting = batch.assignments.order_by("position")
    begin(assignment_id=started.pk, actor=world["annotator"])
    Campaign.objects.update(is_paused=True)
    client = logged_in(world, "annotator")
    answer = client.post(f"/api/v1/assignments/{waiting.pk}/open")
    assert (answer.status_code, answer.json()["code"]) == (409, "paused")
    assert client.post("/api/v1/assignments/claim", {}, "application/json").status_code == 204
    # Drawn strokes are still saved: a pause must not lose them.
    saved = client.put(
        f"/api/v1/assignments/{started.pk}/mask",
        mask_message(),
        MEDIA_TYPE,
        HTTP_IF_MATCH='"empty"',
        HTTP_IDEMPOTENCY_KEY=str(uuid4()),
    )
    assert saved.status_code == 201
    Campaign.objects.update(is_paused=False)
    assert client.post(f"/api/v1/assignments/{waiting.pk}/open").status_code == 200


@pytest.mark.django_db
def test_a_withdrawn_scan_is_served_to_nobody_and_open_work_says_so(world: World) -> None:
    assignment = first_of(publish(world))
    label(world, assignment)
    revision = head_of(assignment.pk, "findings")
    assert revision is not None
    withdraw_scan(scan_id=assignment.scan_id, actor=world["admin"], why="consent taken back")
    for person in ("annotator", "coordinator", "datamanager", "admin"):
        client = logged_in(world, person)
        volume = f"/api/v1/scans/{assignment.scan_id}/volume"
        for path in (
            volume,
            f"{volume}/pack",
            f"{volume}/preview",
            f"/api/v1/assignments/{assignment.pk}/mask",
            f"/api/v1/revisions/{revision.pk}/mask",
        ):
            answer = client.get(path)
            expected = (410, '"cache"') if path.startswith(volume) else (404, None)
            assert (answer.status_code, answer.headers.get("Clear-Site-Data")) == expected, f"{person} {path}"
    client = logged_in(world, "annotator")
    assert client.get(f"/api/v1/assignments/{assignment.pk}/").json()["can"]["edit"] is False
    own = f"/api/v1/assignments/{assignment.pk}"
    asked = [
        client.put(
            f"{own}/mask",
            mask_message(radius=4),
            MEDIA_TYPE,
            HTTP_IF_MATCH=f'"{revision.pk}"',
            HTTP_IDEMPOTENCY_KEY=str(uuid4()),
        ),
        client.put(f"{own}/answers", json.dumps({"values": {"quality": "good"}}), "application/json"),
        client.post(f"{own}/submit", {}, "application/json"),
        client.post(f"{own}/beat", {"active_seconds": 5}, "application/json"),
        client.post(f"{own}/open"),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in asked] == [(409, "scan_withdrawn")] * 5
    page = client.get(f"/view/{assignment.pk}/")
    assert page.status_code == 409
    assert "was withdrawn" in page.content.decode()
    assert MaskRevision.objects.count() == 1  # existing results stay, for the log


@pytest.mark.django_db
def test_a_withdrawn_scan_is_not_claimed_nor_judged(world: World) -> None:
    batch = publish(world, size=2)
    first, second = batch.assignments.order_by("position")
    label(world, first)
    round_ = submit_assignment(assignment_id=first.pk, actor=world["annotator"], acknowledged=["mask_outside_lung"])
    for one in (first, second):
        withdraw_scan(scan_id=one.scan_id, actor=world["admin"], why="consent taken back")
    assert claim_assignment(actor=world["annotator"]) is None
    add_role(world, "reviewer2", Role.REVIEWER)
    with pytest.raises(Conflict, match="withdrawn"):
        claim_round(round_id=round_.pk, actor=world["reviewer2"])
    client = logged_in(world, "reviewer2")
    assert client.post("/api/v1/assignments/claim", {"stage": "review"}, "application/json").status_code == 204
    assert client.get(f"/reviews/{round_.pk}/author.png").status_code == 404
