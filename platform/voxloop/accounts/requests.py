"""The type of a request by a logged-in person, as every route behind a log-in gets it.

For type checking only; `IsAuthenticated` enforces it."""

from typing import cast

from rest_framework import request as rest_framework_request
from rest_framework.views import APIView

from voxloop.accounts.models import User


class Request(rest_framework_request.Request):
    """A request to a route of the API."""

    user: User


def person_of(view: APIView) -> User:
    """The person of a generic view's request, which is not typed as ours."""
    return cast(User, view.request.user)
