"""Erasure of a patient: what goes, what stays, who is informed, and refusal of the same patient."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from annotation.datasets.erasing import count_erased
from annotation.intake.services import import_now
from annotation.learning.models import ModelVersion
from annotation.learning.selectors import count_ended_scans
from annotation.masks.models import AnswerSet, MaskChunk, MaskRevision
from annotation.masks.store import load_labels
from annotation.reviews.models import ReviewRound
from annotation.scans.erasing import erase_subject, finish_erasures
from annotation.scans.models import ErasedSubject, Scan, Series, Study, Subject
from annotation.work.erasing import erase
from tests.api.test_loop_over_http import log_in
from tests.db.test_exports import exported, frozen
from tests.db.test_leaving import run_with
from tests.db.test_rekeying import another_campaign
from tests.factories.world import World, first_of, label, publish
from tests.unit.intake.series import make_series
from voxloop.audit.models import AuditEntry
from voxloop.audit.verify import verify
from voxloop.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from voxloop.storage.store import open_store

pytestmark = pytest.mark.django_db


def gone_of(world: World, scan: Scan, who: str = "datamanager") -> ErasedSubject:
    assert scan.subject is not None
    name = scan.subject.pseudonym
    return erase(subject_id=scan.subject_id, actor=world[who], why="asked for by the patient", confirmation=name)


def test_what_goes_and_what_stays(world: World, django_capture_on_commit_callbacks: Any) -> None:
    release = frozen(world)  # three scans, the first and third with the same ball drawn
    export = exported(world, release)
    scan = Scan.objects.get(code=release.manifest["scans"][0]["code"])
    other = Scan.objects.get(code=release.manifest["scans"][2]["code"])
    model = ModelVersion.objects.create(
        campaign=world.campaign, number=1, run=run_with(world, scan), weights_key="w/1", config={}, metrics={}
    )
    store, keys = open_store(settings.STORAGE_URL), [scan.pack_key, scan.preview_key]
    subject, code = scan.subject, scan.subject.pseudonym if scan.subject else ""
    with django_capture_on_commit_callbacks(execute=True):
        gone_of(world, scan)
    scan.refresh_from_db()
    release.refresh_from_db()
    assert (scan.state, scan.subject, scan.series, scan.facts, scan.index) == ("erased", None, None, {}, None)
    assert not Subject.objects.filter(pk=subject.pk if subject else None).exists()
    assert Study.objects.count() == Series.objects.count() == len(world.scans) - 1
    for key in keys:
        with pytest.raises(NotFound):
            store.size(key)
    revisions = MaskRevision.objects.filter(scan=scan)
    assert revisions.exists()
    assert all((row.chunks, row.strokes, row.voxel_counts) == ({}, [], {}) for row in revisions)
    assert all(row.values == {} for row in AnswerSet.objects.filter(assignment__scan=scan))
    # The other scan's mask shares the chunks, which stay.
    assert load_labels(MaskRevision.objects.get(scan=other, kind="draft"), other.shape_zyx).any()
    assert (release.state, count_erased(release)) == ("yanked", 1)
    assert release.manifest["scans"][0] == {"id": str(scan.pk), "code": scan.code, "erased": True}
    assert release.manifest["scans"][2]["code"] == other.code
    assert len(release.manifest_hash) == 64
    assert export.seal
    assert count_ended_scans(model) == {"erased": 1}
    assert ReviewRound.objects.get(annotation__scan=scan).signature["hashes"]["findings"]  # signed hashes stay
    assert AuditEntry.objects.get(action="subject.erased").why == "asked for by the patient"
    assert code not in json.dumps(list(AuditEntry.objects.values_list("old", "new", "why")), default=str)
    assert verify()[1] is None
    assert ErasedSubject.objects.get().left_objects == []


def test_chunks_that_only_this_scan_used_are_deleted(world: World) -> None:
    assignment = first_of(publish(world, size=1))
    label(world, assignment)
    assert MaskChunk.objects.exists()
    gone_of(world, assignment.scan)
    assert not MaskChunk.objects.exists()


def test_the_door_opens_for_nothing_else(world: World) -> None:
    assignment = first_of(publish(world, size=1))
    label(world, assignment)
    pk = assignment.scan_id
    for statement in (
        f"SELECT voxloop_erase_masks('{pk}')",
        f"SELECT voxloop_erase_from_releases('{pk}')",
        "DELETE FROM masks_maskchunk",
        "UPDATE masks_maskrevision SET chunks = '{}'",
        "UPDATE masks_answerset SET values = '{}'",
        "SET LOCAL voxloop.erasing = '1'; DELETE FROM masks_maskchunk",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_the_same_patient_is_refused_when_sent_again(world: World, tmp_path: Path) -> None:
    make_series(tmp_path / "one")
    parties: dict[str, Any] = {"site": world.sites["a"], "actor": world["datamanager"]}
    told = import_now(path=tmp_path / "one", campaign=world.campaign, **parties)
    scan = Scan.objects.get(pk=told["scans"][0]["id"])
    gone_of(world, scan)
    make_series(tmp_path / "two", seed=2)  # other voxels of the same patient
    for folder, campaign in (("one", world.campaign), ("two", world.campaign), ("two", another_campaign(world))):
        with pytest.raises(Invalid) as refused:
            import_now(path=tmp_path / folder, campaign=campaign, **parties)
        assert refused.value.code == "subject_erased"
    make_series(tmp_path / "both" / "new", subject="P-0002", seed=3)
    make_series(tmp_path / "both" / "old", seed=2)
    told = import_now(path=tmp_path / "both", campaign=world.campaign, **parties)
    assert (len(told["scans"]), [row["code"] for row in told["refused"]]) == (1, ["subject_erased"])


def test_who_may_and_the_confirmation(world: World) -> None:
    scan = world.scans[0]
    assert scan.subject is not None
    for person, refusal in (("coordinator", Forbidden), ("reviewer", Forbidden), ("outsider", NotFound)):
        with pytest.raises(refusal):
            gone_of(world, scan, person)
    with pytest.raises(Invalid) as typed:
        erase(subject_id=scan.subject_id, actor=world["admin"], why="asked", confirmation="yes")
    with pytest.raises(Conflict) as why:
        erase(subject_id=scan.subject_id, actor=world["admin"], why=" ", confirmation=scan.subject.pseudonym)
    assert (typed.value.code, why.value.code) == ("not_confirmed", "reason_required")


def test_what_a_crash_left_in_storage_is_deleted_later(world: World) -> None:
    scan = world.scans[0]
    assert scan.subject is not None
    key = scan.pack_key
    erase_subject(subject_id=scan.subject_id, actor=world["admin"], why="asked", confirmation=scan.subject.pseudonym)
    assert key in ErasedSubject.objects.get().left_objects  # the test's transaction is not committed
    assert finish_erasures() >= 2
    with pytest.raises(NotFound):
        open_store(settings.STORAGE_URL).size(key)
    assert finish_erasures() == 0


def test_erase_by_page_route_and_command(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    one, two, three = world.scans[:3]
    client = Client()
    client.force_login(world["datamanager"], backend="django.contrib.auth.backends.ModelBackend")
    path = reverse("subject_erase", args=[one.subject_id])
    assert path in client.get(reverse("scan", args=[one.pk])).content.decode()
    page = client.get(path).content.decode()
    assert all(words in page for words in ("Images: volume, preview", "Audit log", one.subject.pseudonym))
    assert client.post(path, {"reason": "asked", "confirmation": "no"}).status_code == 422
    client.post(path, {"reason": "asked", "confirmation": one.subject.pseudonym})
    assert client.get(path).status_code == 404
    assert client.get(f"/api/v1/scans/{one.pk}/volume").status_code == 410
    assert client.get(reverse("scan", args=[one.pk])).status_code == 200

    api, route = log_in(world, "admin"), f"/api/v1/subjects/{two.subject_id}/erasure"
    plan = api.get(route).json()
    assert plan["scans"] == [two.code]
    assert {line["fate"] for line in plan["plan"]} >= {"erased", "kept"}
    told = api.post(route, {"reason": "asked", "confirmation": plan["subject"]}, "application/json")
    assert (told.status_code, told.json()["scans"]) == (200, [two.code])

    call_command("erase_subject", three.code, json=True)
    name = json.loads(capsys.readouterr().out)["subject"]
    call_command("erase_subject", three.code, confirm=name, user="datamanager", reason="asked", json=True)
    assert json.loads(capsys.readouterr().out) == {"subject": name, "scans": [three.code]}
    for arguments, code in (({}, 2), ({"confirm": "x", "user": "datamanager"}, 1), ({"confirm": "x"}, 2)):
        with pytest.raises(CommandError) as error:
            call_command("erase_subject", "VX-Z-0009" if not arguments else world.scans[3].code, **arguments)
        assert error.value.returncode == code
