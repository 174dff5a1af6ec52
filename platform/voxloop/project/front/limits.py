"""Limits on the size of request bodies, by route; checked before a body is read."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings

KB, MB = 1 << 10, 1 << 20
SMALL = MB  # forms and JSON; the longest that the viewer sends (a label schema, a stroke's proposal) is a tenth of it
FORM = 64 * KB  # multipart overhead and the other fields of the form
CREDENTIALS = 16 * KB  # a name and a password


@dataclass(frozen=True)
class BodyLimit:
    """The most bytes of a body sent to a matching path; `known`: only with a session or a token."""

    path: re.Pattern[str]
    most: Callable[[], int]
    known: bool = False


# The first match applies.
LIMITS = [
    BodyLimit(re.compile(r"/api/v1/assignments/[^/]+/mask"), lambda: settings.MAX_MASK_BYTES, known=True),
    BodyLimit(re.compile(r"/api/v1/scans/upload"), lambda: settings.MAX_UPLOAD_BYTES + FORM, known=True),
    BodyLimit(re.compile(r"/dicom-web/studies(?:/[0-9.]+)?"), lambda: settings.MAX_UPLOAD_BYTES + FORM, known=True),
    BodyLimit(re.compile(r"/scans/upload/"), lambda: settings.MAX_UPLOAD_BYTES + FORM, known=True),
    BodyLimit(re.compile(r"/api/v1/scans/[^/]+/masks"), lambda: settings.MAX_MASK_BYTES + FORM, known=True),
    BodyLimit(re.compile(r"/scans/[^/]+/mask/"), lambda: settings.MAX_MASK_BYTES + FORM, known=True),
    BodyLimit(re.compile(r"/api/v1/models/bring"), lambda: settings.MAX_UPLOAD_BYTES + FORM, known=True),
    BodyLimit(re.compile(r"/campaigns/[^/]+/models/bring/"), lambda: settings.MAX_UPLOAD_BYTES + FORM, known=True),
    BodyLimit(re.compile(r"/api/v1/auth/.*|/accounts/.*"), lambda: CREDENTIALS),
    BodyLimit(re.compile(r".*", re.DOTALL), lambda: SMALL),
]


@dataclass(frozen=True)
class Refused:
    """The response instead of reading the body: a status, a stable code, and one sentence."""

    status: int
    code: str
    detail: str
    again_after_seconds: int | None = None


def refuse_body(path: str, size: int, *, is_known: bool) -> Refused | None:
    """The refusal of a body of `size` bytes sent to `path` (without its query); None when it is accepted. `is_known`:
    the request carries a session or a token, valid or not (checked later)."""
    limit = next(limit for limit in LIMITS if limit.path.fullmatch(path))
    if limit.known and not is_known and size > SMALL:
        return Refused(401, "not_authenticated", "Log in before you send a file; nothing of it was read.")
    most = limit.most()
    if size > most:
        words = f"{most // MB} MiB" if most >= MB else f"{most // KB} KiB"
        return Refused(413, "too_large", f"The body is larger than the {words} that this address takes.")
    return None
