"""What the pages say and do, role by role."""

import csv
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from annotation.learning.models import ModelVersion, TrainingRun
from annotation.pages.selectors.setup import progress_file
from annotation.pages.tables import csv_file
from annotation.reviews.services import claim_round, return_round, submit_assignment
from annotation.work.models import Batch, CampaignScan
from annotation.work.services import block_assignment
from tests.factories.world import PASSWORD, World, approve, first_of, label, publish
from voxloop.audit.models import AuditEntry
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
    return answer.content.decode()


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
    last = batch.assignments.order_by("-position").first()
    label(world, last)
    found = submit_assignment(assignment_id=last.pk, actor=world["annotator"], acknowledged=["mask_outside_lung"])
    claim_round(round_id=found.pk, actor=world["reviewer"])
    return_round(round_id=found.pk, actor=world["reviewer"], comments=[{"text": "cut short", "ijk": [3, 4, 5]}])
    page = text(log_in(world, "annotator"), "/worklist/")
    assert f"Correct {last.scan.code}" in page
    assert "reviewer left 1 comment: “cut short”, slice 6" in page
    assert page.index("Returned to you") < page.index(f"Up next in {batch.name}")


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
    CampaignScan.objects.update(score=0.7654321)
    row = first_of(publish(world, size=3))
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
                word for word in ("765432", "0.765", "gold", "acquisition", "score", "in the sample") if word in page
            ]


def test_a_batch_form_says_which_value_is_allowed(world: World) -> None:
    client = log_in(world, "coordinator")
    path = reverse("batch_new", args=["chest-ct"])
    late = today() - timedelta(days=1)
    answer = client.post(path, {"chosen_by": "order", "size": 80, "due_on": late.isoformat()})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "2 fields need a change" in page
    assert "A batch holds 1 to 50 scans" in page
    assert 'aria-invalid="true"' in page
    made = client.post(path, {"chosen_by": "order", "size": 2, "publish": "on"})
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


def summary(dice: float, scan: Any) -> dict[str, Any]:
    one = {
        "id": str(scan.pk),
        "site": "c",
        "dice": dice,
        "reference_voxels": 5000,
        "reference_ml": 12.5,
        "predicted_ml": 11.0,
        "false_positive_ml": 1.0,
    }
    return {
        "mean_dice": dice,
        "scored": 1,
        "empty": 0,
        "false_positive_ml_on_empty": None,
        "volume_pearson_r": None,
        "sites": [{"site": "c", "scans": 1, "mean_dice": dice, "false_positive_ml_on_empty": None}],
        "scans": [one],
    }


def test_the_model_page_compares_and_promotes(world: World) -> None:
    client = log_in(world, "coordinator")
    assert "No model yet" in text(client, "/campaigns/chest-ct/models/")
    old, new = summary(0.6, world.scans[2]), summary(0.7, world.scans[2])
    rule = {"key": "mean_dice", "holds": True, "challenger": 0.7, "champion": 0.6, "sentence": "Mean Dice is higher."}
    for number, state, results in (
        (1, "champion", {"challenger": old, "champion": None}),
        (2, "candidate", {"challenger": new, "champion": old}),
    ):
        run = TrainingRun.objects.create(
            campaign=world.campaign,
            number=number,
            state="promoted" if number == 1 else "candidate",
            profile="demo",
            seed=number,
            manifest={"items": []},
            manifest_hash="0" * 64,
            results=results,
            gate={"rules": [rule]},
            curves={"train": [{"step": 10, "loss": 1.0}, {"step": 20, "loss": 0.5}]},
        )
        ModelVersion.objects.create(
            campaign=world.campaign,
            number=number,
            run=run,
            state=state,
            weights_key="w",
            config={"steps": 20},
            metrics=results["challenger"],
        )
    page = text(client, "/campaigns/chest-ct/models/")
    assert "1 of 1 rules hold" in page
    assert "Mean Dice is higher." in page
    assert 'aria-label="Training: loss and validation Dice by step"' in page
    scans = client.get(reverse("models_csv", args=["chest-ct", "scans"])).content.decode()
    assert f"{world.scans[2].code},c,12.5,11.0,0.7,0.6" in scans
    model = ModelVersion.objects.get(number=2)
    client.post(reverse("promote", args=[model.pk]), {"reason": "better everywhere"})
    model.refresh_from_db()
    assert model.state == "champion"


def test_a_refused_training_is_told_in_words(world: World) -> None:
    client = log_in(world, "coordinator")
    answer = client.post(reverse("train", args=["chest-ct"]), follow=True, HTTP_REFERER="http://testserver/jobs/")
    assert answer.redirect_chain == [("http://testserver/jobs/", 302)]
    assert "There is too little to learn from" in answer.content.decode()


