"""What the pages say and do, role by role."""

import csv
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from annotation.masks.services import begin
from annotation.pages.tables import csv_file
from annotation.reviews.claims import claim_round
from annotation.reviews.services import return_round, submit_assignment
from annotation.work.models import Assignment, Batch, CampaignScan
from annotation.work.services import block_assignment
from annotation.work.states import AssignmentState
from tests.factories.world import World, approve, first_of, label, publish
from voxloop.jobs import health
from voxloop.jobs.models import Worker
from voxloop.kernel.clock import now, today

pytestmark = pytest.mark.django_db


def log_in(world: World, name: str) -> Client:
    client = Client()
    client.force_login(world[name])
    return client


def text(client: Client, path: str, **query: Any) -> str:
    answer = client.get(path, query)
    assert answer.status_code == 200, (path, answer.status_code)
    return " ".join(answer.content.decode().split())  # line breaks of a template do not matter


@pytest.mark.parametrize(
    ("name", "lands"),
    [
        ("annotator", "/worklist/"),
        ("reviewer", "/reviews/"),
        ("coordinator", "/campaigns/chest-ct/batches/"),
        ("datamanager", "/campaigns/chest-ct/scans/"),
        ("admin", "/people/"),
        ("outsider", "/campaigns/"),
    ],
)
def test_the_first_page_sends_each_to_their_work(world: World, name: str, lands: str) -> None:
    client = log_in(world, name)
    assert client.get("/")["Location"] == lands
    assert client.get(lands).status_code == 200


def test_returned_work_is_first_with_the_comment_in_words(world: World) -> None:
    batch = publish(world, size=3)
    first, _, last = batch.assignments.order_by("position")
    label(world, last)
    found = submit_assignment(assignment_id=last.pk, actor=world["annotator"], acknowledged=["mask_outside_lung"])
    claim_round(round_id=found.pk, actor=world["reviewer"])
    return_round(round_id=found.pk, actor=world["reviewer"], comments=[{"text": "cut short", "ijk": [3, 4, 5]}])
    page = text(log_in(world, "annotator"), "/worklist/")
    assert f"Correct {last.scan.code}" in page
    assert "reviewer left 1 comment: “cut short”, slice 6" in page
    assert page.index("Returned to you") < page.index(f"Up next in {batch.name}")

    # Opened, it stays what it is until it is handed in again: first in the list, also before what was begun earlier.
    client = log_in(world, "annotator")
    begin(assignment_id=first.pk, actor=world["annotator"])
    begin(assignment_id=last.pk, actor=world["annotator"])
    assert Assignment.objects.get(pk=last.pk).state == AssignmentState.OPEN
    page = text(client, "/worklist/")
    assert f"Correct {last.scan.code}" in page
    assert "reviewer left 1 comment: “cut short”, slice 6" in page
    assert page.index("Returned to you") < page.index("Started")
    shown = "".join(text(log_in(world, "coordinator"), f"/batches/{batch.pk}/").split())
    assert ">Returned<" in shown
    submit_assignment(assignment_id=last.pk, actor=world["annotator"], acknowledged=["mask_outside_lung"])
    assert "Returned to you" not in text(client, "/worklist/")


def test_skip_needs_a_reason_and_can_be_taken_back(world: World) -> None:
    row = first_of(publish(world))
    client = log_in(world, "annotator")
    refused = client.post(reverse("skip", args=[row.pk]), {"reason": " "}, follow=True)
    assert "Say why" in refused.content.decode()
    client.post(reverse("skip", args=[row.pk]), {"reason": "motion"})
    assert "You skipped it: motion" in text(client, "/worklist/", show="done")
    client.post(reverse("unskip", args=[row.pk]))
    row.refresh_from_db()
    assert row.state == "queued"


def test_claim_opens_the_next_scan_of_the_pool(world: World) -> None:
    batch = publish(world, to=None, size=2)
    client = log_in(world, "annotator")
    assert "Take a scan from the pool" in text(client, "/worklist/")
    assert client.post(reverse("claim"))["Location"] == f"/view/{first_of(batch).pk}/"


