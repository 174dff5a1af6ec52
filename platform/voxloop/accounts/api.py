"""HTTP for log-in by token, and for oneself."""

from typing import Any

from axes.utils import reset
from django.contrib.auth import authenticate
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from knox.models import AuthToken
from rest_framework import serializers
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from voxloop.accounts.preferences import change_settings, read_settings
from voxloop.accounts.signals import token_issued
from voxloop.kernel.errors import Forbidden


class CredentialsSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=200, trim_whitespace=False)


class SettingsSerializer(serializers.Serializer[Any]):
    values = serializers.DictField()  # type: ignore[assignment]


class TokenView(APIView):
    """Name and password for a token: `Authorization: Token …`. Five failures lock the name for 15 minutes."""

    permission_classes = [AllowAny]
    authentication_classes: list[Any] = []

    @extend_schema(request=CredentialsSerializer, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        body = CredentialsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        user = authenticate(request._request, **body.validated_data)
        if user is None:
            raise Forbidden(
                "Name or password is wrong, or the account is locked for 15 minutes after 5 failures.",
                code="wrong_credentials",
            )
        instance, token = AuthToken.objects.create(user=user)
        reset(username=user.get_username())
        token_issued.send(sender=type(user), user=user)
        return Response({"token": token, "expires_at": instance.expiry, "user": user.get_username()})


class MeView(APIView):
    """Who the caller is."""

    permission_classes = [IsAuthenticated]

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        user = request.user
        return Response(
            {
                "id": str(user.pk),
                "username": user.username,
                "is_administrator": user.is_administrator,
                "roles": [{"campaign": str(row.campaign_id), "role": row.role} for row in user.memberships.all()],
                "sites": [row.site.code for row in user.site_memberships.select_related("site")],
                "preferences": user.preferences,
            }
        )


class SettingsView(APIView):
    """What the caller has set up in the viewer, for every browser."""

    permission_classes = [IsAuthenticated]

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return Response(read_settings(request.user))

    @extend_schema(request=SettingsSerializer, responses=OpenApiTypes.OBJECT)
    def patch(self, request: Request) -> Response:
        """Set the names that are sent; `null` takes one away."""
        body = SettingsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(change_settings(user=request.user, values=body.validated_data["values"]))
