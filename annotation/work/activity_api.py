"""HTTP for active time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.work.activity import MOST_PERIODS, beat_assignment
from voxloop.accounts.requests import Request
from voxloop.accounts.sessions import note_activity
from voxloop.kernel.facts import plain

LONGEST_AGO_SECONDS = 60 * 86400.0
PRESENT_SECONDS = 60


class BeatSerializer(serializers.Serializer[Any]):
    active_seconds = serializers.FloatField(
        min_value=0, max_value=3600, default=0, help_text="active for so long until now"
    )
    periods = serializers.ListField(
        child=serializers.ListField(
            child=serializers.FloatField(min_value=0, max_value=LONGEST_AGO_SECONDS), min_length=2, max_length=2
        ),
        max_length=MOST_PERIODS,
        default=list,
        help_text="active periods: from and to, in seconds before now; reported twice they count once",
    )
    slices = serializers.CharField(
        required=False, max_length=4096, help_text="axial slices seen: a bit each, lowest first, as base64"
    )
    lesions = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=1_000_000),
        min_length=2,
        max_length=2,
        required=False,
        help_text="lesions visited, and all",
    )


@dataclass(frozen=True)
class BeatFacts:
    """The end of the lease, and the person's total active time."""

    lease_until: datetime | None
    active_seconds: int


class AssignmentBeatView(APIView):
    """A heartbeat of somebody at work: extends the lease and counts active time."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=BeatSerializer, responses=BeatFacts)
    def post(self, request: Request, pk: UUID) -> Response:
        body = BeatSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        told = body.validated_data
        done = beat_assignment(assignment_id=pk, actor=request.user, **told)
        # Periods of a journey without a network are no proof that somebody is here now.
        if told["active_seconds"] or any(to < PRESENT_SECONDS for _, to in told["periods"]):
            note_activity(request._request)
        return Response(plain(BeatFacts(done.lease_until, done.active_seconds)))
