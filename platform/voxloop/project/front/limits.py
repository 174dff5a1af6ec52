"""How many bytes a body may have, by route: one table, asked before a body is read."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings

KB, MB = 1 << 10, 1 << 20
SMALL = MB  # forms and JSON; the longest that the viewer sends (a label schema, a stroke's proposal) is a tenth of it
FORM = 64 * KB  # what multipart puts around a file, and the other fields of its form
CREDENTIALS = 16 * KB  # a name and a password


@dataclass(frozen=True)
class BodyLimit:
    """The most bytes of a body sent to a path that matches; `known` only to who shows a session or a token."""

    path: re.Pattern[str]
    most: Callable[[], int]
    known: bool = False


# The first that matches holds.
LIMITS = [
    BodyLimit(re.compile(r"/api/v1/assignments/[^/]+/mask"), lambda: settings.MAX_MASK_BYTES, known=True),
    BodyLimit(re.compile(r"/api/v1/scans/upload"), lambda: settings.MAX_UPLOAD_BYTES + FORM, known=True),
    BodyLimit(re.compile(r"/scans/upload/"), lambda: settings.MAX_UPLOAD_BYTES + FORM, known=True),
    BodyLimit(re.compile(r"/api/v1/auth/.*|/accounts/.*"), lambda: CREDENTIALS),
    BodyLimit(re.compile(r".*", re.DOTALL), lambda: SMALL),
]


@dataclass(frozen=True)
class Refused:
    """What is answered instead of reading on: a status, a stable code, and one sentence."""

    status: int
    code: str
    detail: str
    again_after_seconds: int | None = None


def refuse_body(path: str, size: int, *, is_known: bool) -> Refused | None:
    """Why a body of `size` bytes sent to `path` (without its query) is not read; None when it is.

    `is_known`: the request shows a session or a token; whether they are good is asked later, where a database may be.
    """
    limit = next(limit for limit in LIMITS if limit.path.fullmatch(path))
    if limit.known and not is_known and size > SMALL:
        return Refused(401, "not_authenticated", "Log in before you send a file; nothing of it was read.")
    most = limit.most()
    if size > most:
        words = f"{most // MB} MiB" if most >= MB else f"{most // KB} KiB"
        return Refused(413, "too_large", f"The body is larger than the {words} that this address takes.")
    return None
