"""How a token in a header is read."""

from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed


class ReadableTokens(TokenAuthentication):
    """A token is letters and digits; anything else is no token of ours and never reaches the database."""

    def authenticate_credentials(self, token: bytes) -> tuple[object, object]:
        if not token.isalnum():
            raise AuthenticationFailed("Invalid token.")
        user, held = super().authenticate_credentials(token)
        return user, held


class ReadableTokensScheme(KnoxTokenScheme):
    """How the API's description tells of them."""

    target_class = "voxloop.project.tokens.ReadableTokens"
