"""Over 200 identifiers planted in a zip of DICOM series: none is found in any table, file, log, answer or release."""

import gzip
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from pydicom import dcmread
from pydicom.dataset import Dataset

from annotation.datasets import services
from annotation.intake.tasks import import_scans
from annotation.scans.models import Scan
from tests.api.test_loop_over_http import log_in
from tests.db.test_exports import exported
from tests.factories.world import World, approve, label, publish
from tests.unit.intake.series import change, make_series
from voxloop.jobs.models import Job

TEXTS = (
    "InstitutionName",
    "InstitutionalDepartmentName",
    "StationName",
    "ReferringPhysicianName",
    "OperatorsName",
    "PerformingPhysicianName",
    "NameOfPhysiciansReadingStudy",
    "RequestingPhysician",
    "StudyDescription",
    "SeriesDescription",
    "ProtocolName",
    "BodyPartExamined",
    "PatientComments",
    "ImageComments",
    "DeviceSerialNumber",
    "AccessionNumber",
    "StudyID",
    "RequestedProcedureDescription",
    "AdmissionID",
    "Occupation",
    "Manufacturer",
    "ManufacturerModelName",
    "ConvolutionKernel",
    "ContrastBolusAgent",
    "SoftwareVersions",
)
DATES = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "DateOfLastCalibration", "AdmittingDate")
UIDS = (
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "FrameOfReferenceUID",
    "SynchronizationFrameOfReferenceUID",
)

# A pattern of all planted words: faster than searching megabytes for each of them.
CANDIDATES = re.compile(rb"(?i:plant[\w -]*)|1\.2\.826\.0\.1\.3680043\.8\.498\.\d+|(?<!\d)19[5-8]\d{5}(?!\d)")
# The words planted below, in any case and as a part of others; "planted fault" is a word of the product.
OURS = re.compile(rb"(?i)plant[a-z]{1,4}\d{4}|planted[ _-](id|mod)|plantagenet|planter")


class Planted:
    """Generated identifiers, each unique and recognisable."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def text(self, kind: str) -> str:
        return self._keep(f"PLANT{kind[:4].upper()}{len(self.words):04d}Q")

    def date(self) -> str:
        return self._keep(f"19{50 + len(self.words) % 40}{1 + len(self.words) % 12:02d}{1 + len(self.words) % 27:02d}")

    def uid(self) -> str:
        return self._keep(f"1.2.826.0.1.3680043.8.498.{7_000_000_000 + len(self.words)}")

    def _keep(self, word: str) -> str:
        self.words.append(word)
        return word


def plant(folder: Path, planted: Planted, *, seed: int, **fixed: str) -> None:
    """A series with identifiers in every attribute for which the server does not refuse it."""
    shared = {name: planted.uid() for name in UIDS if name != "SOPInstanceUID"} | fixed

    def edit(number: int, data: Dataset) -> None:
        for name in TEXTS:
            setattr(data, name, planted.text(name))
        for name in DATES:
            setattr(data, name, planted.date())
        for name, uid in {**shared, "SOPInstanceUID": planted.uid()}.items():
            setattr(data, name, uid)
        data.preamble = planted.text("pre").encode().ljust(128, b"\0")
        block = data.private_block(0x0031, "PLANTED", create=True)
        block.add_new(1, "LO", planted.text("private"))
        item = Dataset()
        item.RequestedProcedureID, item.PatientName = planted.text("req"), planted.text("name")
        data.RequestAttributesSequence = [item]

    change(make_series(folder, subject=fixed["PatientID"], seed=seed), edit)


def pack(folder: Path, planted: Planted) -> bytes:
    """A zip whose folders and files are named after patients."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.comment = planted.text("comment").encode()
        for subfolder in sorted(folder.iterdir()):
            name = planted.text("folder")
            for path in sorted(subfolder.iterdir()):
                archive.write(path, f"{name}/{planted.text('file')}.dcm")
        archive.writestr(f"{planted.text('readme')}.txt", planted.text("inside"))
    return out.getvalue()


