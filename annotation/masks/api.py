"""HTTP for masks and answers (docs/formats.md)."""

import gzip
import io
from typing import Any
from uuid import UUID

import nibabel
import numpy as np
from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.masks import services
from annotation.masks.answers import change_answers, save_answers
from annotation.masks.history import find_setter, list_revisions
from annotation.masks.models import MaskRevision
from annotation.masks.nifti import geometry_of
from annotation.masks.offline import plan_offline, take_offline
from annotation.masks.selectors import readable_revisions, schema_of, shown_revision
from annotation.masks.states import EMPTY
from annotation.masks.store import load_labels, message_of
from annotation.scans.models import Scan
from annotation.work.leases import end_offline
from annotation.work.models import Assignment
from annotation.work.schema import Layer
from annotation.work.selectors import visible_assignments
from annotation.work.services import find_own
from annotation.work.withdrawing import ENDED
from voxloop.kernel.errors import Invalid, NotFound, TooLarge
from voxloop.volume.labelmap import MEDIA_TYPE, strip_erased

LAYER = OpenApiParameter(
    "layer", OpenApiTypes.STR, description="name of the layer; where left out, the first that is drawn on"
)
SAVE_HEADERS = [
    LAYER,
    OpenApiParameter("If-Match", OpenApiTypes.STR, OpenApiParameter.HEADER, required=True),
    OpenApiParameter("Idempotency-Key", OpenApiTypes.UUID, OpenApiParameter.HEADER, required=True),
]


class RawParser(BaseParser):
    """The body as it is; services read and check it."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> bytes:
        body: bytes = stream.read(settings.MAX_MASK_BYTES + 1)
        if len(body) > settings.MAX_MASK_BYTES:
            raise TooLarge(f"A save holds at most {settings.MAX_MASK_BYTES >> 20} MiB.")
        return body


class MaskParser(RawParser):
    media_type = MEDIA_TYPE


class NiftiParser(RawParser):
    media_type = "application/gzip"


class MaskRenderer(JSONRenderer):
    """Lets content negotiation accept our media type; the view writes the bytes itself."""

    media_type = MEDIA_TYPE
    format = "mask"


class NiftiRenderer(JSONRenderer):
    media_type = "application/gzip"
    format = "nifti"


class SavedSerializer(serializers.ModelSerializer[MaskRevision]):
    revision = serializers.UUIDField(source="id")
    parent = serializers.UUIDField(source="parent_id", allow_null=True)
    strokes = serializers.SerializerMethodField()

    class Meta:
        model = MaskRevision
        fields = ["revision", "parent", "kind", "created_at", "content_hash", "voxel_counts", "strokes"]

    def get_strokes(self, revision: MaskRevision) -> int:
        return len(revision.strokes)


class AnswersSerializer(serializers.Serializer[Any]):
    values = serializers.DictField()  # type: ignore[assignment]


class AssignmentMaskView(APIView):
    """The mask of one layer of an assignment."""

    permission_classes = [IsAuthenticated]
    parser_classes = [MaskParser, NiftiParser]
    renderer_classes = [JSONRenderer, MaskRenderer, NiftiRenderer]

    @extend_schema(parameters=[LAYER], responses={(200, MEDIA_TYPE): OpenApiTypes.BINARY})
    def get(self, request: Request, pk: UUID) -> HttpResponse | Response:
        """The head, or of a read-only layer the newest mask: JSON facts, a mask message, or NIfTI, by `Accept`."""
        assignment, layer = _layer_of(request, pk)
        return mask_answer(request, shown_revision(assignment, layer), layer.name, assignment.scan)

    @extend_schema(
        parameters=SAVE_HEADERS,
        request={MEDIA_TYPE: OpenApiTypes.BINARY, "application/gzip": OpenApiTypes.BINARY},
        responses={201: SavedSerializer, 200: SavedSerializer},
    )
    def put(self, request: Request, pk: UUID) -> Response:
        """Save: changed chunks (a mask message) or a whole `.nii.gz`."""
        layer = request.query_params.get("layer") or schema_of(find_own(pk, request.user)).layer().name
        save = services.save_nifti if request.content_type == "application/gzip" else services.save_message
        sent = request.data if isinstance(request.data, bytes) else b""  # without a body nothing is parsed
        body = {"body" if save is services.save_nifti else "message": sent}
        revision, is_new = save(
            assignment_id=pk,
            layer=layer,
            if_match=_etag(request.headers.get("If-Match")),
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

    @extend_schema(responses={(200, MEDIA_TYPE): OpenApiTypes.BINARY})
    def get(self, request: Request, pk: UUID) -> HttpResponse | Response:
        revision = readable_revisions(request.user).filter(pk=pk).first()
        if revision is None:
            raise NotFound
        return mask_answer(request, revision, revision.layer, revision.scan)


class AssignmentHistoryView(APIView):
    """The revisions of one layer of an assignment, newest first."""

    permission_classes = [IsAuthenticated]

    @extend_schema(parameters=[LAYER], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, pk: UUID) -> Response:
        assignment, layer = _layer_of(request, pk)
        return Response({"layer": layer.name, "revisions": list_revisions(shown_revision(assignment, layer))})


class AssignmentVoxelView(APIView):
    """Which revision, person and tool set one voxel."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        parameters=[LAYER, OpenApiParameter("ijk", OpenApiTypes.STR, required=True, description="`i,j,k`")],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request, pk: UUID) -> Response:
        assignment, layer = _layer_of(request, pk)
        if assignment.scan.shape_zyx is None or assignment.scan.state in ENDED:
            raise NotFound
        head = shown_revision(assignment, layer)
        found = find_setter(head, _ijk(request.query_params.get("ijk", "")), assignment.scan)
        return Response({"value": found.value, "revision": found.revision, "strokes": found.strokes})


