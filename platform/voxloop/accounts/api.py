"""HTTP for log-in by token, and for oneself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from axes.utils import reset
from django.contrib.auth import authenticate
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from voxloop.accounts.middleware import require_own_password
from voxloop.accounts.models import Scope
from voxloop.accounts.preferences import SettingsFacts, change_settings, read_settings
from voxloop.accounts.requests import Request
from voxloop.accounts.roles import Role
from voxloop.accounts.second_factor import require_code
from voxloop.accounts.tokens import issue_token
from voxloop.kernel.errors import Forbidden
from voxloop.kernel.facts import plain


class CredentialsSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=200, trim_whitespace=False)
    code = serializers.CharField(max_length=20, required=False, allow_blank=True, default="")
    name = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
    scopes = serializers.ListField(child=serializers.ChoiceField(Scope.choices), required=False, allow_empty=False)
    days = serializers.IntegerField(min_value=1, required=False)


class SettingsSerializer(serializers.Serializer[Any]):
    values = serializers.DictField()


@dataclass(frozen=True)
class TokenFacts:
    """A new token; its text is returned only here."""

    token: str
    expires_at: datetime | None
    user: str
    scopes: Sequence[Scope]


@dataclass(frozen=True)
class RoleFacts:
    """A role in a campaign."""

    campaign: UUID
    role: Role


@dataclass(frozen=True)
class MeFacts:
    """Who the caller is; `sites` are codes."""

    id: UUID
    username: str
    is_administrator: bool
    roles: Sequence[RoleFacts]
    sites: Sequence[str]
    preferences: Mapping[str, Any]


class TokenView(APIView):
    """Exchange name, password and (with a second factor) a code for a token: `Authorization: Token …`.

    `code` is the authenticator's or a recovery code. `scopes` are some of read, work, manage (all when left out),
    `days` until it ends. Refused with `wrong_credentials`, `second_factor_required` (send the code too), `wrong_code`,
    `second_factor_setup_required`, `password_change_required` (both: log in on the pages first). Five failures of
    either kind lock the name for 15 minutes (429).
    """

    permission_classes = [AllowAny]
    authentication_classes: list[Any] = []

    @extend_schema(request=CredentialsSerializer, responses=TokenFacts)
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
        scopes = [Scope(scope) for scope in token.scopes]
        return Response(plain(TokenFacts(text, token.expiry, user.get_username(), scopes)))


class MeView(APIView):
    """Who the caller is."""

    permission_classes = [IsAuthenticated]

    @extend_schema(responses=MeFacts)
    def get(self, request: Request) -> Response:
        user = request.user
        me = MeFacts(
            id=user.pk,
            username=user.username,
            is_administrator=user.is_administrator,
            roles=[RoleFacts(row.campaign_id, Role(row.role)) for row in user.memberships.all()],
            sites=[row.site.code for row in user.site_memberships.select_related("site")],
            preferences=user.preferences,
        )
        return Response(plain(me))


class SettingsView(APIView):
    """What the caller has set up in the viewer, for every browser."""

    permission_classes = [IsAuthenticated]

    @extend_schema(responses=SettingsFacts)
    def get(self, request: Request) -> Response:
        return Response(plain(read_settings(request.user)))

    @extend_schema(request=SettingsSerializer, responses=SettingsFacts)
    def patch(self, request: Request) -> Response:
        """Set the names that are sent; `null` removes one."""
        body = SettingsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(plain(change_settings(user=request.user, values=body.validated_data["values"])))
