"""Refusals: domain errors with a stable code and one sentence. Independent of HTTP."""

import errno
from enum import StrEnum

# errno when there is no room: the disk, a quota, a limit on file size.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# Response header with the code of a refusing page; a problem document has it in its body.
CODE_HEADER = "Voxloop-Code"


class Kind(StrEnum):
    """The class of a refusal; the web layer maps it to a status code."""

    INVALID = "invalid"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    GONE = "gone"
    CONFLICT = "conflict"
    STALE = "stale"
    PRECONDITION = "precondition"
    TOO_LARGE = "too_large"
    NO_SPACE = "no_space"
    UNAVAILABLE = "unavailable"
    TOO_MANY = "too_many"
    DAMAGED = "damaged"


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a fault
    """A request that cannot be carried out. `code` is stable and machine readable, `detail` one sentence that says what
    happened and what to do, `extra` data for the client (never identifiers that the actor may not see)."""

    kind = Kind.INVALID
    code = "invalid"
    detail = "The request cannot be carried out."
    again_after_seconds: int | None = None  # for temporary refusals: when to retry

    def __init__(self, detail: str | None = None, *, code: str | None = None, **extra: object) -> None:
        self.detail = detail or type(self).detail
        self.code = code or type(self).code
        self.extra = extra
        super().__init__(self.detail)


class Invalid(Refusal):
    kind, code = Kind.INVALID, "invalid"


class Forbidden(Refusal):
    kind, code = Kind.FORBIDDEN, "forbidden"
    detail = "Your role does not allow this."


class NotFound(Refusal):
    kind, code = Kind.NOT_FOUND, "not_found"
    detail = "There is no such thing, or you may not see it."


class Gone(Refusal):
    kind, code = Kind.GONE, "gone"


class Conflict(Refusal):
    kind, code = Kind.CONFLICT, "conflict"


class Stale(Refusal):
    kind, code = Kind.STALE, "stale"


class PreconditionRequired(Refusal):
    kind, code = Kind.PRECONDITION, "precondition_required"


class TooLarge(Refusal):
    kind, code = Kind.TOO_LARGE, "too_large"


class NoSpace(Refusal):
    kind, code = Kind.NO_SPACE, "no_space"
    detail = "The disk is full; nothing was stored. Free some space and try again."
    again_after_seconds = 30


class DatabaseAway(Refusal):
    kind, code = Kind.UNAVAILABLE, "database_away"
    detail = "The database does not answer just now; what was saved before is safe. Try again in a moment."
    again_after_seconds = 5


class DatabaseDamaged(Refusal):
    kind, code = Kind.UNAVAILABLE, "database_damaged"
    detail = "The database found a damaged page and changed nothing. Tell an administrator: a back-up must be restored."
    again_after_seconds = 60


class StorageAway(Refusal):
    kind, code = Kind.UNAVAILABLE, "storage_away"
    detail = "The store of images and models does not answer just now; masks are saved all the same. Try again soon."
    again_after_seconds = 10


class Busy(Refusal):
    kind, code = Kind.UNAVAILABLE, "busy"
    detail = "Somebody else is changing the same thing, or the server has too much to do. Try again in a moment."
    again_after_seconds = 2


class TooMany(Refusal):
    kind, code = Kind.TOO_MANY, "too_many_requests"
    detail = "Too many requests came from here. Wait a little and try again."

    def __init__(self, again_after_seconds: int) -> None:
        self.again_after_seconds = again_after_seconds
        super().__init__()


class Damaged(Refusal):
    """Stored bytes fail their check; they are never served. `thing` names them as the store, `manage.py scrub` and the
    administrator's list do: `packs/<sha256>`, `chunks/<sha256>`, `indexes/<scan>`. `is_missing` when nothing is there
    at all."""

    kind, code = Kind.DAMAGED, "object_damaged"

    def __init__(
        self, detail: str, *, thing: str, code: str | None = None, is_missing: bool = False, **extra: object
    ) -> None:
        super().__init__(detail, code=code, object=thing, **extra)
        self.thing, self.is_missing = thing, is_missing
