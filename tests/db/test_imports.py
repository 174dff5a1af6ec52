"""Imports through services and commands: scans, refusals, masks; broken uploads leave nothing behind."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from annotation.intake import services
from annotation.intake.tasks import import_scans
from annotation.masks.models import MaskRevision
from annotation.masks.store import load_labels
from annotation.scans.models import Scan
from annotation.scans.pseudonyms import open_key
from annotation.work.campaigns import key_of
from tests.factories.world import World, make_scan
from tests.unit.intake.series import GEOMETRY, SHAPE, change, hu, make_series
from tests.unit.intake.test_nifti import write
from voxloop.jobs.models import Job
from voxloop.jobs.services import cancel
from voxloop.storage.store import open_store
from voxloop.volume.pack import VolumeIndex, decode_pack

pytestmark = pytest.mark.django_db


def files_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def upload(world: World, source: Path) -> Job:
    return services.receive_upload(
        upload=SimpleUploadedFile(source.name, source.read_bytes()),
        site=world.sites["a"],
        campaign=world.campaign,
        actor=world["datamanager"],
    )


def zip_of(folder: Path) -> Path:
    return Path(shutil.make_archive(str(folder), "zip", folder))


def test_upload_becomes_a_ready_scan(world: World, tmp_path: Path, commit: Callable[..., Any]) -> None:
    make_series(tmp_path / "in" / "good")
    change(make_series(tmp_path / "in" / "bad", subject="P-0002"), lambda n, d: setattr(d, "BurnedInAnnotation", "YES"))
    before = Scan.objects.count()
    job = upload(world, zip_of(tmp_path / "in"))
    commit(import_scans, str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.progress, job.error) == ("succeeded", 100, "")
    (told,) = job.result["scans"]
    scan = Scan.objects.get(pk=told["id"])
    assert (scan.state, scan.site.code) == ("ready", "a")
    assert scan.subject.pseudonym == open_key(key_of(world.campaign)).subject("a", "patient", "P-0001")
    assert len(scan.facts["sop_instance_uids"]) == SHAPE[0]
    index = VolumeIndex.from_json(scan.index)
    pack = open_store(settings.STORAGE_URL).get(scan.pack_key)
    assert (decode_pack(pack, index.pack, SHAPE) == hu()).all()
    assert world.campaign.campaign_scans.filter(scan=scan).exists()
    rejected = Scan.objects.get(code=job.result["refused"][0]["scan"])
    assert (rejected.state, rejected.reason_code) == ("rejected", "burned_in_annotation")
    assert Scan.objects.count() == before + 2
    assert not files_under(settings.WORK_DIR)

    again = upload(world, tmp_path / "in.zip")
    commit(import_scans, str(again.pk))
    again.refresh_from_db()
    assert again.result["scans"][0] == told | {"new": False}
    assert Scan.objects.count() == before + 2


@pytest.mark.parametrize("content", [b"no zip at all", b"PK\x05\x06" + bytes(18), b"PK\x03\x04" + b"x" * 200])
@pytest.mark.fault("a broken file is uploaded")
def test_a_broken_upload_leaves_nothing_behind(
    world: World, tmp_path: Path, content: bytes, commit: Callable[..., Any]
) -> None:
    (tmp_path / "in.zip").write_bytes(content)
    scans, objects = Scan.objects.count(), len(files_under(settings.STATE_DIR / "objects"))
    job = upload(world, tmp_path / "in.zip")
    commit(import_scans, str(job.pk))
    job.refresh_from_db()
    assert job.state == "failed"
    assert job.error_code in {"nothing_found", "archive_broken"}
    assert job.error.endswith(".")
    assert Scan.objects.count() == scans
    assert len(files_under(settings.STATE_DIR / "objects")) == objects
    assert not files_under(settings.WORK_DIR)


def test_a_named_patient_leaves_nothing_behind(world: World, tmp_path: Path, commit: Callable[..., Any]) -> None:
    change(make_series(tmp_path / "in"), lambda n, d: setattr(d, "PatientName", "Doe^Jane"))
    scans = Scan.objects.count()
    job = upload(world, zip_of(tmp_path / "in"))
    commit(import_scans, str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.error_code) == ("failed", "not_deidentified")
    assert Scan.objects.count() == scans
    assert not files_under(settings.WORK_DIR)


def test_an_import_whose_scans_are_all_refused_has_failed_and_says_why(
    world: World, tmp_path: Path, commit: Callable[..., Any]
) -> None:
    change(make_series(tmp_path / "in"), lambda n, d: setattr(d, "BurnedInAnnotation", "YES"))
    change(make_series(tmp_path / "in" / "sr", subject="P-0009"), lambda n, d: setattr(d, "Modality", "MR"))
    job = upload(world, zip_of(tmp_path / "in"))
    commit(import_scans, str(job.pk))
    job.refresh_from_db()
    assert job.state == "failed"
    assert job.error_code in {"burned_in_annotation", "wrong_modality"}
    assert job.error.startswith("No scan was imported: all 2 series were refused.")
    assert job.result["scans"] == []
    assert {one["code"] for one in job.result["refused"]} == {"burned_in_annotation", "wrong_modality"}
    assert Scan.objects.filter(state="rejected", reason_code="burned_in_annotation").count() == 1
    assert not files_under(settings.WORK_DIR)


def test_the_command_names_every_refusal(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(make_series(tmp_path / "in"), lambda n, d: setattr(d, "BurnedInAnnotation", "YES"))
    for as_json in (False, True):
        with pytest.raises(CommandError, match="No scan was imported") as error:
            run(world, "import_dicom", tmp_path / "in", json=as_json)
        assert error.value.returncode == 1
        assert "burned_in_annotation" in capsys.readouterr().out


def test_a_cancelled_import_leaves_nothing_behind(world: World, tmp_path: Path, commit: Callable[..., Any]) -> None:
    make_series(tmp_path / "in")
    job = upload(world, zip_of(tmp_path / "in"))
    store = open_store(settings.STORAGE_URL)
    assert [entry.key for entry in store.list("uploads")] == [job.payload["upload"]]
    commit(cancel, job_id=job.pk, actor=world["datamanager"])
    assert not list(store.list("uploads"))
    assert not files_under(settings.WORK_DIR)


def run(world: World, command: str, *words: Any, **options: Any) -> None:
    call_command(command, *map(str, words), site="b", campaign=world.campaign.slug, **options)


def test_import_dicom_command(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_series(tmp_path / "in")
    run(world, "import_dicom", tmp_path / "in", json=True)
    result = json.loads(capsys.readouterr().out)
    assert Scan.objects.get(pk=result["scans"][0]["id"]).site.code == "b"
    run(world, "import_dicom", tmp_path / "in", user="datamanager")
    assert "already imported" in capsys.readouterr().out


def test_import_nifti_command_with_mask(world: World, tmp_path: Path) -> None:
    labels = (hu() > 2000).astype(np.uint8)
    volume, mask = write(tmp_path / "v.nii.gz", hu(), GEOMETRY), write(tmp_path / "m.nii.gz", labels, GEOMETRY)
    for _ in range(2):
        run(world, "import_nifti", volume, mask=mask, json=True)
    revision = MaskRevision.objects.get(kind="import")
    assert revision.layer == "findings"
    assert (load_labels(revision, SHAPE) == labels).all()


def test_a_mask_with_strange_values_stores_nothing(world: World, tmp_path: Path) -> None:
    labels = np.full(SHAPE, 200, np.uint8)
    volume, mask = write(tmp_path / "v.nii.gz", hu(), GEOMETRY), write(tmp_path / "m.nii.gz", labels, GEOMETRY)
    scans, objects = Scan.objects.count(), len(files_under(settings.STATE_DIR / "objects"))
    with pytest.raises(CommandError, match=r"values \[200\]") as error:
        run(world, "import_nifti", volume, mask=mask)
    assert error.value.returncode == 1
    assert Scan.objects.count() == scans
    assert len(files_under(settings.STATE_DIR / "objects")) == objects


@pytest.mark.parametrize(
    ("change_options", "code"),
    [({"site": "zz"}, 2), ({"campaign": "zz"}, 2), ({"user": "nobody"}, 2), ({"user": "annotator"}, 1)],
)
def test_command_refuses_in_words(world: World, tmp_path: Path, change_options: dict[str, str], code: int) -> None:
    make_series(tmp_path / "in")
    options = {"site": "a", "campaign": world.campaign.slug} | change_options
    with pytest.raises(CommandError) as error:
        call_command("import_dicom", str(tmp_path / "in"), **options)
    assert error.value.returncode == code
    assert str(error.value).endswith(".")


def test_command_tells_of_a_missing_folder_and_of_no_scan(world: World, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no file or folder") as error:
        run(world, "import_dicom", tmp_path / "nowhere")
    assert error.value.returncode == 2
    (tmp_path / "empty").mkdir()
    with pytest.raises(CommandError) as error:
        run(world, "import_dicom", tmp_path / "empty")
    assert error.value.returncode == 1


def test_codes_go_on_past_ten_thousand_scans(world: World) -> None:
    site = world.sites["a"]
    for number, code in enumerate(("VX-A-9999", "VX-A-10000")):
        Scan.objects.filter(pk=Scan.objects.filter(site=site).order_by("pk")[number].pk).update(code=code)
    made = [make_scan(world, "a", seed=70 + number).code for number in range(2)]
    assert made == ["VX-A-10001", "VX-A-10002"]
