"""HTTP for closing and opening accounts: administrators only."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.work.people import close_account, open_account
from voxloop.accounts.models import User
from voxloop.accounts.requests import Request
from voxloop.kernel.errors import Forbidden, NotFound
from voxloop.kernel.facts import plain


class ReasonOfClosing(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)


@dataclass(frozen=True)
class AccountFacts:
    """A person's account."""

    id: UUID
    username: str
    is_active: bool


@dataclass(frozen=True)
class ClosedAccountFacts(AccountFacts):
    """A closed account, and how many scans went back to others."""

    given_back: int


class AccountCloseView(APIView):
    """Close an account: sessions and tokens end, open work goes back to others."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=ReasonOfClosing, responses=ClosedAccountFacts)
    def post(self, request: Request, pk: UUID) -> Response:
        body = ReasonOfClosing(data=request.data)
        body.is_valid(raise_exception=True)
        person = _find(request, pk)
        told = close_account(person=person, actor=request.user, why=body.validated_data["reason"])
        person.refresh_from_db()
        return Response(plain(ClosedAccountFacts(person.pk, person.username, person.is_active, told["given_back"])))


class AccountOpenView(APIView):
    """Open a closed account again."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=AccountFacts)
    def post(self, request: Request, pk: UUID) -> Response:
        person = open_account(person=_find(request, pk), actor=request.user)
        return Response(plain(AccountFacts(person.pk, person.username, person.is_active)))


def _find(request: Request, pk: UUID) -> User:
    if not request.user.is_administrator:
        raise Forbidden("Only an administrator may open and close accounts.")
    person = User.objects.filter(pk=pk).first()
    if person is None:
        raise NotFound
    return person
