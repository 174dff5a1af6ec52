"""The key by which failed log-ins are counted."""

from typing import Any

from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from voxloop.accounts.models import User


def counted_name(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str | None:
    """The name of an existing person; for an unknown name a keyed hash, because people type passwords into the name
    field."""
    name = (credentials or {}).get("username")
    if name is None:
        sent = getattr(request, "data", request.POST)
        name = sent.get("username") or sent.get("login")
    if not name or User.objects.filter(username=name).exists():
        return name or None
    return salted_hmac("voxloop.accounts.locking", str(name)).hexdigest()
