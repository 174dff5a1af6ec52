"""HTTP for sites, scans, campaigns, batches and assignments."""

import re
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.scans.models import Scan, Site
from annotation.scans.selectors import visible_sites, volume_index
from annotation.work import batches, services
from annotation.work.models import Assignment, Batch, Campaign
from annotation.work.permissions import roles_of
from annotation.work.selectors import visible_assignments, visible_batches, visible_campaigns, visible_scans
from voxloop.accounts.models import User
from voxloop.kernel.errors import NotFound
from voxloop.storage.store import open_store
from voxloop.volume.labelmap import MEDIA_TYPE

IMMUTABLE = "private, max-age=31536000, immutable"


class SiteSerializer(serializers.ModelSerializer[Site]):
    class Meta:
        model = Site
        fields = ["id", "code", "name", "split"]


class ScanSerializer(serializers.ModelSerializer[Scan]):
    site = serializers.CharField(source="site.code")
    volume = serializers.SerializerMethodField()

    class Meta:
        model = Scan
        fields = [
            "id", "code", "site", "state", "reason_code", "reason", "modality", "description", "shape_zyx",
            "spacing_mm_zyx", "volume", "created_at", "ready_at",
        ]  # fmt: skip

    def get_volume(self, scan: Scan) -> str | None:
        return f"/api/v1/scans/{scan.pk}/volume" if scan.state == "ready" else None


class CampaignSerializer(serializers.ModelSerializer[Campaign]):
    my_roles = serializers.SerializerMethodField()

    class Meta:
        model = Campaign
        fields = ["id", "name", "slug", "batch_size", "is_paused", "retrain_after", "promotes_by_itself", "my_roles"]

    def get_my_roles(self, campaign: Campaign) -> list[str]:
        return sorted(roles_of(self.context["request"].user, campaign))


class BatchSerializer(serializers.ModelSerializer[Batch]):
    assignee = serializers.CharField(source="assignee.username", allow_null=True, default=None)
    scans = serializers.SerializerMethodField()

    class Meta:
        model = Batch
        fields = [
            "id", "campaign", "number", "name", "state", "assignee", "due_on", "chosen_by", "scans", "created_at",
            "published_at",
        ]  # fmt: skip

    def get_scans(self, batch: Batch) -> int:
        return batch.assignments.filter(stage=Assignment.Stage.ANNOTATION).exclude(state="reclaimed").count()


class NewBatchSerializer(serializers.Serializer[Any]):
    campaign = serializers.UUIDField()
    size = serializers.IntegerField(required=False, allow_null=True, default=None)
    choose = serializers.ChoiceField(["order", "random", "score", "hand"], default="order")
    scans = serializers.ListField(child=serializers.UUIDField(), required=False, default=None, allow_null=True)
    assignee = serializers.CharField(required=False, allow_null=True, default=None)
    due_on = serializers.DateField(required=False, allow_null=True, default=None)
    publish = serializers.BooleanField(default=False)


class AssignBatchSerializer(serializers.Serializer[Any]):
    assignee = serializers.CharField(allow_null=True)


class AssignmentSerializer(serializers.ModelSerializer[Assignment]):
    scan = serializers.CharField(source="scan.code")
    scan_id = serializers.UUIDField()
    site = serializers.CharField(source="scan.site.code")
    batch_name = serializers.CharField(source="batch.name")
    person = serializers.CharField(source="person.username", allow_null=True, default=None)
    view = serializers.SerializerMethodField()

    class Meta:
        model = Assignment
        fields = [
            "id", "campaign", "batch", "batch_name", "scan", "scan_id", "site", "stage", "state", "reason", "round",
            "position", "person", "starts_from", "lease_until", "active_seconds", "opened_at", "submitted_at", "view",
        ]  # fmt: skip

    def get_view(self, assignment: Assignment) -> str:
        return f"/view/{assignment.pk}/"


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)


class BeatSerializer(serializers.Serializer[Any]):
    active_seconds = serializers.IntegerField(min_value=0, max_value=3600)


