"""Re-keying of identifiers at intake: keys, subjects, and a changed secret."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection

from annotation.datasets.services import freeze_release
from annotation.intake.services import import_now
from annotation.scans.models import PseudonymKey, Scan, Series, Study, Subject
from annotation.scans.pseudonyms import open_key
from annotation.work.campaigns import create_campaign, key_of, set_member
from annotation.work.standard import CHEST_CT
from tests.db.test_releases import draft
from tests.factories.world import World, approve, first_of, label, publish
from tests.unit.intake.series import change, make_series
from voxloop.accounts.roles import Role
from voxloop.kernel.errors import Conflict, Invalid

pytestmark = pytest.mark.django_db


def bring(world: World, folder: Path, *, site: str = "a", campaign: Any = None) -> list[Scan]:
    told = import_now(
        path=folder, site=world.sites[site], campaign=campaign or world.campaign, actor=world["datamanager"]
    )
    return [Scan.objects.get(pk=row["id"]) for row in told["scans"]]


def another_campaign(world: World) -> Any:
    made = create_campaign(name="Other", slug="other", definition=CHEST_CT, actor=world["admin"])
    set_member(campaign=made, user=world["datamanager"], role=Role.DATA_MANAGER, actor=world["admin"])
    return made


def second_study(folder: Path, **fields: str) -> Path:
    """Another study of the same patient: other voxels, other UIDs."""
    wanted = {"StudyInstanceUID": "1.2.3.77", "SeriesInstanceUID": "1.2.3.77.1", **fields}

    def edit(number: int, data: Any) -> None:
        for name, value in {**wanted, "SOPInstanceUID": f"1.2.3.77.1.{number}"}.items():
            setattr(data, name, value)

    change(make_series(folder, seed=2), edit)
    return folder


def test_what_the_files_said_is_nowhere_and_the_codes_are_of_the_campaigns_key(world: World, tmp_path: Path) -> None:
    paths = make_series(tmp_path / "in")
    said: list[str] = []
    change(paths, lambda n, d: said.extend([d.StudyInstanceUID, d.SeriesInstanceUID, d.SOPInstanceUID]))
    (scan,) = bring(world, tmp_path / "in")
    codes = open_key(key_of(world.campaign))
    assert scan.subject.pseudonym == codes.subject("a", "patient", "P-0001")
    assert (scan.series.study.uid, scan.series.uid) == (codes.uid(said[0]), codes.uid(said[1]))
    assert scan.facts["sop_instance_uids"] == [codes.uid(uid) for uid in said[2::3]]
    assert all(uid.startswith("2.25.") and len(uid) <= 64 for uid in scan.facts["sop_instance_uids"])
    assert len({codes.uid("1.2.3"), codes.uid("1.2.4")}) == 2


def test_two_studies_share_the_subject_and_the_same_number_elsewhere_is_another_person(
    world: World, tmp_path: Path
) -> None:
    make_series(tmp_path / "one")
    (one,) = bring(world, tmp_path / "one")
    (two,) = bring(world, second_study(tmp_path / "two"))
    (elsewhere,) = bring(world, tmp_path / "one", site="b")
    assert one.subject == two.subject
    assert one.series.study != two.series.study
    assert elsewhere.subject.pseudonym != one.subject.pseudonym


def test_a_patient_keeps_the_code_in_another_campaign_and_the_same_scan_is_one(world: World, tmp_path: Path) -> None:
    make_series(tmp_path / "one")
    (one,) = bring(world, tmp_path / "one")
    other = another_campaign(world)
    told = import_now(path=tmp_path / "one", site=world.sites["a"], campaign=other, actor=world["datamanager"])
    assert told["scans"] == [{"id": str(one.pk), "code": one.code, "new": False, "state": "ready"}]
    (two,) = bring(world, second_study(tmp_path / "two"), campaign=other)
    assert two.subject == one.subject
    # The second study uses the first one's key, so that a study sent to both campaigns has one UID.
    assert two.series.study.uid == open_key(key_of(world.campaign)).uid("1.2.3.77")
    assert key_of(other) != key_of(world.campaign)


@pytest.mark.parametrize("dummy", ["ANONYMOUS", "", "0", "REMOVED"])
def test_a_patient_id_that_names_nobody_merges_nobody(world: World, tmp_path: Path, dummy: str) -> None:
    change(make_series(tmp_path / "in" / "1"), lambda n, d: setattr(d, "PatientID", dummy))
    second_study(tmp_path / "in" / "2", PatientID=dummy)
    told = import_now(path=tmp_path / "in", site=world.sites["a"], campaign=world.campaign, actor=world["datamanager"])
    one, two = (Scan.objects.get(pk=row["id"]) for row in told["scans"])
    assert one.subject != two.subject
    assert one.subject.is_unnamed
    assert "no Patient ID of their own" in told["notes"][0]


@pytest.mark.parametrize(("value", "code"), [("Doe, Jane", "patient_id_is_name"), ("19631204", "patient_id_is_date")])
def test_a_patient_id_that_names_somebody_leaves_nothing(world: World, tmp_path: Path, value: str, code: str) -> None:
    change(make_series(tmp_path / "in"), lambda n, d: setattr(d, "PatientID", value))
    scans = Scan.objects.count()
    with pytest.raises(Invalid) as refusal:
        bring(world, tmp_path / "in")
    assert refusal.value.code == code
    assert value not in refusal.value.detail
    assert Scan.objects.count() == scans


def test_a_series_that_was_refused_and_comes_whole_has_its_study_and_instances(world: World, tmp_path: Path) -> None:
    paths = make_series(tmp_path / "whole")
    make_series(tmp_path / "part")
    (tmp_path / "part" / paths[4].name).unlink()
    with pytest.raises(Invalid, match="slices are missing"):
        bring(world, tmp_path / "part")
    refused = Scan.objects.get(state="rejected")
    (scan,) = bring(world, tmp_path / "whole")
    assert (refused.state, scan.state) == ("rejected", "ready")
    assert scan.series == refused.series
    assert scan.series is not None
    assert len(set(scan.facts["sop_instance_uids"])) == len(paths)


def test_another_secret_is_said_and_the_old_one_opens_until_all_is_sealed_anew(
    world: World, tmp_path: Path, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    make_series(tmp_path / "one")
    (scan,) = bring(world, tmp_path / "one")
    before = settings.SEALING_SECRETS
    settings.SEALING_SECRETS = ["a new secret"]
    with pytest.raises(Conflict) as refusal:
        bring(world, second_study(tmp_path / "two"))
    assert refusal.value.code == "key_sealed"
    with pytest.raises(CommandError) as error:
        call_command("reseal_keys", json=True)
    assert error.value.returncode == 1
    settings.SEALING_SECRETS = ["a new secret", *before]
    call_command("reseal_keys", json=True)
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"resealed": PseudonymKey.objects.count()}
    settings.SEALING_SECRETS = ["a new secret"]
    (two,) = bring(world, tmp_path / "two")
    assert two.subject == scan.subject


def test_no_key_is_made_that_ends_with_the_process(world: World, tmp_path: Path, settings: Any) -> None:
    settings.SEALING_SECRETS = []
    make_series(tmp_path / "one")
    with pytest.raises(Conflict) as refusal:
        bring(world, tmp_path / "one")
    assert refusal.value.code == "no_server_secret"


def test_the_key_shows_in_no_text(world: World) -> None:
    key = key_of(world.campaign)
    opened = open_key(key)
    assert repr(opened._secret) not in f"{opened!r} {key!r}"
    assert opened._secret not in bytes(key.sealed)


def test_rows_of_before_are_rekeyed_and_parted(world: World, tmp_path: Path) -> None:
    """The data migrations on a database that holds what older versions stored."""
    assignment = first_of(publish(world, size=1))
    label(world, assignment)
    approve(world, assignment)
    scan = assignment.scan
    old = {
        "kernel": "MEIER",
        "manufacturer": "GE MEDICAL SYSTEMS",
        "model": "LightSpeed Plus",
        "slice_thickness_mm": 2.5,
        "frame_of_reference_uid": "1.2.9",
        "sop_instance_uids": ["1.2.9.1", "1.2.9.2"],
    }
    Scan.objects.filter(pk=scan.pk).update(facts=old, description="CT, kernel MEIER, 2.5 mm")
    # Two people under one dummy, merged by older versions.
    first, second = world.scans[1], world.scans[4]
    Subject.objects.filter(pk=first.subject_id).update(pseudonym="ANONYMOUS")
    Scan.objects.filter(pk=second.pk).update(subject=first.subject)
    Study.objects.filter(pk=second.series.study_id).update(subject=first.subject)
    release = freeze_release(release_id=draft(world).pk, actor=world["datamanager"])
    originals = {row.pseudonym for row in Subject.objects.all()} | {
        *Study.objects.values_list("uid", flat=True),
        *Series.objects.values_list("uid", flat=True),
        "1.2.9",
    }
    Subject.objects.update(key=None)
    with connection.schema_editor() as editor:
        import_module("annotation.intake.migrations.0001_rekey").rekey(apps, editor)
    with connection.schema_editor() as editor:
        import_module("annotation.datasets.migrations.0004_rekeyed_manifests").rekey(apps, editor)
    scan.refresh_from_db()
    release.refresh_from_db()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (scan.facts["kernel"], scan.facts["manufacturer"], scan.facts["model"]) == ("other", "GE", "LightSpeed")
    assert scan.description == "CT, 2.5 mm"
    assert first.subject != second.subject
    assert first.subject.is_unnamed
    stored = json.dumps([release.manifest, list(Scan.objects.values_list("facts", flat=True))]) + " ".join(
        [
            *Subject.objects.values_list("pseudonym", flat=True),
            *Study.objects.values_list("uid", flat=True),
            *Series.objects.values_list("uid", flat=True),
        ]
    )
    assert [uid for uid in originals if f'"{uid}"' in stored or f" {uid} " in stored] == []
    entry = release.manifest["scans"][0]
    assert entry["uids"]["series"] == scan.series.uid
    assert entry["uids"]["frame_of_reference"] == scan.facts["frame_of_reference_uid"]
    assert len(release.manifest["release"]["rekeyed_from"]) == 64
    assert not Subject.objects.filter(key=None).exists()
