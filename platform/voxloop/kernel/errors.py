"""Refusals: what the product says no to, with a stable code and one sentence. HTTP is told elsewhere."""

import errno
from enum import StrEnum

# What the operating system says when there is no room: the disk, a quota, a limit on the size of a file.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# Where a page that refuses carries its code; a problem document has it inside.
CODE_HEADER = "Voxloop-Code"


class Kind(StrEnum):
    """What sort of no it is; the web layer turns it into a status code."""

    INVALID = "invalid"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    STALE = "stale"
    PRECONDITION = "precondition"
    TOO_LARGE = "too_large"
    NO_SPACE = "no_space"


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a fault
    """A request that cannot be carried out, told so that a person can act on it.

    `code` is stable and machine readable, `detail` one sentence that says what happened and what to do,
    `extra` whatever a client needs to go on (never identifiers that the actor may not see).
    """

    kind = Kind.INVALID
    code = "invalid"
    detail = "The request cannot be carried out."

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
