"""HTTP for masks and answers (docs/formats.md)."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.masks import services
from annotation.masks.answers import change_answers, save_answers
from annotation.masks.facts import (
    BroughtBackFacts,
    HistoryFacts,
    MaskFacts,
    OfflineLoadFacts,
    OfflinePlanFacts,
    SavedAnswersFacts,
    SetterFacts,
)
from annotation.masks.history import find_setter, list_revisions
from annotation.masks.models import MaskRevision
from annotation.masks.offline import plan_offline, take_offline
from annotation.masks.renderers import NIFTI_TYPE, MaskRenderer, NiftiRenderer, etag_of, mask_answer
from annotation.masks.selectors import readable_revisions, schema_of, shown_revision
from annotation.work.leases import end_offline
from annotation.work.models import Assignment
from annotation.work.schema import Layer
from annotation.work.selectors import visible_assignments
from annotation.work.services import find_own
from annotation.work.withdrawing import ENDED
from voxloop.accounts.requests import Request
from voxloop.kernel.errors import Invalid, NotFound, TooLarge
from voxloop.kernel.facts import plain
from voxloop.volume.labelmap import MEDIA_TYPE

LAYER = OpenApiParameter("layer", OpenApiTypes.STR, description="name of the layer; default: the first editable one")
# `Accept`: JSON facts, the voxels as a mask message, or as NIfTI.
MASK_ANSWERS = {
    (200, "application/json"): MaskFacts,
    (200, MEDIA_TYPE): OpenApiTypes.BINARY,
    (200, NIFTI_TYPE): OpenApiTypes.BINARY,
    304: None,
}
SAVE_HEADERS = [
    LAYER,
    OpenApiParameter("If-Match", OpenApiTypes.STR, OpenApiParameter.HEADER, required=True),
    OpenApiParameter("Idempotency-Key", OpenApiTypes.UUID, OpenApiParameter.HEADER, required=True),
]


class RawParser(BaseParser):
    """The raw body; services parse and check it."""

    def parse(  # type: ignore[override]  # the stubs know parsers of documents only
        self, stream: Any, media_type: Any = None, parser_context: Any = None
    ) -> bytes:
        body: bytes = stream.read(settings.MAX_MASK_BYTES + 1)
        if len(body) > settings.MAX_MASK_BYTES:
            raise TooLarge(f"A save holds at most {settings.MAX_MASK_BYTES >> 20} MiB.")
        return body


class MaskParser(RawParser):
    media_type = MEDIA_TYPE


class NiftiParser(RawParser):
    media_type = NIFTI_TYPE


class SavedSerializer(serializers.ModelSerializer[MaskRevision]):
    revision = serializers.UUIDField(source="id")
    parent = serializers.UUIDField(  # type: ignore[assignment]  # a field of the answer, not where this one is in
        source="parent_id", allow_null=True
    )
    voxel_counts = serializers.DictField(child=serializers.IntegerField(), help_text="by segment id")
    strokes = serializers.SerializerMethodField(help_text="number of strokes in this save")

    class Meta:
        model = MaskRevision
        fields = ["revision", "parent", "kind", "created_at", "content_hash", "voxel_counts", "strokes"]

    def get_strokes(self, revision: MaskRevision) -> int:
        return len(revision.strokes)


class AnswersSerializer(serializers.Serializer[Any]):
    values = serializers.DictField()


class AssignmentMaskView(APIView):
    """The mask of one layer of an assignment."""

    permission_classes = [IsAuthenticated]
    parser_classes = [MaskParser, NiftiParser]
    renderer_classes = [JSONRenderer, MaskRenderer, NiftiRenderer]

    @extend_schema(parameters=[LAYER], responses=MASK_ANSWERS)
    def get(self, request: Request, pk: UUID) -> HttpResponse | Response:
        """The head, or of a read-only layer the newest mask: JSON facts, a mask message, or NIfTI, by `Accept`."""
        assignment, layer = _layer_of(request, pk)
        return mask_answer(request, shown_revision(assignment, layer), layer.name, assignment.scan)

    @extend_schema(
        parameters=SAVE_HEADERS,
        request={MEDIA_TYPE: OpenApiTypes.BINARY, NIFTI_TYPE: OpenApiTypes.BINARY},
        responses={201: SavedSerializer, 200: SavedSerializer},
    )
    def put(self, request: Request, pk: UUID) -> Response:
        """Save: changed chunks (a mask message) or a whole `.nii.gz`."""
        layer = request.query_params.get("layer") or schema_of(find_own(pk, request.user)).layer().name
        save = services.save_nifti if request.content_type == NIFTI_TYPE else services.save_message
        sent = request.data if isinstance(request.data, bytes) else b""  # without a body nothing is parsed
        body = {"body" if save is services.save_nifti else "message": sent}
        revision, is_new = save(
            assignment_id=pk,
            layer=layer,
            if_match=etag_of(request.headers.get("If-Match")),
            key=_key(request.headers.get("Idempotency-Key")),
            actor=request.user,
            **body,
        )
        return Response(
            SavedSerializer(revision).data, status=201 if is_new else 200, headers={"ETag": f'"{revision.pk}"'}
        )


class RevisionMaskView(APIView):
    """The voxels of one revision: overlays, history, differences."""

    permission_classes = [IsAuthenticated]
    renderer_classes = [JSONRenderer, MaskRenderer, NiftiRenderer]

    @extend_schema(responses=MASK_ANSWERS)
    def get(self, request: Request, pk: UUID) -> HttpResponse | Response:
        revision = readable_revisions(request.user).filter(pk=pk).first()
        if revision is None:
            raise NotFound
        return mask_answer(request, revision, revision.layer, revision.scan)


class AssignmentHistoryView(APIView):
    """The revisions of one layer of an assignment, newest first."""

    permission_classes = [IsAuthenticated]

    @extend_schema(parameters=[LAYER], responses=HistoryFacts)
    def get(self, request: Request, pk: UUID) -> Response:
        assignment, layer = _layer_of(request, pk)
        return Response(plain(HistoryFacts(layer.name, list_revisions(shown_revision(assignment, layer)))))


class AssignmentVoxelView(APIView):
    """Which revision, person and tool set one voxel."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        parameters=[LAYER, OpenApiParameter("ijk", OpenApiTypes.STR, required=True, description="`i,j,k`")],
        responses=SetterFacts,
    )
    def get(self, request: Request, pk: UUID) -> Response:
        assignment, layer = _layer_of(request, pk)
        if assignment.scan.shape_zyx is None or assignment.scan.state in ENDED:
            raise NotFound
        head = shown_revision(assignment, layer)
        return Response(plain(find_setter(head, _ijk(request.query_params.get("ijk", "")), assignment.scan)))


