"""HTTP for closing and opening accounts: administrators only."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.work.people import close_account, open_account
from voxloop.accounts.models import User
from voxloop.kernel.errors import Forbidden, NotFound


class ReasonOfClosing(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)


class AccountSerializer(serializers.ModelSerializer[User]):
    given_back = serializers.IntegerField(read_only=True, required=False, help_text="scans that went back to others")

    class Meta:
        model = User
        fields = ["id", "username", "is_active", "given_back"]


class AccountCloseView(APIView):
    """Close a person's log-in: sessions and tokens end, open work goes back to the others."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=ReasonOfClosing, responses=AccountSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        body = ReasonOfClosing(data=request.data)
        body.is_valid(raise_exception=True)
        person = _find(request, pk)
        told = close_account(person=person, actor=request.user, why=body.validated_data["reason"])
        person.refresh_from_db()
        return Response({**AccountSerializer(person).data, **told})


class AccountOpenView(APIView):
    """Open a closed account again."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=AccountSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        return Response(AccountSerializer(open_account(person=_find(request, pk), actor=request.user)).data)


def _find(request: Request, pk: UUID) -> User:
    if not request.user.is_administrator:
        raise Forbidden("Only an administrator may open and close accounts.")
    person = User.objects.filter(pk=pk).first()
    if person is None:
        raise NotFound
    return person
