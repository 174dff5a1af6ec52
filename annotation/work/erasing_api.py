"""HTTP for previewing and carrying out the erasure of a subject."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.scans.erasing import plan_erasure
from annotation.work.erasing import erase, find_subject
from voxloop.accounts.requests import Request


class ErasureLine(serializers.Serializer[Any]):
    what = serializers.CharField()
    count = serializers.IntegerField()
    fate = serializers.ChoiceField(choices=["erased", "kept", "marked"])
    why = serializers.CharField()


class ErasurePlan(serializers.Serializer[Any]):
    subject = serializers.CharField()
    scans = serializers.ListField(child=serializers.CharField())
    plan = ErasureLine(many=True)


class ErasureOrder(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)
    confirmation = serializers.CharField(max_length=64, help_text="the subject's code, as in the plan")


class Erased(serializers.Serializer[Any]):
    subject = serializers.CharField()
    scans = serializers.ListField(child=serializers.CharField())


class ErasureView(APIView):
    """What erasing a subject would do (GET), and the erasure (POST). Data managers and administrators."""

    permission_classes = [IsAuthenticated]

    @extend_schema(responses=ErasurePlan)
    def get(self, request: Request, pk: UUID) -> Response:
        subject = find_subject(pk, request.user)
        codes = list(subject.scans.order_by("code").values_list("code", flat=True))
        plan = [asdict(line) for line in plan_erasure(subject)]
        return Response({"subject": subject.pseudonym, "scans": codes, "plan": plan})

    @extend_schema(request=ErasureOrder, responses=Erased)
    def post(self, request: Request, pk: UUID) -> Response:
        body = ErasureOrder(data=request.data)
        body.is_valid(raise_exception=True)
        order = body.validated_data
        gone = erase(subject_id=pk, actor=request.user, why=order["reason"], confirmation=order["confirmation"])
        return Response({"subject": gone.pseudonym, "scans": gone.scans})
