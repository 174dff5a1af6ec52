"""Reports over HTTP: their numbers are those of the API, they go to a PACS, a batch's come as one zip."""

import csv
import io
import shutil
import socket
import subprocess
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from pydicom import dcmread
from pydicom.uid import EncapsulatedPDFStorage
from pynetdicom import AE, evt

from annotation.datasets.exporters.dicom_source import source_of
from annotation.reporting.encapsulated import encapsulate
from annotation.reporting.models import Measurement, ReportSet
from annotation.reporting.report import NOT_A_DEVICE, write_report
from annotation.reporting.services import report_dicom, report_pdf
from annotation.reporting.tables import HEAD
from annotation.reporting.tasks import report_batch, send
from annotation.work.models import Batch
from tests.api.test_pages import log_in, text
from tests.db.test_quantities import measure_all
from tests.factories.phantoms import add_phantom, approve_phantom, give_layer, phantom, store_measurement
from tests.factories.world import World, approve, first_of, label, publish
from voxloop.audit.models import AuditEntry
from voxloop.jobs.models import Job
from voxloop.jobs.running import Claim
from voxloop.project.environment import Peer

pytestmark = pytest.mark.django_db


@pytest.fixture
def measured(world: World) -> Measurement:
    """A phantom with lobes, approved and measured."""
    scan = add_phantom(world)
    give_layer(world, scan, "anatomy", phantom().lobes_zyx)
    approve_phantom(world, scan)
    measure_all()
    return Measurement.objects.select_related("scan__series__study", "scan__subject", "campaign__schema").get()


def test_the_reports_numbers_are_those_of_the_api(world: World, measured: Measurement) -> None:
    client = log_in(world, "coordinator")
    (told,) = client.get(reverse("api:quantities"), {"scan": str(measured.scan_id)}).json()["results"]
    values = told["values"]
    assert told["revision"] == str(measured.revision_id)
    assert told["content_hash"] == measured.content_hash
    report = write_report(measured)
    figures = {name: value for name, value, _ in report.figures}
    assert figures["Lungs"] == f"{values['lungs']:.0f}"
    assert figures["Opacity"] == f"{values['opacity']:.1f}"
    assert figures["Of the lungs"] == f"{values['percent']:.1f}"
    assert figures["Weight"] == f"{values['weight_g']:.1f}"
    assert figures[f"Severity: {values['severity']}"] == str(values["score"])
    assert figures["Lesions"] == str(values["lesions"])
    assert [(row.lung, row.opacity, row.percent, row.grade) for row in report.rows[:-1]] == [
        (
            f"{part['lung']:.1f}",
            f"{part['opacity']:.1f}",
            f"{part['percent']:.1f}",
            "" if part["grade"] is None else str(part["grade"]),
        )
        for part in values["parts"]
    ]
    assert len(report.rows) == 8  # sides, five lobes, both
    page = text(client, f"/scans/{measured.scan_id}/report/")
    assert NOT_A_DEVICE in page
    for row in report.rows:
        assert f'<td class="num">{row.lung}</td> <td class="num">{row.opacity}</td>' in page
    assert f"/api/v1/revisions/{measured.revision_id}/mask" in page
    assert measured.content_hash in page
    data = client.get(f"/scans/{measured.scan_id}/report.pdf").content
    assert data == report_pdf(measured) == client.get(reverse("api:report-pdf", args=[measured.pk])).content
    rows = list(csv.DictReader(io.StringIO(client.get("/campaigns/chest-ct/quantities.csv").getvalue().decode())))
    assert float(rows[0]["opacity"]) == pytest.approx(values["opacity"], rel=1e-5)
    assert "1 approved scan measured" in text(client, "/campaigns/chest-ct/quantities/")


def test_the_dicom_object_holds_the_pdf_in_the_study_of_its_scan(measured: Measurement, tmp_path: Path) -> None:
    data = report_dicom(measured)
    assert data == report_dicom(measured)
    document = dcmread(io.BytesIO(data))
    assert document.SOPClassUID == "1.2.840.10008.5.1.4.1.1.104.1"
    assert document.StudyInstanceUID == measured.scan.series.study.uid
    assert document.PatientID == measured.scan.subject.pseudonym
    pdf = report_pdf(measured)
    assert document.EncapsulatedDocument[: document.EncapsulatedDocumentLength] == pdf
    assert pdf.startswith(b"%PDF-")
    assert pdf.count(b"/Type /Page\n") == 1
    checker = shutil.which("dciodvfy")
    if checker is not None:
        (tmp_path / "report.dcm").write_bytes(data)
        said = subprocess.run([checker, tmp_path / "report.dcm"], capture_output=True, text=True, check=False).stderr
        assert "Error" not in said, said


def test_a_scan_without_uids_has_one_study_in_reports_and_exports(measured: Measurement) -> None:
    scan = measured.scan
    scan.series = None
    document = dcmread(io.BytesIO(encapsulate(measured, b"%PDF-1.7", "Report")))
    assert document.StudyInstanceUID == source_of(scan.code, scan.code, 1, {}).study_uid


@pytest.fixture
def pacs(tmp_path: Path, settings: LazySettings) -> Iterator[Path]:
    """dcmtk's storage server; its folder."""
    program = shutil.which("storescp")
    if program is None:
        pytest.skip("needs storescp (Debian: dcmtk)")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = tmp_path / "pacs"
    folder.mkdir()
    server = subprocess.Popen([program, "--aetitle", "PACS", "--output-directory", str(folder), str(port)])
    settings.REPORT_PEERS = {"PACS": Peer("PACS", "127.0.0.1", port), "away": Peer("AWAY", "127.0.0.1", 9)}
    try:
        ends = time.monotonic() + 20
        while time.monotonic() < ends:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield folder
    finally:
        server.kill()
        server.wait()


