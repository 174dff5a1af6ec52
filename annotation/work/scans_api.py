"""HTTP for sites and scans: the lists, and the parts of a volume."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.scans.facts import VolumeIndexFacts
from annotation.scans.models import Scan, Site
from annotation.scans.selectors import visible_sites, volume_index
from annotation.scans.states import ScanState
from annotation.scans.volumes import blame, fill_sums, pieces_of
from annotation.work.selectors import visible_scans
from annotation.work.withdrawing import check_not_gone, withdraw
from voxloop.accounts.requests import Request, person_of
from voxloop.kernel.errors import Damaged, NotFound
from voxloop.kernel.facts import plain
from voxloop.storage.serving import OctetRenderer, serve_object, served_as
from voxloop.volume.labelmap import MEDIA_TYPE


class SiteSerializer(serializers.ModelSerializer[Site]):
    class Meta:
        model = Site
        fields = ["id", "code", "name", "split"]


class ScanSerializer(serializers.ModelSerializer[Scan]):
    state = serializers.ChoiceField(ScanState.choices)
    site = serializers.CharField(source="site.code")
    shape_zyx = serializers.ListField(
        child=serializers.IntegerField(),
        min_length=3,
        max_length=3,
        allow_null=True,
        help_text="null until it is ready",
    )
    spacing_mm_zyx = serializers.ListField(child=serializers.FloatField(), min_length=3, max_length=3, allow_null=True)
    volume = serializers.SerializerMethodField()

    class Meta:
        model = Scan
        fields = [
            "id",
            "code",
            "site",
            "subject",
            "state",
            "reason_code",
            "reason",
            "modality",
            "description",
            "shape_zyx",
            "spacing_mm_zyx",
            "volume",
            "created_at",
            "ready_at",
        ]

    def get_volume(self, scan: Scan) -> str | None:
        return f"/api/v1/scans/{scan.pk}/volume" if scan.state == ScanState.READY else None


class SiteListView(generics.ListAPIView[Site]):
    """Sites the caller belongs to."""

    permission_classes = [IsAuthenticated]
    serializer_class = SiteSerializer
    queryset = Site.objects.none()

    def get_queryset(self) -> Any:
        return visible_sites(person_of(self)).order_by("code")


class ScanListView(generics.ListAPIView[Scan]):
    """Scans the caller may see."""

    permission_classes = [IsAuthenticated]
    serializer_class = ScanSerializer
    queryset = Scan.objects.none()
    filterset_fields = ["state", "code"]

    def get_queryset(self) -> Any:
        return visible_scans(person_of(self)).select_related("site").order_by("code")


class ScanView(generics.RetrieveAPIView[Scan]):
    permission_classes = [IsAuthenticated]
    serializer_class = ScanSerializer
    queryset = Scan.objects.none()

    def get_queryset(self) -> Any:
        return visible_scans(person_of(self)).select_related("site")


class VolumeView(APIView):
    """The index of a scan's volume (docs/formats.md)."""

    permission_classes = [IsAuthenticated]

    @extend_schema(responses=VolumeIndexFacts)
    def get(self, request: Request, pk: UUID) -> Response:
        scan = ready_scan(request, pk)
        return Response(plain(volume_index(scan)), headers={"Cache-Control": "no-store"})


class _PartView(APIView):
    """An immutable part of a volume, by byte range."""

    permission_classes = [IsAuthenticated]
    renderer_classes = [JSONRenderer, OctetRenderer]
    content_type = "application/octet-stream"
    field = "pack_key"

    @extend_schema(responses=served_as("application/octet-stream"))
    def get(self, request: Request, pk: UUID) -> HttpResponse | StreamingHttpResponse:
        scan = ready_scan(request, pk)
        key = getattr(scan, self.field)
        if not key:
            raise NotFound
        return self.serve(request, scan, key)

    def serve(self, request: Request, scan: Scan, key: str) -> HttpResponse | StreamingHttpResponse:
        return serve_object(request, key, self.content_type)


class PackView(_PartView):
    """Slices are checked separately: a damaged one does not block the others."""

    field = "pack_key"

    def serve(self, request: Request, scan: Scan, key: str) -> HttpResponse | StreamingHttpResponse:
        try:
            return serve_object(request, key, self.content_type, pieces_of(fill_sums(scan)))
        except Damaged as found:
            raise blame(scan, found) from found


class PreviewView(_PartView):
    field = "preview_key"


@extend_schema_view(get=extend_schema(responses=served_as(MEDIA_TYPE)))
class LimitView(_PartView):
    field = "limit_key"
    content_type = MEDIA_TYPE


def ready_scan(request: Request, pk: UUID) -> Scan:
    """A ready scan that the caller may see. Raises NotFound, Gone for one that was withdrawn."""
    scan = visible_scans(request.user).filter(pk=pk).first()
    if scan is None:
        raise NotFound
    check_not_gone(scan)
    if scan.state != ScanState.READY:
        raise NotFound
    return scan


class ReasonOfWithdrawal(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)


class ScanWithdrawView(APIView):
    """Withdraw a scan permanently, with a reason."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=ReasonOfWithdrawal, responses=ScanSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        body = ReasonOfWithdrawal(data=request.data)
        body.is_valid(raise_exception=True)
        scan = withdraw(scan_id=pk, actor=request.user, why=body.validated_data["reason"])
        return Response(ScanSerializer(scan).data)
