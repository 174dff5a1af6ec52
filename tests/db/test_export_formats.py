"""Exports in the formats that were chosen, out of stored packs and revisions, and their signature."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from django.core.management import call_command
from django.test import Client

from annotation.datasets import services
from annotation.datasets.downloading import find_export
from annotation.datasets.estimating import estimate_export
from annotation.datasets.exporters.choices import BY_KEY
from annotation.datasets.exporting import write_export
from annotation.datasets.models import Export
from annotation.datasets.verify import verify
from tests.db.test_exports import exported, frozen, left_over
from tests.factories.world import SHAPE, World, volume_of
from voxloop.jobs.running import run
from voxloop.kernel.errors import Conflict, Invalid


@pytest.mark.django_db
def test_other_formats_take_the_place_of_the_earlier_export(world: World, settings: Any, client: Client) -> None:
    release, manager = frozen(world), world["datamanager"]
    plain = exported(world, release)
    more = services.request_export(release_id=release.pk, actor=manager, formats=["nnunet"])
    assert services.request_export(release_id=release.pk, actor=manager, formats=["nnunet", "nifti"]) == more
    with pytest.raises(Conflict) as running:
        services.request_export(release_id=release.pk, actor=manager)
    assert running.value.code == "export_running"
    run(more.job_id, write_export)
    more.refresh_from_db()
    assert more.formats == ["nifti", "dicom_seg", "nnunet"]
    folder = settings.EXPORT_ROOT / "chest-ct-r1"
    assert verify(folder, seal=more.seal).faults == []
    raw = folder / "nnunet/Dataset100_ChestCt"
    assert json.loads((raw / "dataset.json").read_text())["numTraining"] == len(list((raw / "imagesTr").iterdir()))
    with pytest.raises(Conflict) as replaced:
        find_export(plain.pk, manager)
    assert replaced.value.code == "export_replaced"
    assert find_export(more.pk, manager) == more
    client.force_login(manager, backend="django.contrib.auth.backends.ModelBackend")
    page = " ".join(client.get(f"/releases/{release.pk}/").content.decode().split())
    assert "with nnU-Net v2" in page
    assert page.count("Replaced by a later export") == 1


@pytest.mark.django_db
def test_every_format_is_written_from_the_pack_and_signed(world: World, settings: Any, tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    settings.SIGNING_KEY = str(tmp_path / "key.pem")
    Path(settings.SIGNING_KEY).write_bytes(pem)
    release = frozen(world)
    export = exported(world, release, formats=list(BY_KEY))
    folder = settings.EXPORT_ROOT / "chest-ct-r1"
    verdict = verify(folder, seal=export.seal)
    assert (verdict.faults, len(verdict.signed_by)) == ([], 64)
    assert export.job.result["signed_by"] == verdict.signed_by
    public = tmp_path / "public.pem"
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    call_command("verify_release", str(folder), "--key", str(public), stdout=(said := StringIO()))
    assert f"key      {verdict.signed_by}" in said.getvalue()
    public.write_bytes(
        Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    with pytest.raises(SystemExit):
        call_command("verify_release", str(folder), "--key", str(public), stdout=(said := StringIO()))
    assert "[other_signer]" in said.getvalue()
    assert {path for path, _, _ in export.files} >= {"SHA256SUMS.sig", "SHA256SUMS.pem", "signature.py"}
    for entry in release.manifest["scans"]:
        seed = next(n for n, scan in enumerate(world.scans) if scan.code == entry["code"])
        slices = [pydicom.dcmread(path) for path in sorted((folder / "dicom" / entry["code"]).iterdir())]
        np.testing.assert_array_equal([image.pixel_array for image in slices], volume_of(seed, SHAPE))
        assert {image.SeriesInstanceUID for image in slices} == {world.scans[seed].series.uid}
        report = pydicom.dcmread(folder / f"dicom-sr/{entry['code']}.dcm")
        assert report.StudyInstanceUID == slices[0].StudyInstanceUID


@pytest.mark.django_db
def test_a_signing_key_that_is_none_exports_nothing(world: World, settings: Any, tmp_path: Path) -> None:
    settings.SIGNING_KEY = str(tmp_path / "missing.pem")
    export = exported(world, frozen(world))
    assert (export.job.state, export.job.error_code, export.seal) == ("failed", "bad_signing_key", "")
    assert not (settings.EXPORT_ROOT / "chest-ct-r1").exists()
    assert left_over(settings.EXPORT_ROOT) == []


@pytest.mark.django_db
def test_an_unknown_format_is_refused(world: World) -> None:
    release = frozen(world)
    with pytest.raises(Invalid) as refusal:
        services.request_export(release_id=release.pk, actor=world["datamanager"], formats=["tiff"])
    assert refusal.value.code == "unknown_format"
    assert "nnunet" in refusal.value.detail
    assert not Export.objects.exists()


@pytest.mark.django_db
def test_the_estimate_is_within_a_factor_of_two_of_the_export(world: World, settings: Any) -> None:
    """Of the whole, and of every format that is not a few kB."""
    release = frozen(world)
    told = estimate_export(release, formats=list(BY_KEY))
    export = exported(world, release, formats=list(BY_KEY))
    assert (told.scans, told.of) == (3, 3)
    assert 0.5 < told.total / export.bytes < 2
    folders = {"images": "images", "labels": "labels", "dicom_seg": "dicom-seg", "dicom": "dicom", "nnunet": "nnunet"}
    folders |= {"dicom_seg_labelmap": "dicom-seg-labelmap", "dicom_sr": "dicom-sr", "tables": "tables"}
    for key, folder in (
        folders | {"paper": "paper", "coco": "coco", "bids": "bids", "nifti_original": "nifti-original"}
    ).items():
        written = sum(size for path, size, _ in export.files if path.startswith(f"{folder}/"))
        assert 0.5 < told.bytes[key] / written < 2, (key, told.bytes[key], written)
    part = estimate_export(release, formats=[], sites=[release.manifest["scans"][0]["site"]])
    assert part.scans < 3
    assert part.total < told.total
