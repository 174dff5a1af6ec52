"""By what a failed log-in is counted."""

from typing import Any

from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from voxloop.accounts.models import User


def counted_name(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str | None:
    """The name of a person; for a name that nobody has a keyed hash: people type passwords into the wrong field."""
    name = (credentials or {}).get("username")
    if name is None:
        sent = getattr(request, "data", request.POST)
        name = sent.get("username") or sent.get("login")
    if not name or User.objects.filter(username=name).exists():
        return name or None
    return salted_hmac("voxloop.accounts.locking", str(name)).hexdigest()
