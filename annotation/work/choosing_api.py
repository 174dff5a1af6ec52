"""HTTP for why scans were chosen."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.work.choosing import choice_told, mix_of, say_why
from annotation.work.models import Assignment
from annotation.work.permissions import OVERSEERS, has_role, require_role
from annotation.work.selectors import visible_assignments, visible_batches
from annotation.work.states import AssignmentState
from voxloop.accounts.requests import Request
from voxloop.accounts.roles import Role
from voxloop.kernel.errors import NotFound

FACTS = ("strategy", "model", "uncertainty", "surer", "extent_ml", "finding")


class ChoiceSerializer(serializers.Serializer[Any]):
    assignment = serializers.UUIDField()
    scan = serializers.CharField()
    site = serializers.CharField()
    why = serializers.CharField(help_text="empty for what was chosen before this was kept")
    sentence = serializers.CharField()
    strategy = serializers.CharField(allow_null=True)
    model = serializers.CharField(allow_null=True)
    uncertainty = serializers.FloatField(allow_null=True)
    surer = serializers.FloatField(
        allow_null=True, help_text="share of the scans chosen from of which the model was surer"
    )
    extent_ml = serializers.FloatField(allow_null=True)
    finding = serializers.CharField(allow_null=True)


class BatchChoiceSerializer(serializers.Serializer[Any]):
    """Why each scan of a batch was chosen, and what the batch is made of: scans by a name."""

    repeats = serializers.IntegerField()
    by_site = serializers.DictField(child=serializers.IntegerField())
    by_finding = serializers.DictField(child=serializers.IntegerField())
    by_extent = serializers.DictField(child=serializers.IntegerField())
    by_why = serializers.DictField(child=serializers.IntegerField())
    scans = ChoiceSerializer(many=True)


class BatchChoiceView(APIView):
    """Why the scans of a batch were chosen: for those who oversee the campaign, never for those who read the scans."""

    permission_classes = [IsAuthenticated]

    @extend_schema(responses=BatchChoiceSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        batch = visible_batches(request.user).select_related("campaign").filter(pk=pk).first()
        if batch is None:
            raise NotFound
        if not request.user.is_administrator:
            require_role(request.user, batch.campaign, *OVERSEERS)
        rows = list(
            visible_assignments(request.user)
            .filter(batch=batch, stage=Assignment.Stage.ANNOTATION)
            .exclude(state=AssignmentState.RECLAIMED)
            .order_by("position")
        )
        coordinates = has_role(request.user, batch.campaign, Role.COORDINATOR)
        for row in rows:
            row.choice = dict(choice_told(row.choice, knows_gold=coordinates))
        mix = mix_of((row.scan.site.code, row.choice) for row in rows)
        scans = [
            {
                "assignment": row.pk,
                "scan": row.scan.code,
                "site": row.scan.site.code,
                "why": row.choice.get("why", ""),
                "sentence": say_why(row.choice, row.scan.site.code),
                **{name: row.choice.get(name) for name in FACTS},
            }
            for row in rows
        ]
        return Response(BatchChoiceSerializer({**asdict(mix), "scans": scans}).data)