def test_the_queue_never_shows_ones_own_work(world: World) -> None:
    row = first_of(publish(world))
    label(world, row)
    submit_assignment(assignment_id=row.pk, actor=world["annotator"], acknowledged=["mask_outside_lung"])
    page = text(log_in(world, "reviewer"), "/reviews/")
    assert row.scan.code in page
    assert "1 scan waits for you" in page
    found = row.rounds.get()
    picture = log_in(world, "reviewer").get(reverse("review_picture", args=[found.pk, "author"]))
    assert picture.content.startswith(b"\x89PNG")


def test_nothing_that_would_unblind_is_on_a_workers_page(world: World) -> None:
    CampaignScan.objects.update(uncertainty=0.7654321)
    row = first_of(publish(world, size=3))
    Assignment.objects.update(choice={"why": "uncertain", "uncertainty": 0.7654321, "model": "m77"})
    label(world, row)
    found = submit_assignment(assignment_id=row.pk, actor=world["annotator"], acknowledged=["mask_outside_lung"])
    for name, paths in {
        "annotator": ["/worklist/", "/worklist/?show=submitted", "/find/?q=VX"],
        "reviewer": ["/reviews/", f"/reviews/?scan={found.pk}", "/find/?q=VX"],
    }.items():
        client = log_in(world, name)
        for path in paths:
            page = client.get(path).content.decode().lower()
            assert not [
                word
                for word in ("765432", "0.765", "gold", "acquisition", "score", "surer", "in the sample")
                if word in page
            ]


def test_a_batch_form_says_which_value_is_allowed(world: World) -> None:
    client = log_in(world, "coordinator")
    path = reverse("batch_new", args=["chest-ct"])
    late = today() - timedelta(days=1)
    answer = client.post(path, {"chosen_by": "order", "size": 80, "review_policy": "all", "due_on": late.isoformat()})
    page = " ".join(answer.content.decode().split())
    assert answer.status_code == 422
    assert "2 fields need a change" in page
    assert "A batch holds 1 to 50 scans" in page
    assert 'aria-invalid="true"' in page
    made = client.post(path, {"chosen_by": "order", "size": 2, "review_policy": "all", "publish": "on"})
    batch = Batch.objects.get()
    assert made["Location"] == reverse("batch", args=[batch.pk])
    assert (batch.state, batch.assignments.count()) == ("published", 2)


def test_a_coordinator_reclaims_assigns_and_answers_blocks(world: World) -> None:
    batch = publish(world, size=3)
    first, *_ = batch.assignments.order_by("position")
    block_assignment(assignment_id=first.pk, actor=world["annotator"], reason="localiser")
    client = log_in(world, "coordinator")
    assert f"{first.scan.code} is blocked by annotator" in text(client, "/campaigns/chest-ct/batches/")
    client.post(reverse("assignment_unblock", args=[first.pk]))
    client.post(reverse("batch_reclaim", args=[batch.pk]))
    assert set(batch.assignments.values_list("person", flat=True)) == {None}
    client.post(reverse("batch_assign", args=[batch.pk]), {"person": str(world["annotator2"].pk)})
    assert set(batch.assignments.values_list("person__username", flat=True)) == {"annotator2"}


def test_the_dashboard_draws_and_gives_its_data(world: World) -> None:
    client = log_in(world, "coordinator")
    empty = text(client, "/campaigns/chest-ct/")
    assert "Nothing is handed in yet" in empty
    batch_rows = publish(world).assignments
    row = batch_rows.select_related("scan", "campaign").order_by("position").first()
    label(world, row)
    approve(world, row)
    batch_rows.update(active_seconds=300)
    page = text(client, "/campaigns/chest-ct/")
    assert 'aria-label="Approved and handed-in scans over time"' in page
    for name, head in {
        "burn-up": ["what", "time_utc", "scans"],
        "first-pass": ["period", "accepted", "judged"],
        "time-per-scan": ["person", "active_minutes"],
        "queue-age": ["days_waiting", "first_round", "later_rounds"],
        "coverage": ["site", "split", "ready_scans", "approved", "in_no_batch"],
    }.items():
        answer = client.get(reverse("dashboard_csv", args=["chest-ct", name]))
        assert answer["Content-Disposition"].startswith("attachment")
        rows = list(csv.reader(StringIO(answer.content.decode())))
        assert rows[0] == head
        assert len(rows) > 1
    assert client.get(reverse("dashboard_csv", args=["chest-ct", "passwords"])).status_code == 404


