"""The default of the API: closed."""

from typing import Any

from rest_framework.permissions import BasePermission


class Nobody(BasePermission):
    """The default of every API view, so that a view without permissions is closed."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return False
