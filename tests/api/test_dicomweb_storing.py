"""STOW-RS: instances go the way of every upload, and the answer says so, instance by instance."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pydicom
import pytest
from django.conf import settings as django_settings
from django.test import Client
from pydicom.dataset import Dataset
from rest_framework.exceptions import ParseError

from annotation.dicomweb.related import spool_parts
from annotation.intake.limits import Limits
from annotation.intake.tasks import import_scans
from annotation.scans.models import Scan
from annotation.scans.volumes import read_voxels
from tests.factories.dicomweb import WEB
from tests.factories.world import World
from tests.unit.intake.series import change, hu, make_series
from voxloop.accounts.tokens import issue_token
from voxloop.jobs.models import Job

pytestmark = pytest.mark.django_db

KIND = 'multipart/related; type="application/dicom"; boundary=b0'
TARGET = "?campaign=chest-ct&site=a"


def body_of(files: list[bytes]) -> bytes:
    head = b"--b0\r\nContent-Type: application/dicom\r\n\r\n"
    return b"\r\n".join(head + file for file in files) + b"\r\n--b0--\r\n"


def send(
    world: World,
    files: list[bytes],
    *,
    who: str = "datamanager",
    path: str = "/studies",
    kind: str = KIND,
    accept: str = "*/*",
) -> Any:
    client = Client()
    client.defaults["HTTP_AUTHORIZATION"] = f"Token {issue_token(user=world[who], scopes=['manage'])[1]}"
    where = path if "?" in path else f"{path}{TARGET}"
    return client.post(f"{WEB}{where}", body_of(files), content_type=kind, HTTP_ACCEPT=accept)


def read(answer: Any) -> Dataset:
    return Dataset.from_json(answer.content.decode())


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return make_series(tmp_path / "in")


def test_a_series_waits_for_its_import_and_becomes_a_scan(world: World, files: list[Path]) -> None:
    answer = send(world, [path.read_bytes() for path in files])
    assert answer.status_code == 202, answer.content
    told = read(answer)
    sent = [pydicom.dcmread(path).SOPInstanceUID for path in files]
    assert [one.ReferencedSOPInstanceUID for one in told.ReferencedSOPSequence] == sent
    # Every UID is replaced by a code of the campaign, so nothing can be retrieved by those that were sent.
    assert {one.WarningReason for one in told.ReferencedSOPSequence} == {0xB000}
    assert "FailedSOPSequence" not in told
    assert not any("RetrieveURL" in one for one in told.ReferencedSOPSequence)
    job = Job.objects.get(pk=answer["Location"].rstrip("/").rpartition("/")[2])
    assert (job.kind, job.state, job.requested_by) == ("import_scans", "queued", world["datamanager"])
    assert not list((django_settings.WORK_DIR / "uploads").glob("*"))
    before = Scan.objects.count()
    import_scans(str(job.pk))
    job.refresh_from_db()
    assert (job.state, Scan.objects.count()) == ("succeeded", before + 1)
    scan = Scan.objects.get(pk=job.result["scans"][0]["id"])
    np.testing.assert_array_equal(read_voxels(scan), hu())
    assert scan.series.uid not in sent


def test_what_names_a_patient_is_refused_with_its_series(world: World, files: list[Path], tmp_path: Path) -> None:
    """One file of it is enough; the other series comes in. The answer names attributes and UIDs, never a value."""
    others = make_series(tmp_path / "other", seed=2, subject="P-0002")
    change(files, lambda n, image: setattr(image, "PatientName", "Muster^Erika") if n == 3 else None)
    answer = send(world, [path.read_bytes() for path in [*files, *others]] + [b"not DICOM at all"])
    assert answer.status_code == 202
    told = read(answer)
    assert len(told.FailedSOPSequence) == len(files)
    assert {one.FailureReason for one in told.FailedSOPSequence} == {0x0110}
    assert len(told.ReferencedSOPSequence) == len(others)
    assert [one.FailureReason for one in told.OtherFailuresSequence] == [0xC000]
    assert "1 refused: The files still carry Patient Name" in answer["Warning"]
    assert "7 refused: Another file of its series is refused." in answer["Warning"]
    assert "Erika" not in answer["Warning"] + answer.content.decode()
    import_scans(answer["Location"].rstrip("/").rpartition("/")[2])
    scan = Scan.objects.latest("created_at")
    np.testing.assert_array_equal(read_voxels(scan), hu(2))

    refused = send(world, [files[3].read_bytes()])
    assert (refused.status_code, refused.has_header("Location")) == (409, False)
    assert refused["Voxloop-Code"] == "instances_refused"
    assert "ReferencedSOPSequence" not in read(refused)
    assert Job.objects.count() == 1


def test_an_address_of_a_study_takes_no_other(world: World, files: list[Path]) -> None:
    answer = send(world, [files[0].read_bytes()], path="/studies/1.2.3")
    assert (answer.status_code, read(answer).FailedSOPSequence[0].FailureReason) == (409, 0xA900)
    study = pydicom.dcmread(files[0]).StudyInstanceUID
    assert send(world, [path.read_bytes() for path in files], path=f"/studies/{study}").status_code == 202


def test_the_answer_as_xml(world: World, files: list[Path]) -> None:
    answer = send(world, [files[0].read_bytes()], accept="application/dicom+xml")
    assert (answer.status_code, answer["Content-Type"]) == (202, "application/dicom+xml")
    root = ElementTree.fromstring(answer.content)
    assert root.tag == "NativeDicomModel"
    (sequence,) = root
    assert (sequence.get("keyword"), sequence.get("vr")) == ("ReferencedSOPSequence", "SQ")
    told = {one.get("keyword"): one.findtext("Value") for one in sequence[0]}
    assert told["ReferencedSOPInstanceUID"] == pydicom.dcmread(files[0]).SOPInstanceUID
    assert told["WarningReason"] == str(0xB000)


@pytest.mark.parametrize(
    ("who", "status"),
    [("outsider", 403), ("annotator", 403), ("reviewer", 403), ("admin", 403), ("coordinator", 202)],
)
def test_who_may_upload_may_store(world: World, files: list[Path], who: str, status: int) -> None:
    """As on the upload page: coordinators and data managers of the campaign; they need not be able to read here."""
    answer = send(world, [files[0].read_bytes()], who=who)
    assert answer.status_code == status
    assert Job.objects.count() == (1 if status == 202 else 0)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("?site=a", 202, ""),  # the only campaign
        ("?campaign=chest-ct", 422, "which_site"),
        ("?campaign=nope&site=a", 404, "not_found"),
        ("?campaign=chest-ct&site=nope", 404, "not_found"),
    ],
)
def test_where_it_goes(world: World, files: list[Path], query: str, status: int, code: str) -> None:
    answer = send(world, [files[0].read_bytes()], path=f"/studies{query}")
    assert answer.status_code == status
    assert not code or answer.json()["code"] == code


def test_two_campaigns_must_be_told_apart(world: World, files: list[Path]) -> None:
    from_one = dict(world.campaign.__class__.objects.values().get(pk=world.campaign.pk))
    other = world.campaign.__class__(**{**from_one, "id": None, "slug": "other", "name": "Other"})
    other.pk = world["admin"].pk
    other.save(force_insert=True)
    other.members.create(user=world["datamanager"], role="data_manager")
    answer = send(world, [files[0].read_bytes()], path="/studies?site=a")
    assert (answer.status_code, answer.json()["code"]) == (422, "which_campaign")


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("application/dicom", 415, "unsupported_media_type"),
        ('multipart/related; type="application/dicom+json"; boundary=b0', 415, "unsupported_media_type"),
        ('multipart/related; type="application/dicom"', 400, "bad_multipart"),
        ('multipart/related; type="application/dicom"; boundary=other', 400, "bad_multipart"),
    ],
)
def test_other_bodies_are_refused(world: World, files: list[Path], kind: str, status: int, code: str) -> None:
    answer = send(world, [files[0].read_bytes()], kind=kind)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not list((django_settings.WORK_DIR / "uploads").glob("*"))


def test_nothing_in_it(world: World) -> None:
    answer = send(world, [])
    assert (answer.status_code, answer.json()["code"]) == (422, "nothing_found")


def test_a_file_without_a_uid_is_no_instance(world: World, files: list[Path]) -> None:
    image = pydicom.dcmread(files[0])
    del image.SOPInstanceUID
    written = BytesIO()
    image.save_as(written)
    answer = send(world, [written.getvalue()])
    assert answer.status_code == 409
    assert "no DICOM instance with a UID" in answer["Warning"]  # no_instance
    assert [one.FailureReason for one in read(answer).OtherFailuresSequence] == [0xC000]
    assert json.loads(answer.content)


class TestParts:
    """The reader of bodies, whatever the sizes of the blocks."""

    @pytest.mark.parametrize("block", [1, 2, 7, 4096])
    def test_parts_are_what_was_sent(self, tmp_path: Path, block: int) -> None:
        sent = [b"", b"\r\n--b", b"a\r\n--b1\r\n--b0x"[:9], bytes(range(256)) * 3, b"--b0--", b"\r\n\r\n"]
        source = BytesIO(b"preamble\r\n" + body_of(sent) + b"epilogue")
        paths = spool_parts(lambda most: source.read(min(block, most)), "b0", tmp_path, Limits())
        assert [path.read_bytes() for path in paths] == sent

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"--b0",
            b"--b0\r\nContent-Type: application/dicom\r\n\r\nhalf a fi",
            b"--b0\r\nContent-Type: text/html\r\n\r\nx\r\n--b0--",
            b"--b0\r\n\r\nx\r\n--b0--",
            b"--b0garbage\r\nContent-Type: application/dicom\r\n\r\nx\r\n--b0--",
            b"--b0\r\n" + b"X: y\r\n" * 5000,
        ],
    )
    def test_broken_bodies(self, tmp_path: Path, body: bytes) -> None:
        with pytest.raises(ParseError):
            spool_parts(BytesIO(body).read, "b0", tmp_path, Limits())

    def test_limits(self, tmp_path: Path) -> None:
        body = body_of([b"x" * 100] * 3)
        with pytest.raises(ParseError, match="at most 2 instances"):
            spool_parts(BytesIO(body).read, "b0", tmp_path, Limits(most_files=2))
        (tmp_path / "big").mkdir()
        with pytest.raises(ParseError, match="larger than"):
            spool_parts(
                BytesIO(body_of([b"x" * 3_000_000])).read, "b0", tmp_path / "big", Limits(most_file_bytes=1 << 20)
            )
