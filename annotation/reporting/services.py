"""Make reports: one at once, those of a batch by a job, and send them to a PACS."""

from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from annotation.reporting.encapsulated import encapsulate
from annotation.reporting.models import Measurement, ReportSet
from annotation.reporting.pdf import write_pdf
from annotation.reporting.report import Report, write_report
from annotation.reporting.selectors import find_measurement, visible_measurements
from annotation.work.models import Batch
from annotation.work.permissions import OVERSEERS, require_role
from annotation.work.selectors import visible_batches
from voxloop.accounts.models import User
from voxloop.audit.services import record
from voxloop.jobs.models import Job
from voxloop.jobs.room import require_room
from voxloop.jobs.services import enqueue
from voxloop.jobs.states import JobState
from voxloop.kernel.errors import Conflict, NotFound
from voxloop.kernel.ids import new_id


def report_pdf(found: Measurement) -> bytes:
    """The report as PDF. Its link begins with the address that the operator told, else it is a path of the server."""
    return _draw(found, write_report(found))


def report_dicom(found: Measurement) -> bytes:
    """The report as a DICOM object."""
    return report_both(found)[1]


def report_both(found: Measurement) -> tuple[bytes, bytes]:
    """The report as PDF, and as the DICOM object that holds it."""
    report = write_report(found)
    pdf = _draw(found, report)
    return pdf, encapsulate(found, pdf, f"{report.title}: {report.scan}")


def _draw(found: Measurement, report: Report) -> bytes:
    link = f"{settings.REPORT_ADDRESS}{reverse('scan_report', args=[found.scan_id])}"
    pictures = (_png(found, "surface_png"), _png(found, "slice_png"))
    return write_pdf(report, *pictures, link=link, software=found.software)


def _png(found: Measurement, field: str) -> bytes | None:
    data = getattr(found, field)
    return bytes(data) if data else None


@transaction.atomic
def request_set(*, batch_id: UUID, actor: User) -> ReportSet:
    """Enqueue the reports of a batch as one zip; the same while one is at work.

    Raises NotFound, Forbidden, NoSpace, Conflict (`nothing_measured`)."""
    batch = visible_batches(actor).filter(pk=batch_id).first()
    if batch is None:
        raise NotFound
    require_role(actor, batch.campaign, *OVERSEERS)
    Batch.objects.select_for_update().get(pk=batch.pk)
    running = batch.report_sets.filter(created_by=actor, job__state__in=[JobState.QUEUED, JobState.RUNNING]).first()
    if running is not None:
        return running
    if not visible_measurements(actor).filter(round__annotation__batch=batch).exists():
        raise Conflict(
            "No scan of this batch has quantities yet; they are measured within minutes of an approval.",
            code="nothing_measured",
        )
    require_room()
    made = ReportSet.objects.create(batch=batch, created_by=actor)
    made.job = enqueue(Job.Kind.REPORT_BATCH, payload={"set": str(made.pk)}, key=f"report_batch:{made.pk}", actor=actor)
    made.save(update_fields=["job"])
    record(actor=actor, action="batch.reports_requested", target=batch, new={"set": str(made.pk)})
    return made


@transaction.atomic
def request_sending(*, measurement_id: UUID, destination: str, actor: User) -> Job:
    """Enqueue the C-STORE of a report to one of the destinations of `VOXLOOP_REPORT_PEERS`.

    Raises NotFound, Forbidden, Conflict (`unknown_peer`)."""
    found = find_measurement(measurement_id, actor)
    require_role(actor, found.campaign, *OVERSEERS)
    if destination not in settings.REPORT_PEERS:
        known = ", ".join(settings.REPORT_PEERS) or "none: an operator names them in VOXLOOP_REPORT_PEERS"
        raise Conflict(f"Reports go only to destinations that the server knows ({known}).", code="unknown_peer")
    job = enqueue(
        Job.Kind.SEND_REPORTS,
        payload={"measurements": [str(found.pk)], "peer": destination, "name": f"{found.scan.code} to {destination}"},
        key=f"send_reports:{new_id()}",
        actor=actor,
    )
    record(
        actor=actor,
        action="scan.report_sending_requested",
        target=found.scan,
        new={"peer": destination, "revision": str(found.revision_id or ""), "job": str(job.pk)},
    )
    return job
