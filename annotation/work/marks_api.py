"""HTTP for what was measured on a scan."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.work.facts import MarkFacts, MarkKind, MarkPlane, mark_facts
from annotation.work.marks import change_marks
from voxloop.accounts.requests import Request
from voxloop.kernel.errors import Invalid
from voxloop.kernel.facts import plain


class MarkSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField([kind.value for kind in MarkKind])
    plane = serializers.ChoiceField([plane.value for plane in MarkPlane], allow_null=True, default=None)
    index = serializers.IntegerField(min_value=0, max_value=65535, allow_null=True, default=None)
    start = serializers.ListField(child=serializers.FloatField(), min_length=3, max_length=3)
    end = serializers.ListField(child=serializers.FloatField(), min_length=3, max_length=3)


class MarksSerializer(serializers.Serializer[Any]):
    values = serializers.DictField(child=MarkSerializer(allow_null=True), help_text="by the id that the client made")


@dataclass(frozen=True)
class MarksFacts:
    """All marks of the assignment, by their ids."""

    values: Mapping[str, MarkFacts]


class AssignmentMarksView(APIView):
    """Keep measurements or remove them (`null`); others stay unchanged."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=MarksSerializer, responses=MarksFacts)
    def patch(self, request: Request, pk: UUID) -> Response:
        body = MarksSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            changes = {UUID(name): mark for name, mark in body.validated_data["values"].items()}
        except ValueError as error:
            raise Invalid("A measurement is named by a UUID.", code="bad_marks") from error
        kept = change_marks(assignment_id=pk, actor=request.user, changes=changes)
        return Response(plain(MarksFacts({name: mark_facts(mark) for name, mark in kept.items()})))