class DaysSerializer(serializers.Serializer[Any]):
    days = serializers.IntegerField(min_value=1, max_value=365)


class BatchOfflineView(APIView):
    """Take one's scans of a batch along: what it means (GET), do it (POST), and the end of it (DELETE)."""

    permission_classes = [IsAuthenticated]

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(plan_offline(batch_id=pk, actor=request.user))

    @extend_schema(request=DaysSerializer, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, pk: UUID) -> Response:
        body = DaysSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        until, load = take_offline(batch_id=pk, days=body.validated_data["days"], actor=request.user)
        return Response({"until": until, **load})

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def delete(self, request: Request, pk: UUID) -> Response:
        return Response({"given_back": end_offline(batch_id=pk, actor=request.user)})


class AnswersView(APIView):
    """The image-level answers of an assignment."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=AnswersSerializer, responses=AnswersSerializer)
    def put(self, request: Request, pk: UUID) -> Response:
        body = AnswersSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        saved = save_answers(assignment_id=pk, values=body.validated_data["values"], actor=request.user)
        return Response({"values": saved.values, "saved_at": saved.created_at})

    @extend_schema(request=AnswersSerializer, responses=AnswersSerializer)
    def patch(self, request: Request, pk: UUID) -> Response:
        body = AnswersSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        saved = change_answers(assignment_id=pk, changes=body.validated_data["values"], actor=request.user)
        return Response({"values": saved.values, "saved_at": saved.created_at})


def mask_answer(request: Request, revision: MaskRevision | None, layer: str, scan: Scan) -> HttpResponse | Response:
    """A revision as JSON facts, mask message or NIfTI, with its ETag; `None` is an empty mask."""
    if scan.shape_zyx is None or scan.state in ENDED:
        raise NotFound
    etag = f'"{revision.pk if revision else EMPTY}"'
    if request.headers.get("If-None-Match") == etag and revision is not None:
        return HttpResponse(status=304, headers={"ETag": etag})
    headers = {"ETag": etag, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    accepted = request.accepted_media_type or ""
    if accepted.startswith(MEDIA_TYPE):
        return HttpResponse(message_of(revision, layer, scan.shape_zyx), content_type=MEDIA_TYPE, headers=headers)
    if accepted.startswith("application/gzip"):
        headers["Content-Disposition"] = f'attachment; filename="{scan.code}-{layer}.nii.gz"'
        return HttpResponse(nifti_of(revision, scan), content_type="application/gzip", headers=headers)
    facts: dict[str, Any] = {
        "id": revision and str(revision.pk),
        "etag": etag.strip('"'),
        "layer": layer,
        "kind": revision and revision.kind,
        "author": revision and revision.author and revision.author.username,
        "created_at": revision and revision.created_at,
        "content_hash": revision and revision.content_hash,
        "voxel_counts": revision.voxel_counts if revision else {},
        "chunks": [[*map(int, key.split(",")), name] for key, name in (revision.chunks if revision else {}).items()],
    }
    return Response(facts, headers=headers)


def nifti_of(revision: MaskRevision | None, scan: Scan) -> bytes:
    """The labels as `.nii.gz` on the scan's grid (RAS), erased voxels as background."""
    labels = strip_erased(load_labels(revision, scan.shape_zyx))
    image = nibabel.Nifti1Image(np.ascontiguousarray(labels.transpose(2, 1, 0)), geometry_of(scan).ras_from_ijk())
    image.header.set_xyzt_units("mm")
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=6, mtime=0) as stream:
        stream.write(image.to_bytes())
    return out.getvalue()


def _layer_of(request: Request, pk: UUID) -> tuple[Assignment, Layer]:
    assignment = visible_assignments(request.user).filter(pk=pk).first()
    if assignment is None:
        raise NotFound
    return assignment, schema_of(assignment).layer(request.query_params.get("layer"))


def _ijk(text: str) -> list[int]:
    parts = text.split(",")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) < 7 for part in parts):
        raise Invalid("Say the voxel as i,j,k.", code="bad_voxel")
    return [int(part) for part in parts]


def _etag(header: str | None) -> str | None:
    return header.strip().removeprefix("W/").strip('"') if header else None


def _key(header: str | None) -> UUID | None:
    if not header:
        return None
    try:
        return UUID(header.strip().strip('"'))
    except ValueError:
        raise Invalid("The Idempotency-Key must be a UUID.", code="bad_idempotency_key") from None
