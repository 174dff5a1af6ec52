"""What every page's frame shows."""

from typing import Any

from django.http import HttpRequest


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Nothing yet for people who are not logged in."""
    return {}
