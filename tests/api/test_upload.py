"""Upload over HTTP: 202 with a job, or a problem document; a refusal leaves no file."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pydicom import dcmread

from annotation.intake.tasks import import_scans
from annotation.scans.models import Scan
from tests.api.test_loop_over_http import log_in
from tests.factories.world import World
from tests.unit.intake.series import change, make_series
from voxloop.audit.models import AuditEntry

pytestmark = pytest.mark.django_db


def send(client: Client, name: str, content: bytes, **fields: str) -> Any:
    body = {"site": "a", "campaign": "chest-ct"} | fields
    return client.post("/api/v1/scans/upload", {**body, "file": SimpleUploadedFile(name, content)})


def test_upload(world: World, tmp_path: Path) -> None:
    make_series(tmp_path / "in")
    content = Path(shutil.make_archive(str(tmp_path / "in"), "zip", tmp_path / "in")).read_bytes()
    client = log_in(world, "datamanager")
    answer = send(client, "scan.zip", content)
    assert answer.status_code == 202, answer.content
    job = answer.json()
    assert (job["kind"], job["state"]) == ("import_scans", "queued")
    import_scans(job["id"])
    done = client.get(f"/api/v1/jobs/{job['id']}/").json()
    assert done["state"] == "succeeded"
    assert Scan.objects.get(pk=done["result"]["scans"][0]["id"]).state == "ready"


def test_what_is_doubtful_comes_in_when_a_person_says_why(world: World, tmp_path: Path) -> None:
    """And a stray file is named in the result, on its page and in its table."""
    paths = make_series(tmp_path / "in")
    change(paths, lambda n, dataset: setattr(dataset, "ImageType", ["DERIVED", "PRIMARY", "AXIAL"]))
    stray = dcmread(paths[0])
    stray.SOPInstanceUID, stray.ImageType = "1.2.3.4", ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    stray.save_as(tmp_path / "in" / "scout.dcm")
    content = Path(shutil.make_archive(str(tmp_path / "in"), "zip", tmp_path / "in")).read_bytes()
    client = log_in(world, "datamanager")
    first = send(client, "scan.zip", content).json()["id"]
    import_scans(first)
    refused = client.get(f"/api/v1/jobs/{first}/").json()
    assert (refused["state"], "Take in nevertheless" in refused["error"]) == ("failed", True)

    why = "A reformat of the scanner"
    second = send(client, "scan.zip", content, nevertheless=why).json()["id"]
    import_scans(second)
    done = client.get(f"/api/v1/jobs/{second}/").json()
    (scan,) = Scan.objects.filter(pk__in=[row["id"] for row in done["result"]["scans"]])
    assert scan.facts["overruled"] == ["derived"]
    client.force_login(world["datamanager"])
    assert "Taken in nevertheless" in client.get(f"/scans/{scan.pk}/").content.decode()
    assert [entry.why for entry in AuditEntry.objects.filter(action="scans.received")] == ["", why]
    (aside,) = done["result"]["refused"]
    assert (aside["code"], aside["files"], aside["scan"]) == ("set_aside", 1, None)
    assert aside["reason"].startswith("1 file is a localiser (an overview): set aside")
    page = client.get(f"/jobs/{second}/").content.decode()
    assert "Set aside" in page
    assert "1 series: 1 came in. 1 file was set aside." in page


@pytest.mark.parametrize(
    ("who", "name", "fields", "status"),
    [
        ("datamanager", "scan.exe", {}, 422),
        ("datamanager", "scan.zip", {"site": "nope"}, 404),
        ("datamanager", "scan.zip", {"campaign": "nope"}, 404),
        ("annotator", "scan.zip", {}, 403),
        ("outsider", "scan.zip", {}, 404),
    ],
)
def test_refused(world: World, who: str, name: str, fields: dict[str, str], status: int) -> None:
    answer = send(log_in(world, who), name, b"x", **fields)
    assert answer.status_code == status, answer.content
    assert answer.json()["code"]
    assert not list((settings.WORK_DIR).rglob("*.zip"))


def test_too_large_is_refused_before_the_body_is_read(world: World, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 1000
    answer = send(log_in(world, "datamanager"), "scan.zip", bytes(2 << 20))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
