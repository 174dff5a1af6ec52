"""HTTP for model output besides masks: probability maps and interactive proposals (docs/formats.md)."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.views import APIView

from annotation.masks import interactive
from annotation.masks.models import ProbabilityMap
from annotation.masks.renderers import MaskRenderer
from annotation.masks.selectors import readable_revisions, schema_of
from annotation.scans.states import ScanState
from annotation.work.services import find_own
from voxloop.accounts.requests import Request
from voxloop.kernel.errors import NotFound
from voxloop.storage.serving import OctetRenderer, serve_object, served_as
from voxloop.volume.labelmap import MEDIA_TYPE


class RevisionProbabilityView(APIView):
    """The coarse probability map of a prediction; readable by whoever may read the prediction."""

    permission_classes = [IsAuthenticated]
    renderer_classes = [JSONRenderer, OctetRenderer]

    @extend_schema(responses=served_as("application/octet-stream"))
    def get(self, request: Request, pk: UUID) -> HttpResponse | StreamingHttpResponse:
        revision = readable_revisions(request.user).filter(pk=pk, scan__state=ScanState.READY).first()
        found = revision and ProbabilityMap.objects.filter(revision=revision).first()
        if not found:
            raise NotFound
        return serve_object(request, found.key, "application/octet-stream")


class PromptsSerializer(serializers.Serializer[Any]):
    layer = serializers.CharField(max_length=32, allow_null=True, default=None)
    segment = serializers.IntegerField(min_value=1, max_value=254)
    points = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField(min_value=0), min_length=4, max_length=4),
        max_length=interactive.MOST_PROMPTS,
        default=list,
    )
    box = serializers.ListField(
        child=serializers.IntegerField(min_value=0), min_length=6, max_length=6, allow_null=True, default=None
    )


class AssignmentProposeView(APIView):
    """What an interactive segmentation server proposes for points (`i j k`, 1 = belongs) and a box; stores nothing."""

    permission_classes = [IsAuthenticated]
    renderer_classes = [JSONRenderer, MaskRenderer]

    @extend_schema(request=PromptsSerializer, responses={(200, MEDIA_TYPE): OpenApiTypes.BINARY})
    def post(self, request: Request, pk: UUID) -> HttpResponse:
        assignment = find_own(pk, request.user)
        body = PromptsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        prompts = interactive.Prompts([(i, j, k, bool(yes)) for i, j, k, yes in wanted["points"]], wanted["box"])
        layer = schema_of(assignment).layer(wanted["layer"])
        message = interactive.propose(
            assignment=assignment, actor=request.user, layer=layer.name, segment=wanted["segment"], prompts=prompts
        )
        return HttpResponse(message, content_type=MEDIA_TYPE, headers={"X-Content-Type-Options": "nosniff"})
