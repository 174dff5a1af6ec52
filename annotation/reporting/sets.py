"""The reports of a batch as one zip: PDF and DICOM of each scan, and the table of quantities."""

import csv
import io
import shutil
import zipfile
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header
from rest_framework.request import Request

from annotation.reporting.models import Measurement, ReportSet
from annotation.reporting.selectors import visible_measurements
from annotation.reporting.services import report_both
from annotation.reporting.tables import HEAD, rows_of
from annotation.work.selectors import visible_scans
from voxloop.accounts.models import User
from voxloop.audit.services import record
from voxloop.jobs.running import Claim
from voxloop.jobs.scratch import of_job
from voxloop.kernel.cells import plain_cell
from voxloop.kernel.errors import Conflict, NotFound
from voxloop.storage.serving import serve_object
from voxloop.storage.store import open_store

PREFIX = "reports"
WRITTEN = (1980, 1, 1, 0, 0, 0)  # of every entry, so that equal reports give equal bytes


def write_set(held: Claim) -> dict[str, Any]:
    """Carry out a `report_batch` job. Raises Conflict (`nothing_measured`), NoSpace."""
    made = ReportSet.objects.select_related("batch", "created_by").get(pk=held.job.payload["set"])
    found = list(_measured_of(made))
    if not found:
        raise Conflict("No scan of this batch has quantities any more; nothing was made.", code="nothing_measured")
    folder = of_job(PREFIX, held)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        path = folder / "reports.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as packed:
            for done, one in enumerate(found):
                held.report(95 * done // len(found), f"Writing the report of {one.scan} ({done + 1} of {len(found)})")
                pdf, dicom = report_both(one)
                _add(packed, f"{one.scan.code}.pdf", pdf)
                _add(packed, f"dicom/{one.scan.code}.dcm", dicom)
            text = io.StringIO(newline="")
            table = csv.writer(text)
            table.writerow(HEAD)
            table.writerows([plain_cell(cell) for cell in row] for one in found for row in rows_of(one))
            _add(packed, "quantities.csv", text.getvalue().encode())
        size = path.stat().st_size
        key = open_store(settings.STORAGE_URL).put_file(PREFIX, path)
    except Measurement.DoesNotExist:
        raise _erased() from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    left_out = made.batch.assignments.filter(stage="annotation").values("scan").distinct().count() - len(found)
    with transaction.atomic():
        held.check()
        made = ReportSet.objects.select_for_update().get(pk=made.pk)
        # Erased meanwhile: what this job read must not be kept.
        still = Measurement.objects.filter(pk__in=[one.pk for one in found]).count()
        if still != len(found):
            raise _erased()
        made.key, made.bytes, made.left_out = key, size, max(left_out, 0)
        made.scans = [str(one.scan_id) for one in found]
        made.save(update_fields=["key", "bytes", "left_out", "scans"])
    return {"reports": len(found), "scans_left_out": made.left_out, "bytes": size}


def _measured_of(made: ReportSet) -> "QuerySet[Measurement]":
    """The measured scans of the batch that whoever asked may see."""
    if made.created_by is None:
        return Measurement.objects.none()
    return visible_measurements(made.created_by).filter(round__annotation__batch=made.batch)


def _erased() -> Conflict:
    return Conflict("A scan of this batch was erased meanwhile; ask for the reports again.", code="scan_erased")


def _add(packed: zipfile.ZipFile, name: str, data: bytes) -> None:
    packed.writestr(zipfile.ZipInfo(name, WRITTEN), data)


def serve_set(request: HttpRequest | Request, made: ReportSet, actor: User) -> HttpResponse | StreamingHttpResponse:
    """The zip, or the byte range of it that the request asks for, recorded. Raises Conflict (`reports_not_made`)."""
    if visible_scans(actor).filter(pk__in=made.scans).count() != len(made.scans):
        raise NotFound  # membership of a site has ended since
    if not made.key:
        raise Conflict("These reports are not made yet, or were deleted; ask for them again.", code="reports_not_made")
    answer = serve_object(request, made.key, "application/zip")
    if answer.status_code in (200, 206):
        name = "".join(letter if letter.isalnum() else "-" for letter in made.batch.name)
        answer["Content-Disposition"] = content_disposition_header(True, f"reports-{name}.zip") or "attachment"
        if request.method == "GET":
            with transaction.atomic():
                record(actor=actor, action="batch.reports_downloaded", target=made.batch, new={"object": made.key})
    return answer
