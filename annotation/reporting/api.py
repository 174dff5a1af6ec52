"""HTTP for quantities and reports."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.reporting.models import Measurement, ReportSet
from annotation.reporting.selectors import find_measurement, visible_measurements, visible_sets
from annotation.reporting.services import report_dicom, report_pdf, request_sending, request_set
from annotation.reporting.sets import serve_set
from voxloop.accounts.requests import Request, person_of
from voxloop.kernel.errors import NotFound
from voxloop.storage.serving import OctetRenderer, served_as
from voxloop.volume.measuring import HISTOGRAM_HU

MEDIA_TYPES = {"pdf": "application/pdf", "dcm": "application/dicom"}


class PartSerializer(serializers.Serializer[Any]):
    """A side, lobe or third of the lungs; `grade` 0-5 of a lobe."""

    key = serializers.CharField()
    lung = serializers.FloatField()
    opacity = serializers.FloatField()
    percent = serializers.FloatField()
    grade = serializers.IntegerField(allow_null=True)


class SegmentAmountSerializer(serializers.Serializer[Any]):
    """`largest` is the amount of the largest connected part, `diameter_mm` the longest line within any."""

    segment = serializers.IntegerField()
    voxels = serializers.IntegerField()
    amount = serializers.FloatField()
    mean_hu = serializers.FloatField(allow_null=True)
    lesions = serializers.IntegerField()
    largest = serializers.FloatField()
    diameter_mm = serializers.FloatField()


class QuantitiesSerializer(serializers.Serializer[Any]):
    """Amounts in `unit` (mL, or cm² on an X-ray, where weight and HU are null). `lungs_from` is lobes, lungs (a mask),
    image, or empty: then `lungs` and `percent` are null. `score` 0-25 only with lobes."""

    unit = serializers.CharField()
    lungs_from = serializers.CharField(allow_blank=True)
    lungs = serializers.FloatField(allow_null=True)
    opacity = serializers.FloatField()
    percent = serializers.FloatField(allow_null=True)
    weight_g = serializers.FloatField(allow_null=True)
    mean_hu = serializers.FloatField(allow_null=True)
    lesions = serializers.IntegerField()
    diameter_mm = serializers.FloatField()
    score = serializers.IntegerField(allow_null=True)
    severity = serializers.CharField(allow_null=True)
    parts = PartSerializer(many=True)
    segments = SegmentAmountSerializer(many=True)
    histogram = serializers.ListField(
        child=serializers.IntegerField(),
        help_text=f"voxels of the opacity in bins of {HISTOGRAM_HU[1] - HISTOGRAM_HU[0]} HU from {HISTOGRAM_HU[0]} to "
        f"{HISTOGRAM_HU[-1]}; the end bins hold what lies beyond",
    )
    worst_slice = serializers.IntegerField(allow_null=True, help_text="k of the slice with most opacity")


class MeasurementSerializer(serializers.ModelSerializer[Measurement]):
    """The quantities of an approved mask, with the revisions that they come from. `model_values` are those of the
    model's newest mask of the scan, in the same lungs."""

    scan = serializers.UUIDField(source="scan_id")
    code = serializers.CharField(source="scan.code")
    site = serializers.CharField(source="scan.site.code")
    campaign = serializers.UUIDField(source="campaign_id")
    values = QuantitiesSerializer()
    model_values = QuantitiesSerializer(allow_null=True)
    model = serializers.CharField(source="prediction.model_name", allow_null=True, default=None)

    class Meta:
        model = Measurement
        fields = [
            *("id", "scan", "code", "site", "campaign", "round", "layer", "revision", "content_hash", "anatomy"),
            *("values", "prediction", "model", "model_values", "software", "measured_at"),
        ]


class MeasurementListView(generics.ListAPIView[Measurement]):
    """Quantities of campaigns that the caller oversees, by scan."""

    permission_classes = [IsAuthenticated]
    serializer_class = MeasurementSerializer
    queryset = Measurement.objects.none()
    filterset_fields = ["campaign", "scan"]

    def get_queryset(self) -> Any:
        return visible_measurements(person_of(self))


class ReportView(APIView):
    """The report of an approved mask: one page of PDF, or the same as DICOM Encapsulated PDF."""

    permission_classes = [IsAuthenticated]
    renderer_classes = [JSONRenderer, OctetRenderer]
    form = "pdf"

    @extend_schema(responses={**served_as("application/pdf"), **served_as("application/dicom")})
    def get(self, request: Request, pk: UUID) -> HttpResponse:
        found = find_measurement(pk, request.user)
        data = report_pdf(found) if self.form == "pdf" else report_dicom(found)
        return report_answer(data, found, self.form)


def report_answer(data: bytes, found: Measurement, form: str) -> HttpResponse:
    """The bytes of a report under the name of its scan."""
    answer = HttpResponse(data, content_type=MEDIA_TYPES[form])
    answer["Content-Disposition"] = f'attachment; filename="{found.scan.code}.{form}"'
    return answer


class DestinationSerializer(serializers.Serializer[Any]):
    destination = serializers.CharField(max_length=32, help_text="a name of VOXLOOP_REPORT_PEERS")


class ReportJobSerializer(serializers.Serializer[Any]):
    """The job that does it."""

    job = serializers.UUIDField()


class ReportSendView(APIView):
    """Send a report to a PACS that the server knows; returns the job."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=DestinationSerializer, responses={202: ReportJobSerializer})
    def post(self, request: Request, pk: UUID) -> Response:
        body = DestinationSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        found = find_measurement(pk, request.user)
        job = request_sending(
            measurement_id=found.pk, destination=body.validated_data["destination"], actor=request.user
        )
        return Response(ReportJobSerializer({"job": job.pk}).data, status=202)


class ReportSetSerializer(serializers.ModelSerializer[ReportSet]):
    """The reports of a batch as one zip; `bytes` is 0 until it is made. `left_out` scans have no quantities."""

    class Meta:
        model = ReportSet
        fields = ["id", "batch", "job", "bytes", "left_out", "created_at"]


class BatchReportsView(APIView):
    """Make the reports of a batch; returns the set with its job."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses={202: ReportSetSerializer})
    def post(self, request: Request, pk: UUID) -> Response:
        made = request_set(batch_id=pk, actor=request.user)
        return Response(ReportSetSerializer(made).data, status=202)


class ReportSetView(APIView):
    """A made set of reports as a zip, also by byte range."""

    permission_classes = [IsAuthenticated]
    renderer_classes = [JSONRenderer, OctetRenderer]

    @extend_schema(responses={**served_as("application/zip")})
    def get(self, request: Request, pk: UUID) -> Any:
        made = visible_sets(request.user).filter(pk=pk).first()
        if made is None:
            raise NotFound
        return serve_set(request, made, request.user)


urls = [
    path("quantities/", MeasurementListView.as_view(), name="quantities"),
    path("quantities/<uuid:pk>/report.pdf", ReportView.as_view(form="pdf"), name="report-pdf"),
    path("quantities/<uuid:pk>/report.dcm", ReportView.as_view(form="dcm"), name="report-dicom"),
    path("quantities/<uuid:pk>/send", ReportSendView.as_view(), name="report-send"),
    path("batches/<uuid:pk>/reports", BatchReportsView.as_view(), name="batch-reports"),
    path("report-sets/<uuid:pk>/download", ReportSetView.as_view(), name="report-set"),
]
