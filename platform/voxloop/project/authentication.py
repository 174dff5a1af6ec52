"""Token authentication of the API: the person, the token's scopes, and what the person's log-in still lacks."""

from typing import Any

from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from rest_framework.request import Request

from voxloop.accounts.middleware import require_own_password
from voxloop.accounts.models import ApiToken, User
from voxloop.accounts.second_factor import require_set_up
from voxloop.accounts.tokens import note_use
from voxloop.kernel.errors import Forbidden
from voxloop.project.scopes import scope_needed
from voxloop.project.tokens import ReadableTokens


class ScopedTokens(ReadableTokens):
    """`Authorization: Token …`, checked for the token's scopes and by the rules for sessions.

    Raises Forbidden: `scope_missing`, `password_change_required`, `second_factor_setup_required`.
    """

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        found: tuple[User, ApiToken] | None = super().authenticate(request)
        if found is None:
            return None
        user, token = found
        match: Any = request._request.resolver_match
        needed = scope_needed(request.method or "", match.url_name if match else "")
        if needed not in token.scopes:
            word = f"the scope {needed}" if needed else "a log-in on the pages"
            raise Forbidden(f"This token may not do that: it takes {word}.", code="scope_missing")
        require_own_password(user)
        require_set_up(user)
        note_use(token)
        return user, token


class TokenScheme(KnoxTokenScheme):  # type: ignore[no-untyped-call]  # drf-spectacular registers it
    """Their description in the OpenAPI document."""

    target_class = "voxloop.project.authentication.ScopedTokens"
