"""Token authentication that rejects malformed tokens."""

from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed


class ReadableTokens(TokenAuthentication):
    """Rejects a token that is not letters and digits before it reaches the database."""

    def authenticate_credentials(self, token: bytes) -> tuple[object, object]:
        if not token.isalnum():
            raise AuthenticationFailed("Invalid token.")
        user, held = super().authenticate_credentials(token)
        return user, held


class ReadableTokensScheme(KnoxTokenScheme):  # type: ignore[no-untyped-call]  # drf-spectacular registers it
    """Their description in the OpenAPI document."""

    target_class = "voxloop.project.tokens.ReadableTokens"