def test_a_cell_is_never_a_formula() -> None:
    rows = list(csv.reader(StringIO(csv_file("x", ["a"], [["=1+1"], ["-2"], [-2], ["fine"]]).content.decode())))
    assert rows == [["a"], ["'=1+1"], ["'-2"], ["-2"], ["fine"]]


def test_a_refused_training_is_told_in_words(world: World) -> None:
    client = log_in(world, "coordinator")
    answer = client.post(reverse("train", args=["chest-ct"]), follow=True, HTTP_REFERER="http://testserver/jobs/")
    assert answer.redirect_chain == [("http://testserver/jobs/", 302)]
    assert "There are too few masks to learn from" in answer.content.decode()


def test_a_release_is_made_frozen_and_shown_with_its_proof(world: World) -> None:
    row = first_of(publish(world))
    label(world, row)
    approve(world, row)
    client = log_in(world, "datamanager")
    made = client.post(reverse("release_new", args=["chest-ct"]), {"name": "2026.11"})
    assert "Freeze release" in text(client, made["Location"])
    release = made["Location"].split("/")[2]
    spare = client.post(reverse("release_new", args=["chest-ct"]), {"name": "misspelt"})["Location"].split("/")[2]
    gone = client.post(reverse("release_discard", args=[spare]), follow=True)
    assert "The draft misspelt is discarded." in gone.content.decode()
    client.post(reverse("release_freeze", args=[release]))
    page = text(client, made["Location"])
    assert "verify.py --seal" not in page
    refused = client.post(reverse("release_discard", args=[release]), follow=True)
    assert "Only a draft can be discarded" in refused.content.decode()
    client.post(reverse("release_export", args=[release]))
    assert "Waiting for a worker" in text(client, made["Location"])


def test_an_upload_becomes_a_job_or_is_refused_in_words(world: World) -> None:
    client = log_in(world, "datamanager")
    fields = {"site": str(world.sites["a"].pk), "campaign": str(world.campaign.pk)}
    refused = client.post(reverse("upload"), {"file": SimpleUploadedFile("notes.pdf", b"x"), **fields})
    assert refused.status_code == 422
    assert "must end in .zip, .nii or .nii.gz" in refused.content.decode()
    taken = client.post(reverse("upload"), {"file": SimpleUploadedFile("scan.nii.gz", b"x"), **fields})
    page = text(client, taken["Location"])
    assert "Import scans" in page
    assert "Waiting for a worker" in page


def test_what_stands_still_is_told_to_those_who_can_have_it_mended(world: World) -> None:
    health._kept = None
    for person, is_told in (("coordinator", True), ("admin", True), ("annotator", False)):
        page = log_in(world, person).get("/people/me/").content.decode()
        assert ("No worker takes work from the queue default" in page) is is_told, person
    page = log_in(world, "admin").get("/jobs/system/").content.decode()
    assert "No worker has reported" in page
    assert "Start celery beat again" in page
    for name, queues in (("default-1@here", ["default"]), ("ml-1@here", ["ml"]), ("beat@here", [])):
        Worker.objects.create(name=name, queues=queues, host="here", pid=1, started_at=now(), taken_at=now())
    health._kept = None
    assert (
        "Show the faults" not in log_in(world, "coordinator").get("/people/me/").content.decode().partition("<main")[2]
    )
    page = log_in(world, "admin").get("/jobs/system/", headers={"HX-Request": "true"}).content.decode()
    assert "Everything works" in page
    assert "<html" not in page
    health._kept = None
