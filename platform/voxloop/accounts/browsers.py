"""Keys that encrypt what a browser stores: one per person, one per log-in."""

import secrets

from django.http import HttpRequest

from voxloop.accounts.models import BrowserKey

SESSION_KEY = "browser_key"
BYTES = 32  # AES-256


def browser_keys(request: HttpRequest) -> dict[str, str]:
    """Hexadecimal keys `person` and `login` for a page of a logged-in person; empty when nobody is logged in.

    `person` encrypts strokes and texts that the server does not have yet; it is the same at every log-in of that
    person. `login` encrypts copies of what the server has (voxels); it is lost when the log-in ends, and they become
    unreadable."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    held, _ = BrowserKey.objects.get_or_create(person=user, defaults={"key": secrets.token_hex(BYTES)})
    if SESSION_KEY not in request.session:
        request.session[SESSION_KEY] = secrets.token_hex(BYTES)
    return {"person": held.key, "login": request.session[SESSION_KEY]}
