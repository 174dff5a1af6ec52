"""HTTP for releases."""

from typing import Any
from uuid import UUID

from django.http import FileResponse, HttpResponse
from django.urls import path, reverse
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.datasets import services
from annotation.datasets.comparing_api import ReleaseChangesView
from annotation.datasets.downloading import find_export, is_in_folder, make_links, serve_export
from annotation.datasets.exporters.choices import BY_KEY
from annotation.datasets.licences import LONGEST
from annotation.datasets.models import Export, Release
from annotation.datasets.selectors import count_scans, visible_exports, visible_releases
from annotation.datasets.states import ReleaseState
from annotation.work.selectors import visible_campaigns
from voxloop.accounts.requests import Request, person_of
from voxloop.kernel.errors import NotFound
from voxloop.storage.serving import OctetRenderer, served_as


class FiltersSerializer(serializers.Serializer[Any]):
    """Which scans a release includes; null: all. `segments` are `layer/key`, any drawn; `least_agreement` is the mean
    Dice of the readings of a scan, which leaves out scans that were read once."""

    sites = serializers.ListField(
        child=serializers.SlugField(max_length=12), required=False, allow_null=True, default=None
    )
    sides = serializers.ListField(
        child=serializers.CharField(max_length=12), required=False, allow_null=True, default=None
    )
    segments = serializers.ListField(
        child=serializers.CharField(max_length=100), required=False, allow_null=True, default=None
    )
    thickest_mm = serializers.FloatField(required=False, allow_null=True, default=None)
    approved_from = serializers.DateField(required=False, allow_null=True, default=None)
    approved_until = serializers.DateField(required=False, allow_null=True, default=None)
    least_agreement = serializers.FloatField(required=False, allow_null=True, default=None)


class ReleaseSerializer(serializers.ModelSerializer[Release]):
    state = serializers.ChoiceField(ReleaseState.choices)
    filters = FiltersSerializer()
    created_by = serializers.CharField(source="created_by.username", allow_null=True, default=None)
    yank_reason = serializers.CharField(allow_null=True, default=None, help_text="Why it must not be used any more.")

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
            "yank_reason",
        ]


class ExportPartSerializer(serializers.Serializer[Any]):
    """The sides and sites of a partial export; an empty list: all."""

    sides = serializers.ListField(child=serializers.CharField())
    sites = serializers.ListField(child=serializers.CharField())


class ExportSerializer(serializers.ModelSerializer[Export]):
    """`destination` is "" for the server's own folder. `bytes` and `file_count` of a complete one; then `download` is
    the path of its zip, or `links` that of the links to its files in a bucket."""

    destination = serializers.SerializerMethodField()
    formats = serializers.ListField(child=serializers.CharField())
    part = ExportPartSerializer(allow_null=True)
    file_count = serializers.IntegerField(allow_null=True, default=None)
    download = serializers.SerializerMethodField()
    links = serializers.SerializerMethodField()

    class Meta:
        model = Export
        fields = [
            "id",
            "release",
            "destination",
            "formats",
            "part",
            "seal",
            "bytes",
            "file_count",
            "download",
            "links",
            "job",
            "created_at",
        ]

    def get_destination(self, export: Export) -> str:
        return "" if is_in_folder(export) else export.destination

    def get_download(self, export: Export) -> str | None:
        is_there = export.seal and is_in_folder(export)
        return reverse("api:export-download", args=[export.pk]) if is_there else None

    def get_links(self, export: Export) -> str | None:
        is_there = export.seal and not is_in_folder(export)
        return reverse("api:export-links", args=[export.pk]) if is_there else None


class LinkSerializer(serializers.Serializer[Any]):
    path = serializers.CharField()
    bytes = serializers.IntegerField()
    url = serializers.CharField()


class LinksSerializer(serializers.Serializer[Any]):
    """Links to the files of a release in a bucket. Whoever has one can read the file until `expires_at`; `aws` is a
    command for those who have credentials of their own."""

    name = serializers.CharField(help_text="the folder of the release")
    files = LinkSerializer(many=True)
    expires_at = serializers.DateTimeField()
    aws = serializers.CharField()


