"""HTTP for what changed between two releases."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.datasets.comparing import CHANGED, IN, OUT, Comparison, compare_releases
from annotation.datasets.selectors import visible_releases
from voxloop.accounts.requests import Request
from voxloop.kernel.errors import NotFound


class SegmentChangeSerializer(serializers.Serializer[Any]):
    """`before`, `after` and `delta` in `unit`: mL, or cm² on an X-ray."""

    layer = serializers.CharField()
    segment = serializers.CharField()
    before = serializers.FloatField()
    after = serializers.FloatField()
    delta = serializers.FloatField()
    unit = serializers.CharField()
    dice = serializers.FloatField(allow_null=True, help_text="between the two versions of the mask")


class ScanChangeSerializer(serializers.Serializer[Any]):
    """Who labelled and approved it in the later of the two releases that has it. A split is "" where it is not in."""

    scan = serializers.CharField()
    change = serializers.ChoiceField([IN, OUT, CHANGED])
    site = serializers.CharField()
    split_before = serializers.CharField()
    split_after = serializers.CharField()
    author = serializers.CharField()
    reviewer = serializers.CharField()
    round = serializers.IntegerField()
    why = serializers.CharField()
    answers = serializers.ListField(
        child=serializers.CharField(), help_text="keys of the questions with another answer"
    )
    segments = SegmentChangeSerializer(many=True)


class ComparisonSerializer(serializers.Serializer[Comparison]):
    """Everything that changed since another release of the campaign, by code of the scan."""

    before = serializers.UUIDField(source="before.pk")
    after = serializers.UUIDField(source="after.pk")
    unchanged = serializers.IntegerField()
    scans = ScanChangeSerializer(many=True)


class SinceSerializer(serializers.Serializer[Any]):
    since = serializers.UUIDField()


class ReleaseChangesView(APIView):
    """What changed in a frozen release since another of its campaign."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        parameters=[OpenApiParameter("since", {"type": "string", "format": "uuid"}, required=True)],
        responses=ComparisonSerializer,
    )
    def get(self, request: Request, pk: UUID) -> Response:
        if not visible_releases(request.user).filter(pk=pk).exists():
            raise NotFound
        asked = SinceSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = compare_releases(release_id=pk, since_id=asked.validated_data["since"], actor=request.user)
        return Response(ComparisonSerializer(found).data)
