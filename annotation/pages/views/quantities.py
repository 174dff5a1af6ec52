"""Quantities of a campaign, and the reports of scans and batches."""

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from annotation.pages.plots.agreement import differences
from annotation.pages.plots.quantities import hu_histogram, model_against_reader
from annotation.pages.requests import PageRequest
from annotation.pages.selectors.quantities import measure_campaign
from annotation.pages.tables import csv_stream
from annotation.reporting.api import report_answer
from annotation.reporting.models import Measurement
from annotation.reporting.report import NOT_A_DEVICE, write_report
from annotation.reporting.selectors import measurement_of, visible_measurements, visible_sets
from annotation.reporting.services import report_dicom, report_pdf, request_sending, request_set
from annotation.reporting.sets import serve_set
from annotation.reporting.tables import HEAD, rows_of
from annotation.scans.models import Scan
from annotation.work.models import Batch, Campaign
from voxloop.kernel.errors import Conflict

PAGE_SIZE = 50


def quantities(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """Every measured scan, and model against reader."""
    found = measure_campaign(request.user, campaign)
    opacity = found.against[0]
    return render(
        request,
        "quantities.html",
        {
            "found": found,
            "page": Paginator(found.rows, PAGE_SIZE).get_page(request.GET.get("page")),
            "pairs": len(opacity.pairs),
            "scatter": model_against_reader(opacity.pairs, opacity.unit) if opacity.pairs else "",
            "apart": differences(
                [(code, model, reader) for code, reader, model in opacity.pairs],
                opacity.limits,
                "Difference of the model's and the reader's opacity against their mean, mL",
            )
            if opacity.pairs
            else "",
        },
    )


def quantities_csv(request: PageRequest, campaign: Campaign) -> HttpResponseBase:
    """Every quantity of every measured scan."""
    rows = visible_measurements(request.user).filter(campaign=campaign)
    lines = (line for found in rows.iterator(chunk_size=200) for line in rows_of(found))
    return csv_stream(f"{campaign.slug}-quantities", HEAD, lines)


def scan_report(request: PageRequest, found: Scan) -> HttpResponse:
    """The report of a scan; what has to happen first where there is none."""
    measured = measurement_of(found, request.user)
    return render(
        request,
        "scan_report.html",
        {
            "scan": found,
            "measured": measured,
            "report": write_report(measured) if measured else None,
            "histogram": hu_histogram(measured.values["histogram"])
            if measured and measured.values and sum(measured.values["histogram"])
            else "",
            "has_surface": measured is not None and measured.values is not None and bool(measured.values["lungs_from"]),
            "not_a_device": NOT_A_DEVICE,
            "peers": list(settings.REPORT_PEERS),
        },
    )


def scan_report_pdf(request: PageRequest, found: Scan) -> HttpResponse:
    """The report as PDF."""
    measured = _measured(request, found)
    return report_answer(report_pdf(measured), measured, "pdf")


def scan_report_dicom(request: PageRequest, found: Scan) -> HttpResponse:
    """The report as DICOM Encapsulated PDF."""
    measured = _measured(request, found)
    return report_answer(report_dicom(measured), measured, "dcm")


def scan_report_surface(request: PageRequest, found: Scan) -> HttpResponse:
    """The picture of lungs and findings."""
    return _picture(_measured(request, found), "surface_png")


def scan_report_slice(request: PageRequest, found: Scan) -> HttpResponse:
    """The slice with most opacity."""
    return _picture(_measured(request, found), "slice_png")


def scan_report_send(request: PageRequest, found: Scan) -> HttpResponse:
    """Send the report to a PACS."""
    measured = _measured(request, found)
    destination = request.POST.get("destination", "")[:64]
    job = request_sending(measurement_id=measured.pk, destination=destination, actor=request.user)
    messages.success(request, f"The report of {found.code} is on its way to {destination}.")
    return redirect("job", job.pk)


def batch_reports(request: PageRequest, found: Batch) -> HttpResponse:
    """Make the reports of a batch."""
    made = request_set(batch_id=found.pk, actor=request.user)
    messages.success(request, "The reports are being made. You can leave the page; the job goes on.")
    return redirect(f"{reverse('batch', args=[made.batch_id])}#reports")


def batch_reports_zip(request: PageRequest, found: Batch) -> HttpResponseBase:
    """The newest made reports of a batch as a zip."""
    made = visible_sets(request.user).filter(batch=found).exclude(key="").first()
    if made is None:
        raise Conflict("No reports of this batch were made yet; ask for them on its page.", code="reports_not_made")
    return serve_set(request, made, request.user)


def _measured(request: PageRequest, found: Scan) -> Measurement:
    measured = measurement_of(found, request.user)
    if measured is None:
        raise Conflict(
            f"{found.code} has no quantities yet; they are measured within minutes of its approval.",
            code="not_measured",
        )
    return measured


def _picture(measured: Measurement, field: str) -> HttpResponse:
    data = getattr(measured, field)
    if not data:
        raise Conflict("There is no such picture: the lungs are not known.", code="no_picture")
    answer = HttpResponse(bytes(data), content_type="image/png")
    answer["Cache-Control"] = "private, max-age=60"
    return answer