class SiteListView(generics.ListAPIView[Site]):
    """Sites the caller belongs to."""

    permission_classes = [IsAuthenticated]
    serializer_class = SiteSerializer
    queryset = Site.objects.none()

    def get_queryset(self) -> Any:
        return visible_sites(self.request.user).order_by("code")


class ScanListView(generics.ListAPIView[Scan]):
    """Scans the caller may see."""

    permission_classes = [IsAuthenticated]
    serializer_class = ScanSerializer
    queryset = Scan.objects.none()
    filterset_fields = ["state", "code"]

    def get_queryset(self) -> Any:
        return visible_scans(self.request.user).select_related("site").order_by("code")


class ScanView(generics.RetrieveAPIView[Scan]):
    permission_classes = [IsAuthenticated]
    serializer_class = ScanSerializer
    queryset = Scan.objects.none()

    def get_queryset(self) -> Any:
        return visible_scans(self.request.user).select_related("site")


class VolumeView(APIView):
    """The index of a scan's volume (docs/formats.md)."""

    permission_classes = [IsAuthenticated]

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, pk: UUID) -> Response:
        scan = ready_scan(request, pk)
        return Response(volume_index(scan), headers={"Cache-Control": "private, no-cache"})


class OctetRenderer(BaseRenderer):
    """Binary parts are written by the view itself."""

    media_type = "application/octet-stream"
    format = "bin"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        return JSONRenderer().render(data)


class _PartView(APIView):
    """An immutable part of a volume, by byte range."""

    permission_classes = [IsAuthenticated]
    renderer_classes = [JSONRenderer, OctetRenderer]
    content_type = "application/octet-stream"
    field = "pack_key"

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, pk: UUID) -> HttpResponse | StreamingHttpResponse:
        scan = ready_scan(request, pk)
        key = getattr(scan, self.field)
        if not key:
            raise NotFound
        return serve_object(request, key, self.content_type)


class PackView(_PartView):
    field = "pack_key"


class PreviewView(_PartView):
    field = "preview_key"


class LimitView(_PartView):
    field = "limit_key"
    content_type = MEDIA_TYPE


def serve_object(request: Request, key: str, content_type: str) -> HttpResponse | StreamingHttpResponse:
    """An immutable object with ETag, a year of caching, and one byte range (RFC 9110); 416 for a bad one."""
    store = open_store(settings.STORAGE_URL)
    etag = f'"{key.rpartition("/")[2]}"'
    headers = {"ETag": etag, "Cache-Control": IMMUTABLE, "Accept-Ranges": "bytes", "X-Content-Type-Options": "nosniff"}
    if request.headers.get("If-None-Match") == etag:
        return HttpResponse(status=304, headers=headers)
    size = store.size(key)
    start, end, status = 0, size, 200
    extent = request.headers.get("Range")
    if extent and request.headers.get("If-Range", etag) == etag:
        match = re.fullmatch(r"bytes=(\d*)-(\d*)", extent.strip())
        if match and any(match.groups()):
            first, last = match.groups()
            start = int(first) if first else max(0, size - int(last))
            end = min(size, int(last) + 1) if first and last else size
            if start >= size or start >= end:
                return HttpResponse(status=416, headers={**headers, "Content-Range": f"bytes */{size}"})
            status = 206
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - start)
    return StreamingHttpResponse(
        store.stream(key, start, end), status=status, content_type=content_type, headers=headers
    )


def ready_scan(request: Request, pk: UUID) -> Scan:
    """A ready scan that the caller may see. Raises NotFound."""
    scan = visible_scans(request.user).filter(pk=pk, state="ready").first()
    if scan is None:
        raise NotFound
    return scan


class CampaignListView(generics.ListAPIView[Campaign]):
    """Campaigns the caller takes part in."""

    permission_classes = [IsAuthenticated]
    serializer_class = CampaignSerializer
    queryset = Campaign.objects.none()

    def get_queryset(self) -> Any:
        return visible_campaigns(self.request.user).order_by("name")


