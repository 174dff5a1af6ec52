"""HTTP for log-in by token, and for oneself."""

from typing import Any

from axes.utils import reset
from django.contrib.auth import authenticate
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from voxloop.accounts.middleware import require_own_password
from voxloop.accounts.models import Scope
from voxloop.accounts.preferences import change_settings, read_settings
from voxloop.accounts.second_factor import require_code
from voxloop.accounts.tokens import issue_token
from voxloop.kernel.errors import Forbidden


class CredentialsSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=200, trim_whitespace=False)
    code = serializers.CharField(max_length=20, required=False, allow_blank=True, default="")
    name = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
    scopes = serializers.ListField(child=serializers.ChoiceField(Scope.choices), required=False, allow_empty=False)
    days = serializers.IntegerField(min_value=1, required=False)


class SettingsSerializer(serializers.Serializer[Any]):
    values = serializers.DictField()  # type: ignore[assignment]


class TokenView(APIView):
    """Name and password, and the code where the account has a second factor, for a token: `Authorization: Token …`.

    `code` is the authenticator's or a recovery code. `scopes` are some of read, work, manage (all when left out),
    `days` until it ends. Refused with `wrong_credentials`, `second_factor_required` (send the code too), `wrong_code`,
    `second_factor_setup_required`, `password_change_required` (both: log in on the pages first). Five failures of
    either kind lock the name for 15 minutes (429).
    """

    permission_classes = [AllowAny]
    authentication_classes: list[Any] = []

    @extend_schema(request=CredentialsSerializer, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        body = CredentialsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        user = authenticate(request._request, username=asked["username"], password=asked["password"])
        if user is None:
            raise Forbidden(
                "Name or password is wrong, or the account is locked for 15 minutes after 5 failures.",
                code="wrong_credentials",
            )
        require_code(request=request._request, user=user, code=asked["code"])
        require_own_password(user)
        token, text = issue_token(
            user=user, name=asked["name"], scopes=asked.get("scopes", Scope.values), days=asked.get("days")
        )
        reset(username=user.get_username())
        return Response(
            {"token": text, "expires_at": token.expiry, "user": user.get_username(), "scopes": token.scopes}
        )


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
