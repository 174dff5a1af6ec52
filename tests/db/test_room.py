"""Low disk space: large work is refused first, to keep room for saves; then everything that writes."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from annotation.learning.services import request_training, retrain_when_due
from tests.factories.world import World
from voxloop.jobs import room as watched
from voxloop.jobs.models import Job
from voxloop.jobs.running import run
from voxloop.jobs.services import enqueue
from voxloop.kernel import room
from voxloop.kernel.errors import NoSpace

pytestmark = pytest.mark.django_db
MORE_THAN_THERE_IS = 1 << 62


@pytest.fixture
def nearly_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "KEPT_BYTES", MORE_THAN_THERE_IS)
    monkeypatch.setattr(watched, "_found", None)


@pytest.fixture
def full(nearly_full: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "LAST_BYTES", MORE_THAN_THERE_IS)


def logged_in(world: World, name: str) -> Client:
    client = Client()
    client.force_login(world[name])
    return client


def upload(world: World) -> Any:
    body = {"site": "a", "campaign": "chest-ct", "file": SimpleUploadedFile("scan.zip", b"x")}
    return logged_in(world, "datamanager").post("/api/v1/scans/upload", body)


@pytest.mark.fault("the disk is nearly full")
def test_imports_and_trainings_are_refused_and_saves_go_on(world: World, nearly_full: None) -> None:
    answer = upload(world)
    assert (answer.status_code, answer.json()["code"]) == (507, "no_space")
    assert "kept for saves" in answer.json()["detail"]
    with pytest.raises(NoSpace):
        request_training(campaign=world.campaign, actor=world["coordinator"])
    assert retrain_when_due() == 0
    assert not Job.objects.exists()
    saved = logged_in(world, "annotator").patch("/api/v1/me/settings", {"values": {}}, "application/json")
    assert saved.status_code == 200


def test_a_job_that_was_asked_for_before_says_why_it_did_not_start(nearly_full: None) -> None:
    job = enqueue(Job.Kind.IMPORT_SCANS, payload={}, key="one")
    run(job.pk, lambda held: pytest.fail("it was started"))
    job.refresh_from_db()
    assert (job.state, job.error_code) == ("failed", "no_space")


def test_everything_that_writes_is_refused_but_logging_in(world: World, full: None) -> None:
    client = logged_in(world, "annotator")
    answer = client.patch("/api/v1/me/settings", {"values": {}}, "application/json")
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (507, "no_space", "30")
    page = client.post("/people/me/theme/", {"theme": "dark"})
    assert (page.status_code, page["Content-Type"]) == (507, "text/html; charset=utf-8")
    assert client.get("/worklist/").status_code == 200
    assert Client().post("/accounts/login/", {"login": "nobody", "password": "wrong"}).status_code == 200
