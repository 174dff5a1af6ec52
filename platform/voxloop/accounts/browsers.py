"""Keys that seal what a browser keeps: one of the person, one of the log-in."""

import secrets

from django.http import HttpRequest

from voxloop.accounts.models import BrowserKey

SESSION_KEY = "browser_key"
BYTES = 32  # AES-256


def browser_keys(request: HttpRequest) -> dict[str, str]:
    """For a page of somebody who is logged in: hexadecimal keys `person` and `login`; empty for nobody.

    `person` seals strokes and words that the server does not have yet: it is the same at the next log-in of the same
    person, and nobody else gets it. `login` seals copies of what the server has (voxels): it goes with the log-in,
    however that ends, and what it sealed is noise from then on.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    held, _ = BrowserKey.objects.get_or_create(person=user, defaults={"key": secrets.token_hex(BYTES)})
    if SESSION_KEY not in request.session:
        request.session[SESSION_KEY] = secrets.token_hex(BYTES)
    return {"person": held.key, "login": request.session[SESSION_KEY]}