def test_a_release_is_made_frozen_and_shown_with_its_proof(world: World) -> None:
    row = first_of(publish(world))
    label(world, row)
    approve(world, row)
    client = log_in(world, "datamanager")
    made = client.post(reverse("release_new", args=["chest-ct"]), {"name": "2026.11"})
    assert "Freeze release" in text(client, made["Location"])
    release = made["Location"].split("/")[2]
    client.post(reverse("release_freeze", args=[release]))
    page = text(client, made["Location"])
    assert "python3 manage.py verify_release chest-ct-202611" in page
    client.post(reverse("release_export", args=[release]))
    assert "Waiting for a worker" in text(client, made["Location"])


def test_an_upload_becomes_a_job_or_is_refused_in_words(world: World) -> None:
    client = log_in(world, "datamanager")
    place = {"site": str(world.sites["a"].pk), "campaign": str(world.campaign.pk)}
    refused = client.post(reverse("upload"), {"file": SimpleUploadedFile("notes.pdf", b"x"), **place})
    assert refused.status_code == 422
    assert "must end in .zip, .nii or .nii.gz" in refused.content.decode()
    taken = client.post(reverse("upload"), {"file": SimpleUploadedFile("scan.nii.gz", b"x"), **place})
    page = text(client, taken["Location"])
    assert "Import scans" in page
    assert "Waiting for a worker" in page


def test_people_are_invited_with_roles_and_sites(world: World) -> None:
    client = log_in(world, "admin")
    field = f"roles_{world.campaign.pk}"
    answer = client.post(
        reverse("person_new"),
        {"username": "reader9", "password": PASSWORD, field: ["annotator"], "sites": [str(world.sites["a"].pk)]},
    )
    assert answer.status_code == 302
    assert "reader9" in text(client, "/people/")
    person = world.campaign.members.get(user__username="reader9").user
    client.post(reverse("person", args=[person.pk]), {field: ["reviewer"], "sites": []})
    assert [member.role for member in person.memberships.all()] == ["reviewer"]
    assert not person.site_memberships.exists()


def test_an_administrator_gives_a_new_password(world: World) -> None:
    client = log_in(world, "admin")
    path = reverse("person", args=[world["annotator"].pk])
    weak = client.post(path, {"password": "short"}, follow=True)
    assert "at least 12 characters" in weak.content.decode()
    assert world["annotator"].memberships.exists()
    client.post(path, {"password": "another long one 22"})
    login = {"login": "annotator", "password": "another long one 22"}
    assert Client().post("/accounts/login/", login).status_code == 302
    assert AuditEntry.objects.filter(action="person.password_set").exists()


def test_a_token_needs_the_password_and_is_shown_once(world: World) -> None:
    client = Client()
    client.post("/accounts/login/", {"login": "annotator", "password": PASSWORD})
    refused = client.post(reverse("token_new"), {"password": "not this one"}, follow=True)
    assert "That is not your password" in refused.content.decode()
    page = client.post(
        reverse("token_new"), {"password": PASSWORD, "name": "script", "scopes": ["read"]}, follow=True
    ).content.decode()
    token = page.split('<code id="token">')[1].split("<")[0]
    assert Client().get("/api/v1/me/", HTTP_AUTHORIZATION=f"Token {token}").status_code == 200
    assert token not in text(client, "/people/me/")
    client.post(reverse("token_revoke"), {"token_key": world["annotator"].auth_token_set.get().token_key})
    assert Client().get("/api/v1/me/", HTTP_AUTHORIZATION=f"Token {token}").status_code == 401


def test_the_theme_is_remembered(world: World) -> None:
    client = log_in(world, "annotator")
    client.post(reverse("theme"), {"theme": "dark"})
    assert 'data-theme="dark"' in text(client, "/worklist/")


def test_the_set_up_shows_its_progress_until_it_is_done(world: World) -> None:
    client = log_in(world, "annotator")
    assert "Set-up of the demonstration" not in text(client, "/worklist/")
    progress_file().write_text('{"running": true, "percent": 40, "message": "Importing scan 26 of 64"}')
    assert "Importing scan 26 of 64" in text(client, "/worklist/")
    assert 'aria-valuenow="40"' in text(client, "/setup/")
    progress_file().write_text('{"running": false, "percent": 100, "message": "Done"}')
    done = client.get("/setup/")
    assert (done.status_code, done["HX-Refresh"]) == (204, "true")


def test_what_is_not_there_and_what_is_not_allowed_are_told_plainly(world: World) -> None:
    client = log_in(world, "annotator")
    assert "There is no such page" in client.get("/nowhere/").content.decode()
    assert "Your role does not open this page" in client.get("/people/").content.decode()


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
    assert "stand" not in log_in(world, "coordinator").get("/people/me/").content.decode().partition("<main")[2]
    page = log_in(world, "admin").get("/jobs/system/", headers={"HX-Request": "true"}).content.decode()
    assert "Everything works" in page
    assert "<html" not in page
    health._kept = None