class DaysSerializer(serializers.Serializer[Any]):
    days = serializers.IntegerField(min_value=1, max_value=365)


class BatchOfflineView(APIView):
    """Offline work on one's scans of a batch: preview (GET), start (POST), end (DELETE)."""

    permission_classes = [IsAuthenticated]

    @extend_schema(responses=OfflinePlanFacts)
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(plain(plan_offline(batch_id=pk, actor=request.user)))

    @extend_schema(request=DaysSerializer, responses=OfflineLoadFacts)
    def post(self, request: Request, pk: UUID) -> Response:
        body = DaysSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(plain(take_offline(batch_id=pk, days=body.validated_data["days"], actor=request.user)))

    @extend_schema(responses={200: BroughtBackFacts})
    def delete(self, request: Request, pk: UUID) -> Response:
        return Response(plain(BroughtBackFacts(end_offline(batch_id=pk, actor=request.user))))


class AnswersView(APIView):
    """The image-level answers of an assignment."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=AnswersSerializer, responses=SavedAnswersFacts)
    def put(self, request: Request, pk: UUID) -> Response:
        body = AnswersSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        saved = save_answers(assignment_id=pk, values=body.validated_data["values"], actor=request.user)
        return Response(plain(SavedAnswersFacts(saved.values, saved.created_at)))

    @extend_schema(request=AnswersSerializer, responses=SavedAnswersFacts)
    def patch(self, request: Request, pk: UUID) -> Response:
        body = AnswersSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        saved = change_answers(assignment_id=pk, changes=body.validated_data["values"], actor=request.user)
        return Response(plain(SavedAnswersFacts(saved.values, saved.created_at)))


def _layer_of(request: Request, pk: UUID) -> tuple[Assignment, Layer]:
    assignment = visible_assignments(request.user).filter(pk=pk).first()
    if assignment is None:
        raise NotFound
    return assignment, schema_of(assignment).layer(request.query_params.get("layer"))


def _ijk(text: str) -> list[int]:
    parts = text.split(",")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) < 7 for part in parts):
        raise Invalid("Give the voxel as i,j,k.", code="bad_voxel")
    return [int(part) for part in parts]


def _key(header: str | None) -> UUID | None:
    if not header:
        return None
    try:
        return UUID(header.strip().strip('"'))
    except ValueError:
        raise Invalid("The Idempotency-Key must be a UUID.", code="bad_idempotency_key") from None