def everything_kept(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every row of every table, and every file below the state folder (packed ones opened too)."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            for (row,) in cursor.fetchall():
                yield table, row.encode()
    for path in folder.rglob("*"):
        yield path.name, str(path.relative_to(folder)).encode()
        if path.is_file():
            data = path.read_bytes()
            yield path.name, gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


@pytest.mark.django_db
def test_of_over_200_planted_identifiers_none_is_found(
    world: World,
    own_state: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    commit: Callable[..., Any],
) -> None:
    planted = Planted()
    plant(tmp_path / "in" / "1", planted, seed=1, PatientID="PLANTED-ID-4711-01")
    plant(tmp_path / "in" / "2", planted, seed=2, PatientID="PLANTED-ID-4711-02", BurnedInAnnotation="YES")
    plant(tmp_path / "in" / "3", planted, seed=3, PatientID="PLANTED-ID-4711-03", PatientName="Plantagenet^Jane")
    plant(tmp_path / "in" / "4", planted, seed=4, PatientID="PLANTED ID HANS PLANTER")
    plant(tmp_path / "in" / "5", planted, seed=5, PatientID="PLANTED-ID-4711-05", Modality="PLANTED MOD")
    planted.words += ["PLANTED-ID", "PLANTED ID", "Plantagenet", "PLANTER", "PLANTED MOD"]
    data = pack(tmp_path / "in", planted)
    assert len(set(planted.words)) > 200
    assert not [word for word in planted.words if word.startswith("P") and not OURS.search(word.encode())]
    answers = []

    client = log_in(world, "datamanager")
    name = planted.text("upload")
    body = {"site": "a", "campaign": "chest-ct", "file": SimpleUploadedFile(f"{name}.zip", data)}
    answers.append(client.post("/api/v1/scans/upload", body))
    commit(import_scans, answers[0].json()["id"])
    job = Job.objects.get(pk=answers[0].json()["id"])
    assert job.state == "succeeded", job.error
    assert sorted(row["code"] for row in job.result["refused"]) == [
        "burned_in_annotation",
        "not_deidentified",
        "patient_id_is_name",
        "wrong_modality",
    ]
    scan = Scan.objects.get(pk=job.result["scans"][0]["id"])
    assert (scan.facts["manufacturer"], scan.facts["model"], scan.facts["kernel"]) == ("other", "other", "other")
    assert "other" in " ".join(job.result["notes"])

    release = label_and_freeze(world, scan)
    export = exported(world, release)
    assert export.job.state == "succeeded", export.job.error
    check_segmentation(own_state / "releases", release, scan)
    client.force_login(world["datamanager"], backend="django.contrib.auth.backends.ModelBackend")
    for path in (
        f"/jobs/{job.pk}/",
        f"/api/v1/jobs/{job.pk}/",
        f"/scans/{scan.pk}/",
        f"/api/v1/scans/{scan.pk}/",
        "/api/v1/scans/",
        f"/api/v1/releases/{release.pk}/",
    ):
        answers.append(client.get(path))
    assert {answer.status_code for answer in answers} == {200, 202}

    told = capfd.readouterr()
    kept = [*everything_kept(own_state), ("log", (told.out + told.err + caplog.text).encode())]
    kept += [(str(answer.request["PATH_INFO"]), answer.content) for answer in answers]
    found = [(source, word) for source, content in kept for word in CANDIDATES.findall(content)]
    words = {word.encode() for word in planted.words}
    assert [(source, word) for source, word in found if word in words or OURS.search(word)] == []
    assert any(b"S-" in content for _, content in kept)  # the search covers what is stored


def check_segmentation(releases: Path, release: Any, scan: Scan) -> None:
    """The exported DICOM SEG names the scan's re-keyed UIDs and no others."""
    segmentation = dcmread(next(releases.rglob(f"dicom-seg/{scan.code}.dcm")))
    uids = next(row["uids"] for row in release.manifest["scans"] if row["code"] == scan.code)
    assert segmentation.StudyInstanceUID == uids["study"]
    assert segmentation.FrameOfReferenceUID == uids["frame_of_reference"]
    (referenced,) = segmentation.ReferencedSeriesSequence
    assert referenced.SeriesInstanceUID == uids["series"]
    instances = {item.ReferencedSOPInstanceUID for item in referenced.ReferencedInstanceSequence}
    assert instances <= set(scan.facts["sop_instance_uids"])


def label_and_freeze(world: World, scan: Scan) -> Any:
    assignment = publish(world, size=7).assignments.get(scan=scan)
    label(world, assignment)
    approve(world, assignment)
    release = services.create_release(campaign=world.campaign, name="r", actor=world["datamanager"], licence="CC0")
    return services.freeze_release(release_id=release.pk, actor=world["datamanager"])
