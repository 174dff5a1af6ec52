"""Scans that are withdrawn and people who leave: what ends, what goes back to others, what stays."""

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from annotation.learning.models import ModelVersion, TrainingRun
from annotation.learning.selectors import count_ended_scans
from annotation.reviews.claims import claim_round
from annotation.reviews.services import return_round, submit_assignment
from annotation.work.people import close_account, open_account
from annotation.work.services import claim_assignment, open_assignment, unblock_assignment
from annotation.work.withdrawing import withdraw
from tests.api.test_loop_over_http import log_in
from tests.factories.world import World, first_of, label, publish
from voxloop.accounts.actors import SystemActor
from voxloop.accounts.models import User
from voxloop.audit.models import AuditEntry
from voxloop.kernel.errors import Conflict, Forbidden, NotFound

pytestmark = pytest.mark.django_db


def handed_in(world: World, assignment: Any) -> Any:
    label(world, assignment)
    return submit_assignment(assignment_id=assignment.pk, actor=world["annotator"], acknowledged=["mask_outside_lung"])


def run_with(world: World, scan: Any, state: str = "candidate") -> TrainingRun:
    manifest = {"items": [{"scan": str(scan.pk), "split": "train", "round": "x"}]}
    return TrainingRun.objects.create(
        campaign=world.campaign, number=1, profile="demo", seed=1, manifest=manifest, manifest_hash="0", state=state
    )


def test_a_withdrawal_ends_work_review_and_training(world: World) -> None:
    batch = publish(world, size=2)
    first, second = batch.assignments.order_by("position")
    round_ = handed_in(world, first)
    claim_round(round_id=round_.pk, actor=world["reviewer"])
    open_assignment(assignment_id=second.pk, actor=world["annotator"])
    run = run_with(world, first.scan, "running")
    for one in (first, second):
        withdraw(scan_id=one.scan_id, actor=world["datamanager"], why="consent taken back")
    for row in (first, second, round_, run, batch):
        row.refresh_from_db()
    assert (first.state, second.state) == ("skipped", "skipped")
    assert (round_.state, round_.review.state) == ("withdrawn", "reclaimed")
    assert (run.state, run.error) == ("cancelled", f"{first.scan.code} was withdrawn.")
    with pytest.raises(Conflict, match="withdrawn"):
        unblock_assignment(assignment_id=second.pk, actor=world["annotator"])
    assert AuditEntry.objects.filter(action="scan.withdrawn", why="consent taken back").count() == 2


def test_who_may_withdraw_and_with_a_reason(world: World) -> None:
    scan = first_of(publish(world)).scan
    for person, refusal in (("outsider", NotFound), ("annotator", Forbidden), ("admin", Forbidden)):
        with pytest.raises(refusal):
            withdraw(scan_id=scan.pk, actor=world[person], why="consent")
    with pytest.raises(Conflict) as refused:
        withdraw(scan_id=scan.pk, actor=world["coordinator"], why="  ")
    assert refused.value.code == "reason_required"