class BatchListView(generics.ListAPIView[Batch]):
    """Batches the caller may see; a coordinator makes new ones."""

    permission_classes = [IsAuthenticated]
    serializer_class = BatchSerializer
    queryset = Batch.objects.none()
    filterset_fields = ["campaign", "state"]

    def get_queryset(self) -> Any:
        return visible_batches(self.request.user).select_related("assignee").order_by("-number")

    @extend_schema(request=NewBatchSerializer, responses={201: BatchSerializer})
    def post(self, request: Request) -> Response:
        body = NewBatchSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        campaign = visible_campaigns(request.user).filter(pk=wanted["campaign"]).first()
        if campaign is None:
            raise NotFound("There is no such campaign, or you may not see it.")
        batch = batches.create_batch(
            campaign=campaign,
            actor=request.user,
            size=wanted["size"],
            chosen_by=wanted["choose"],
            assignee=_person(wanted["assignee"]),
            due_on=wanted["due_on"],
            scan_ids=wanted["scans"],
        )
        if wanted["publish"]:
            batch = batches.publish_batch(batch_id=batch.pk, actor=request.user)
        return Response(BatchSerializer(batch).data, status=201)


class BatchActionView(APIView):
    """Publish, close, cancel or assign a batch."""

    permission_classes = [IsAuthenticated]
    action = ""

    @extend_schema(request=None, responses=BatchSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        act = {"publish": batches.publish_batch, "close": batches.close_batch, "cancel": batches.cancel_batch}
        return Response(BatchSerializer(act[self.action](batch_id=pk, actor=request.user)).data)


class BatchAssignView(APIView):
    """Give a batch to a person, or to the pool (`null`)."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=AssignBatchSerializer, responses=BatchSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        body = AssignBatchSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        batch = batches.assign_batch(batch_id=pk, person=_person(body.validated_data["assignee"]), actor=request.user)
        return Response(BatchSerializer(batch).data)


def _person(username: str | None) -> User | None:
    if username is None:
        return None
    person = User.objects.filter(username=username, is_active=True).first()
    if person is None:
        raise NotFound("There is no person of that name.")
    return person


class AssignmentListView(generics.ListAPIView[Assignment]):
    """Assignments the caller may see."""

    permission_classes = [IsAuthenticated]
    serializer_class = AssignmentSerializer
    queryset = Assignment.objects.none()
    filterset_fields = ["state", "stage", "batch", "campaign"]

    def get_queryset(self) -> Any:
        return visible_assignments(self.request.user).order_by("batch__number", "position")


class AssignmentReasonView(APIView):
    """Skip or block, with a reason."""

    permission_classes = [IsAuthenticated]
    action = ""

    @extend_schema(request=ReasonSerializer, responses=AssignmentSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        body = ReasonSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        act = {"skip": services.skip_assignment, "block": services.block_assignment}[self.action]
        done = act(assignment_id=pk, actor=request.user, reason=body.validated_data["reason"])
        return Response(AssignmentSerializer(done).data)


class AssignmentReclaimView(APIView):
    """Take a scan back from a person (coordinator)."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=ReasonSerializer, responses=AssignmentSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        body = ReasonSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        fresh = services.reclaim_assignment(assignment_id=pk, actor=request.user, why=body.validated_data["reason"])
        return Response(AssignmentSerializer(fresh).data)


class AssignmentReleaseView(APIView):
    """Give an untouched scan back."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=AssignmentSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        return Response(AssignmentSerializer(services.release_assignment(assignment_id=pk, actor=request.user)).data)


class AssignmentUnblockView(APIView):
    """Answer a block, or undo a skip."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=AssignmentSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        return Response(AssignmentSerializer(services.unblock_assignment(assignment_id=pk, actor=request.user)).data)


class AssignmentBeatView(APIView):
    """Say that one is still at work; extends the lease."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=BeatSerializer, responses=AssignmentSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        body = BeatSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        done = services.beat_assignment(
            assignment_id=pk, actor=request.user, active_seconds=body.validated_data["active_seconds"]
        )
        return Response({"lease_until": done.lease_until, "active_seconds": done.active_seconds})