def test_a_report_is_found_in_the_pacs_after_sending(world: World, measured: Measurement, pacs: Path) -> None:
    client = log_in(world, "coordinator")
    asked = reverse("api:report-send", args=[measured.pk])
    refused = client.post(asked, {"destination": "elsewhere"}, "application/json")
    assert (refused.status_code, refused.json()["code"]) == (409, "unknown_peer")
    for peer, state, code in (("PACS", "succeeded", ""), ("away", "failed", "peer_away")):
        job = client.post(asked, {"destination": peer}, "application/json").json()["job"]
        send(job)
        found = Job.objects.get(pk=job)
        assert (found.state, found.error_code) == (state, code), found.error
    (stored,) = pacs.iterdir()
    sent = dcmread(stored)
    assert sent.SOPInstanceUID == dcmread(io.BytesIO(report_dicom(measured))).SOPInstanceUID
    assert sent.EncapsulatedDocument == dcmread(io.BytesIO(report_dicom(measured))).EncapsulatedDocument
    entry = AuditEntry.objects.get(action="scan.report_sent")
    assert entry.new["uid"] == str(sent.SOPInstanceUID)
    page = text(client, f"/scans/{measured.scan_id}/report/")
    assert "Send to PACS" in page


def test_the_reports_of_a_batch_are_one_zip(world: World, measured: Measurement) -> None:
    client = log_in(world, "coordinator")
    batch = Batch.objects.get(assignments__rounds=measured.round)
    assert client.get(f"/batches/{batch.pk}/reports.zip").status_code == 409
    made = client.post(reverse("api:batch-reports", args=[batch.pk])).json()
    report_batch(made["job"])
    assert Job.objects.get(pk=made["job"]).state == "succeeded"
    sent: Any = client.get(f"/batches/{batch.pk}/reports.zip")
    data = b"".join(sent.streaming_content)
    code = measured.scan.code
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        assert packed.namelist() == [f"{code}.pdf", f"dicom/{code}.dcm", "quantities.csv"]
        assert packed.read(f"{code}.pdf") == report_pdf(measured)
        assert packed.read("quantities.csv").decode().splitlines()[0] == ",".join(HEAD)
    assert "1 report," in text(client, f"/batches/{batch.pk}/")
    # A set is its maker's own: it holds what this person may see.
    assert log_in(world, "datamanager").get(reverse("api:report-set", args=[made["id"]])).status_code == 404
    assert ReportSet.objects.get().scans == [str(measured.scan_id)]


def test_a_scan_without_quantities_says_what_comes_first(world: World) -> None:
    client: Client = log_in(world, "coordinator")
    scan = world.scans[0]
    assert "No report yet" in text(client, f"/scans/{scan.pk}/report/")
    refused: Any = client.get(f"/scans/{scan.pk}/report.pdf")
    assert (refused.status_code, refused["Voxloop-Code"]) == (409, "not_measured")
    assert "Nothing is measured yet" in text(client, "/campaigns/chest-ct/quantities/")
    assert "None yet. They are measured within minutes" in text(client, f"/scans/{scan.pk}/")


def test_what_is_not_there_is_refused_with_the_way_on(world: World, settings: LazySettings) -> None:
    client: Any = log_in(world, "coordinator")
    batch = publish(world, size=1)
    refused = client.post(reverse("api:batch-reports", args=[batch.pk]))
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_measured")
    row = first_of(batch)
    label(world, row)
    found = store_measurement(approve(world, row))
    refused = client.get(f"/scans/{row.scan_id}/report/surface.png")
    assert (refused.status_code, refused["Voxloop-Code"]) == (409, "no_picture")
    assert client.get(f"/scans/{row.scan_id}/report/").status_code == 200
    made = client.post(reverse("api:batch-reports", args=[batch.pk])).json()
    refused = client.get(reverse("api:report-set", args=[made["id"]]))
    assert (refused.status_code, refused.json()["code"]) == (409, "reports_not_made")

    def refuse(event: Any) -> int:
        return 0xA700  # out of resources

    node = AE("PACS")
    node.add_supported_context(EncapsulatedPDFStorage)
    server = node.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, refuse)])
    try:
        settings.REPORT_PEERS = {"PACS": Peer("PACS", "127.0.0.1", server.server_address[1])}
        asked = reverse("api:report-send", args=[found.pk])
        job = client.post(asked, {"destination": "PACS"}, "application/json").json()["job"]
        send(job)
    finally:
        server.shutdown()
    ended = Job.objects.get(pk=job)
    assert (ended.state, ended.error_code) == ("failed", "peer_refused")
    assert "A700" in ended.error
    assert not AuditEntry.objects.filter(action="scan.report_sent").exists()


def test_a_scan_erased_while_reports_are_made_is_in_none(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = publish(world, size=1)
    row = first_of(batch)
    label(world, row)
    store_measurement(approve(world, row))
    made = log_in(world, "coordinator").post(reverse("api:batch-reports", args=[batch.pk])).json()
    report = Claim.report

    def erase_and_report(held: Claim, progress: int, message: str = "") -> None:
        Measurement.objects.all().delete()
        report(held, progress, message)

    monkeypatch.setattr(Claim, "report", erase_and_report)
    report_batch(made["job"])
    ended = Job.objects.get(pk=made["job"])
    assert (ended.state, ended.error_code) == ("failed", "scan_erased")
    assert ReportSet.objects.get().key == ""