class ReleaseDetailSerializer(ReleaseSerializer):
    scans = serializers.SerializerMethodField()
    exports = serializers.SerializerMethodField()

    class Meta(ReleaseSerializer.Meta):
        fields = [*ReleaseSerializer.Meta.fields, "scans", "exports"]

    def get_scans(self, release: Release) -> dict[str, dict[str, int]]:
        """Scans by side of the split and site."""
        return count_scans(release)

    @extend_schema_field(ExportSerializer(many=True))
    def get_exports(self, release: Release) -> list[dict[str, Any]]:
        return list(
            ExportSerializer(visible_exports(self.context["request"].user).filter(release=release), many=True).data
        )


class NewReleaseSerializer(FiltersSerializer):
    """A draft, with its filters."""

    campaign = serializers.UUIDField()
    name = serializers.CharField(max_length=64)
    notes = serializers.CharField(max_length=4000, required=False, allow_blank=True, default="")
    licence = serializers.CharField(
        max_length=LONGEST,
        required=False,
        allow_blank=True,
        default="",
        help_text="An SPDX identifier such as CC-BY-4.0, or a text.",
    )


class NewExportSerializer(serializers.Serializer[Any]):
    destination = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    formats = serializers.ListField(
        child=serializers.CharField(max_length=32),
        required=False,
        default=list,
        help_text=f"Besides NIfTI and DICOM SEG, which every export holds: {', '.join(BY_KEY)}.",
    )
    sides = serializers.ListField(
        child=serializers.CharField(max_length=12), required=False, default=list, help_text="Of a partial export."
    )
    sites = serializers.ListField(
        child=serializers.CharField(max_length=12), required=False, default=list, help_text="Of a partial export."
    )


class YankSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)


class ReleaseListView(generics.ListAPIView[Release]):
    """Releases the caller may see; POST creates a draft."""

    permission_classes = [IsAuthenticated]
    serializer_class = ReleaseSerializer
    queryset = Release.objects.none()
    filterset_fields = ["campaign", "state"]

    def get_queryset(self) -> Any:
        return visible_releases(person_of(self))

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
        return visible_releases(person_of(self))


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
    """Yank a release (not to be used any more), with a reason."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=YankSerializer, responses=ReleaseDetailSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        body = YankSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        services.yank_release(release_id=pk, actor=request.user, why=body.validated_data["reason"])
        return _answer(request, pk)


class ReleaseExportView(APIView):
    """Export a frozen release; returns the export with its job."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=NewExportSerializer, responses={202: ExportSerializer})
    def post(self, request: Request, pk: UUID) -> Response:
        body = NewExportSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        export = services.request_export(release_id=pk, actor=request.user, **body.validated_data)
        return Response(ExportSerializer(export).data, status=202)


class ExportDownloadView(APIView):
    """A complete export as one zip, not compressed, also by byte range: a broken download can be resumed. Its ETag is
    the seal."""

    permission_classes = [IsAuthenticated]
    renderer_classes = [JSONRenderer, OctetRenderer]

    @extend_schema(responses={**served_as("application/zip")})
    def get(self, request: Request, pk: UUID) -> HttpResponse | FileResponse:
        return serve_export(request, find_export(pk, request.user), request.user)


class ExportLinksView(APIView):
    """Links to every file of a complete export in a bucket."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=LinksSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        links = make_links(find_export(pk, request.user), request.user)
        return Response(LinksSerializer(links).data)


def _answer(request: Request, pk: UUID, status: int = 200) -> Response:
    release = visible_releases(request.user).get(pk=pk)
    return Response(ReleaseDetailSerializer(release, context={"request": request}).data, status=status)


urls = [
    path("releases/", ReleaseListView.as_view(), name="releases"),
    path("releases/<uuid:pk>/", ReleaseView.as_view(), name="release"),
    path("releases/<uuid:pk>/changes", ReleaseChangesView.as_view(), name="release-changes"),
    path("releases/<uuid:pk>/freeze", ReleaseActionView.as_view(action="freeze"), name="release-freeze"),
    path("releases/<uuid:pk>/publish", ReleaseActionView.as_view(action="publish"), name="release-publish"),
    path("releases/<uuid:pk>/yank", ReleaseYankView.as_view(), name="release-yank"),
    path("releases/<uuid:pk>/export", ReleaseExportView.as_view(), name="release-export"),
    path("exports/<uuid:pk>/download", ExportDownloadView.as_view(), name="export-download"),
    path("exports/<uuid:pk>/links", ExportLinksView.as_view(), name="export-links"),
]
