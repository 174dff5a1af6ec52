"""HTTP for releases."""

from typing import Any
from uuid import UUID

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.datasets import services
from annotation.datasets.models import Export, Release
from annotation.datasets.selectors import count_scans, visible_exports, visible_releases
from annotation.work.selectors import visible_campaigns
from voxloop.kernel.errors import NotFound


class ReleaseSerializer(serializers.ModelSerializer[Release]):
    created_by = serializers.CharField(source="created_by.username", allow_null=True, default=None)

    class Meta:
        model = Release
        fields = [
            "id",
            "campaign",
            "name",
            "notes",
            "licence",
            "filters",
            "state",
            "manifest_hash",
            "created_by",
            "created_at",
            "frozen_at",
        ]


class ExportSerializer(serializers.ModelSerializer[Export]):
    class Meta:
        model = Export
        fields = ["id", "release", "destination", "formats", "seal", "job", "created_at"]


class ReleaseDetailSerializer(ReleaseSerializer):
    scans = serializers.SerializerMethodField()
    exports = serializers.SerializerMethodField()

    class Meta(ReleaseSerializer.Meta):
        fields = [*ReleaseSerializer.Meta.fields, "scans", "exports"]

    def get_scans(self, release: Release) -> dict[str, dict[str, int]]:
        """Scans by side of the split and site."""
        return count_scans(release)

    def get_exports(self, release: Release) -> list[dict[str, Any]]:
        return list(
            ExportSerializer(visible_exports(self.context["request"].user).filter(release=release), many=True).data
        )


class NewReleaseSerializer(serializers.Serializer[Any]):
    campaign = serializers.UUIDField()
    name = serializers.CharField(max_length=64)
    notes = serializers.CharField(max_length=4000, required=False, allow_blank=True, default="")
    licence = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    sites = serializers.ListField(
        child=serializers.SlugField(max_length=12), required=False, allow_null=True, default=None
    )
    approved_from = serializers.DateField(required=False, allow_null=True, default=None)
    approved_until = serializers.DateField(required=False, allow_null=True, default=None)


class NewExportSerializer(serializers.Serializer[Any]):
    destination = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class YankSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)


class ReleaseListView(generics.ListAPIView[Release]):
    """Releases the caller may see; make a draft of one."""

    permission_classes = [IsAuthenticated]
    serializer_class = ReleaseSerializer
    queryset = Release.objects.none()
    filterset_fields = ["campaign", "state"]

    def get_queryset(self) -> Any:
        return visible_releases(self.request.user)

    @extend_schema(request=NewReleaseSerializer, responses={201: ReleaseDetailSerializer})
    def post(self, request: Request) -> Response:
        body = NewReleaseSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        fields = dict(body.validated_data)
        campaign = visible_campaigns(request.user).filter(pk=fields.pop("campaign")).first()
        if campaign is None:
            raise NotFound
        release = services.create_release(campaign=campaign, actor=request.user, **fields)
        return _answer(request, release.pk, 201)


class ReleaseView(generics.RetrieveAPIView[Release]):
    """One release, with its counts and exports."""

    permission_classes = [IsAuthenticated]
    serializer_class = ReleaseDetailSerializer
    queryset = Release.objects.none()

    def get_queryset(self) -> Any:
        return visible_releases(self.request.user)


class ReleaseActionView(APIView):
    """Freeze a draft, or publish a frozen release."""

    permission_classes = [IsAuthenticated]
    action = "freeze"

    @extend_schema(request=None, responses=ReleaseDetailSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        act = services.freeze_release if self.action == "freeze" else services.publish_release
        act(release_id=pk, actor=request.user)
        return _answer(request, pk)


class ReleaseYankView(APIView):
    """Say that a release is not to be used any more, and why."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=YankSerializer, responses=ReleaseDetailSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        body = YankSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        services.yank_release(release_id=pk, actor=request.user, why=body.validated_data["reason"])
        return _answer(request, pk)


class ReleaseExportView(APIView):
    """Write a frozen release out; answers the export with its job."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=NewExportSerializer, responses={202: ExportSerializer})
    def post(self, request: Request, pk: UUID) -> Response:
        body = NewExportSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        export = services.request_export(release_id=pk, actor=request.user, **body.validated_data)
        return Response(ExportSerializer(export).data, status=202)


def _answer(request: Request, pk: UUID, status: int = 200) -> Response:
    release = visible_releases(request.user).get(pk=pk)
    return Response(ReleaseDetailSerializer(release, context={"request": request}).data, status=status)


urls = [
    path("releases/", ReleaseListView.as_view(), name="releases"),
    path("releases/<uuid:pk>/", ReleaseView.as_view(), name="release"),
    path("releases/<uuid:pk>/freeze", ReleaseActionView.as_view(action="freeze"), name="release-freeze"),
    path("releases/<uuid:pk>/publish", ReleaseActionView.as_view(action="publish"), name="release-publish"),
    path("releases/<uuid:pk>/yank", ReleaseYankView.as_view(), name="release-yank"),
    path("releases/<uuid:pk>/export", ReleaseExportView.as_view(), name="release-export"),
]
