"""The tables of batches and jobs: searched, sorted, exported, all by the address."""

import csv
from datetime import timedelta

import pytest
from django.test import Client

from annotation.work.pausing import pause_batch
from tests.factories.world import World, label, publish
from voxloop.jobs.models import Job
from voxloop.kernel.clock import now

pytestmark = pytest.mark.django_db
BATCHES, BATCHES_CSV = "/campaigns/chest-ct/batches/", "/campaigns/chest-ct/batches.csv"


def client_of(world: World, name: str) -> Client:
    client = Client()
    client.force_login(world[name], backend="django.contrib.auth.backends.ModelBackend")
    return client


def names(client: Client, **wanted: str) -> list[str]:
    return [card.batch.name for card in client.get(BATCHES, {"view": "table", **wanted}).context["shown"]]


def kinds(client: Client, **wanted: str) -> list[str]:
    return [job.kind for job in client.get("/jobs/", wanted).context["page"]]


@pytest.fixture
def client(world: World) -> Client:
    first, second = publish(world, size=1), publish(world, to=None, size=3)
    publish(world, to="annotator2", size=2)
    label(world, first.assignments.get())
    pause_batch(batch_id=second.pk, actor=world["coordinator"], why="=SUM(1;2)")
    return client_of(world, "coordinator")


def test_batches_are_searched_and_sorted(client: Client) -> None:
    assert names(client) == ["B-003", "B-002", "B-001"]
    assert names(client, sort="batch") == ["B-001", "B-002", "B-003"]
    assert names(client, sort="scans") == ["B-001", "B-003", "B-002"]
    assert names(client, sort="-scans") == ["B-002", "B-003", "B-001"]
    # Without a person it comes last either way.
    assert names(client, sort="person") == ["B-001", "B-003", "B-002"]
    assert names(client, sort="-person") == ["B-003", "B-001", "B-002"]
    assert names(client, sort="no such; drop") == ["B-003", "B-002", "B-001"]
    assert names(client, q="ANNOTATOR2") == ["B-003"]
    assert names(client, q="in progress") == ["B-001"]
    assert names(client, q="paused") == ["B-002"]
    page = client.get(BATCHES, {"view": "table", "q": "nothing like it", "sort": "-due"}).content.decode()
    assert "No batch matches" in page
    assert '<input type="hidden" name="sort" value="-due">' in page
    head = client.get(BATCHES, {"view": "table", "sort": "scans", "q": "b-0"}).content.decode()
    assert 'aria-sort="ascending"' in head
    assert "?view=table&amp;sort=-scans&amp;q=b-0" in head, "the next click turns the order and keeps the search"


def test_batches_are_exported(client: Client) -> None:
    rows = list(csv.DictReader(client.get(BATCHES_CSV, {"sort": "batch"}).content.decode().splitlines()))
    assert [(row["batch"], row["state"], row["person"], row["scans"], row["open"]) for row in rows] == [
        ("B-001", "in_progress", "annotator", "1", "1"),
        ("B-002", "published", "", "3", "0"),
        ("B-003", "published", "annotator2", "2", "0"),
    ]
    assert rows[1]["paused"] == "'=SUM(1;2)", "a spreadsheet runs no formula"
    assert len(client.get(BATCHES_CSV, {"q": "pool"}).content.decode().splitlines()) == 2


def test_jobs_are_searched_sorted_and_exported(world: World) -> None:
    for number, (kind, state, name) in enumerate(
        (("import_scans", "succeeded", "march.zip"), ("train", "failed", ""), ("scrub", "queued", ""))
    ):
        job = Job.objects.create(kind=kind, state=state, key=str(number), requested_by=world["coordinator"])
        Job.objects.filter(pk=job.pk).update(payload={"name": name} if name else {}, error="no memory" * number)
        Job.objects.filter(pk=job.pk).update(created_at=now() - timedelta(minutes=number))
    Job.objects.create(kind="train", key="of another", requested_by=world["admin"])
    client = client_of(world, "coordinator")
    assert kinds(client) == ["import_scans", "train", "scrub"]
    assert kinds(client, sort="asked") == ["scrub", "train", "import_scans"]
    assert kinds(client, sort="job") == ["import_scans", "scrub", "train"]
    assert kinds(client, sort="drop") == kinds(client)
    assert kinds(client, state="stopped") == ["train"]
    assert kinds(client, q="MARCH") == ["import_scans"]
    assert kinds(client, q="train a model") == ["train"]
    assert kinds(client, q="memory", state="live") == ["scrub"]
    assert "No job matches" in client.get("/jobs/", {"q": "nothing like it"}).content.decode()
    text = client.get("/jobs.csv", {"q": "march"}).getvalue().decode()
    [row] = csv.DictReader(text.splitlines())
    assert (row["kind"], row["name"], row["state"], row["asked_by"]) == (
        "import_scans",
        "march.zip",
        "succeeded",
        "coordinator",
    )
