"""The page of the audit log: filters, words, export, and the check of the whole log."""

import csv
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from annotation.pages.selectors.log import words_of
from annotation.work.campaigns import pause_campaign
from tests.factories.world import World, publish
from voxloop.audit.anchors import anchor
from voxloop.audit.models import AuditEntry
from voxloop.audit.services import seal_entries
from voxloop.jobs.models import Job
from voxloop.jobs.running import run
from voxloop.keeping.log import verify_as_job
from voxloop.kernel.clock import now, today

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(world: World) -> Client:
    client = Client()
    client.force_login(world["admin"], backend="django.contrib.auth.backends.ModelBackend")
    return client


def shown(client: Client, **wanted: str) -> list[AuditEntry]:
    answer = client.get("/log/", wanted)
    assert answer.status_code == 200
    return [line.entry for line in answer.context["lines"]]


def test_entries_are_found_by_person_subject_thing_and_day(world: World, admin: Client) -> None:
    batch = publish(world, size=2)
    pause_campaign(campaign=world.campaign, actor=world["coordinator"], why="Holiday")
    newest = shown(admin)[0]
    assert (newest.action, newest.why) == ("campaign.paused", "Holiday")
    assert {entry.actor_name for entry in shown(admin, who="coordinator")} == {"coordinator"}
    assert {entry.action.partition(".")[0] for entry in shown(admin, about="site")} == {"site"}
    assert {entry.object_id for entry in shown(admin, thing=batch.name)} == {str(batch.pk)}
    scan = world.scans[0]
    keys = {str(scan.pk), *map(str, scan.assignments.values_list("pk", flat=True))}
    assert {entry.object_id for entry in shown(admin, thing=scan.code.lower())} <= keys
    assert str(scan.pk) in {entry.object_id for entry in shown(admin, thing=scan.code)}
    assert shown(admin, from_day=str(today() - timedelta(days=1)), to_day=str(today() + timedelta(days=1)))
    assert shown(admin, from_day=str(today() + timedelta(days=2))) == []
    page = admin.get("/log/", {"thing": "no such thing"}).content.decode()
    assert "No entry matches" in page
    wrong = admin.get("/log/", {"from_day": "2026-02-02", "to_day": "2026-02-01"}).content.decode()
    assert "The last day is before the first." in wrong


def test_older_pages_follow_without_a_gap(world: World, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotation.pages.views.log.PAGE_SIZE", 10)
    seen: list[int] = []
    before = ""
    while True:
        answer = admin.get("/log/", {"before": before})
        seen += [line.entry.id for line in answer.context["lines"]]
        if answer.context["older"] is None:
            break
        before = str(answer.context["older"])
    assert seen == list(AuditEntry.objects.order_by("-id").values_list("id", flat=True))
    assert admin.get("/log/", {"before": "9" * 30}).status_code == 200
    assert admin.get("/log/", {"before": "x"}).status_code == 200


def test_the_export_holds_the_filter_and_stands_in_the_log(world: World, admin: Client) -> None:
    pause_campaign(campaign=world.campaign, actor=world["admin"], why="=1+1")
    answer = admin.get("/log/entries.csv", {"about": "campaign"})
    rows = list(csv.DictReader(answer.getvalue().decode().splitlines()))
    assert {row["action"].partition(".")[0] for row in rows} == {"campaign"}
    assert rows[0]["why"] == "'=1+1"
    stored = AuditEntry.objects.get(id=rows[0]["entry"])
    assert rows[0]["hash"] == stored.hash
    assert AuditEntry.objects.get(action="log.exported").new == {"about": "campaign"}


def test_the_log_is_verified_as_a_job(world: World, admin: Client) -> None:
    seal_entries()
    anchor()
    assert "It was not verified here yet." in admin.get("/log/").content.decode()
    answer = admin.post("/log/verify/")
    job = Job.objects.get(kind=Job.Kind.VERIFY_LOG)
    assert answer["Location"] == f"/jobs/{job.pk}/"
    assert admin.post("/log/verify/")["Location"] == f"/jobs/{job.pk}/", "one at a time"
    run(job.pk, verify_as_job)
    job.refresh_from_db()
    assert (job.state, set(job.result)) == ("succeeded", {"entries"}), job.error
    assert 0 < job.result["entries"] <= AuditEntry.objects.count()
    assert "every one as it was written" in admin.get("/log/").content.decode()


def test_a_log_without_an_anchor_is_not_verified(world: World, admin: Client) -> None:
    seal_entries()
    admin.post("/log/verify/")
    job = Job.objects.get(kind=Job.Kind.VERIFY_LOG)
    run(job.pk, verify_as_job)
    job.refresh_from_db()
    assert (job.state, job.error_code) == ("failed", "anchor_missing")
    assert "There is no anchor" in admin.get("/log/").content.decode()


def test_a_changed_entry_is_told(world: World, admin: Client) -> None:
    seal_entries()
    changed = AuditEntry.objects.order_by("id").first()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # past the trigger, as a thief of the disk would
        cursor.execute("UPDATE audit_auditentry SET why = 'nothing happened' WHERE id = %s", [changed.id])
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
    admin.post("/log/verify/")
    job = Job.objects.get(kind=Job.Kind.VERIFY_LOG)
    run(job.pk, verify_as_job)
    job.refresh_from_db()
    assert (job.state, job.error_code) == ("failed", "log_broken")
    assert f"Entry {changed.id} was changed after it was written." in admin.get("/log/").content.decode()


def test_actions_are_words() -> None:
    assert words_of("campaign.role_given") == "Campaign: role given"
    assert words_of("approve") == "Approve"


def test_the_time_is_that_of_the_person(world: World, admin: Client) -> None:
    world["admin"].time_zone = "Asia/Kolkata"
    world["admin"].save()
    line = admin.get("/log/").context["lines"][0]
    assert line.at.utcoffset() == timedelta(hours=5, minutes=30)
    assert abs(line.at - now()) < timedelta(minutes=5)