def test_withdraw_by_page_route_and_command(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    one, two, three = world.scans[:3]
    client = Client()
    client.force_login(world["datamanager"], backend="django.contrib.auth.backends.ModelBackend")
    assert "Withdraw" in client.get(reverse("scan", args=[one.pk])).content.decode()
    client.post(reverse("scan_withdraw", args=[one.pk]), {"reason": "wrong patient"})
    page = client.get(reverse("scan", args=[one.pk])).content.decode()
    assert "wrong patient" in page
    assert "Withdraw scan" not in page
    told = log_in(world, "coordinator").post(
        f"/api/v1/scans/{two.pk}/withdraw", {"reason": "consent"}, "application/json"
    )
    assert (told.status_code, told.json()["state"]) == (200, "withdrawn")
    call_command("withdraw_scan", three.code, user="datamanager", reason="consent", json=True)
    assert json.loads(capsys.readouterr().out) == {"scan": three.code, "state": "withdrawn"}
    for scan, user, code in ((three.code, "datamanager", 1), ("VX-Z-0001", "datamanager", 2), (three.code, "zz", 2)):
        with pytest.raises(CommandError) as error:
            call_command("withdraw_scan", scan, user=user, reason="x")
        assert error.value.returncode == code


def test_a_model_says_that_it_learned_from_a_withdrawn_scan(world: World) -> None:
    scan = world.scans[0]
    model = ModelVersion.objects.create(
        campaign=world.campaign, number=1, run=run_with(world, scan), weights_key="w/1", config={}, metrics={}
    )
    assert count_ended_scans(model) == {}
    withdraw(scan_id=scan.pk, actor=world["datamanager"], why="consent")
    assert count_ended_scans(model) == {"withdrawn": 1}


def test_a_closed_account_ends_everywhere_and_its_work_goes_back(world: World) -> None:
    batch = publish(world, size=3)
    first, second, third = batch.assignments.order_by("position")
    handed_in(world, first)
    label(world, second)
    token = log_in(world, "annotator")
    session = Client()
    session.force_login(world["annotator"], backend="django.contrib.auth.backends.ModelBackend")
    assert session.get("/worklist/").status_code == token.get("/api/v1/me/").status_code == 200
    told = close_account(person=world["annotator"], actor=world["admin"], why="left the clinic")
    assert told == {"given_back": 2}
    assert token.get("/api/v1/me/").status_code == 401
    assert session.get("/worklist/").status_code == 302
    for row in (first, second, third, batch):
        row.refresh_from_db()
    assert (first.state, second.state, third.state, batch.assignee) == ("submitted", "reclaimed", "reclaimed", None)
    taken = claim_assignment(actor=world["annotator2"])
    assert taken is not None
    assert taken.scan_id == second.scan_id
    open_account(person=world["annotator"], actor=world["admin"])
    assert log_in(world, "annotator").get("/api/v1/me/").status_code == 200
    assert token.get("/api/v1/me/").status_code == 401  # the old token stays revoked
    assert set(AuditEntry.objects.filter(action__startswith="person.").values_list("action", flat=True)) >= {
        "person.deactivated",
        "person.reactivated",
    }


def test_what_a_closed_reviewer_held_is_judged_by_others_and_returned_work_finds_another_author(world: World) -> None:
    batch = publish(world, size=1)
    round_ = handed_in(world, first_of(batch))
    claim_round(round_id=round_.pk, actor=world["reviewer"])
    assert close_account(person=world["reviewer"], actor=world["admin"], why="left") == {"given_back": 1}
    round_.refresh_from_db()
    assert (round_.state, round_.reviewer) == ("pending", None)
    close_account(person=world["annotator"], actor=world["admin"], why="left")
    claim_round(round_id=round_.pk, actor=world["reviewer2"])
    return_round(round_id=round_.pk, actor=world["reviewer2"], comments=[{"text": "the apex is missing"}])
    again = claim_assignment(actor=world["annotator2"])
    assert again is not None
    assert again.scan_id == round_.annotation.scan_id


def test_the_last_administrator_and_oneself_stay(world: World) -> None:
    with pytest.raises(Conflict) as own:
        close_account(person=world["admin"], actor=world["admin"], why="x")
    with pytest.raises(Conflict) as last:
        close_account(person=world["admin"], actor=SystemActor.MANAGE, why="x")
    assert (own.value.code, last.value.code) == ("own_account", "last_administrator")
    with pytest.raises(Forbidden):
        close_account(person=world["annotator"], actor=world["coordinator"], why="x")
    assert User.objects.filter(is_active=False).count() == 0


def test_accounts_by_page_route_and_command(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    person = world["annotator2"]
    client = Client()
    client.force_login(world["admin"], backend="django.contrib.auth.backends.ModelBackend")
    assert "Close account" in client.get(reverse("person", args=[person.pk])).content.decode()
    client.post(reverse("person_deactivate", args=[person.pk]), {"reason": "left"})
    assert "Open account" in client.get(reverse("person", args=[person.pk])).content.decode()
    client.post(reverse("person_reactivate", args=[person.pk]))
    api = log_in(world, "admin")
    told = api.post(f"/api/v1/people/{person.pk}/deactivate", {"reason": "left"}, "application/json")
    assert (told.status_code, told.json()["is_active"], told.json()["given_back"]) == (200, False, 0)
    again = api.post(f"/api/v1/people/{person.pk}/deactivate", {"reason": "left"}, "application/json")
    assert (again.status_code, again.json()["code"]) == (409, "already_so")
    assert api.post(f"/api/v1/people/{person.pk}/reactivate").status_code == 200
    call_command("deactivate_person", person.username, json=True)
    call_command("deactivate_person", person.username, undo=True, json=True)
    closed, opened = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (closed["given_back"], closed["is_active"], opened["is_active"]) == (0, False, True)
    for name, code in (("admin", 1), ("nobody", 2)):
        with pytest.raises(CommandError) as error:
            call_command("deactivate_person", name)
        assert error.value.returncode == code
