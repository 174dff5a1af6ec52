"""The HTTP status of each kind of refusal, and the title of each status."""

from voxloop.kernel.errors import Kind

STATUS = {
    Kind.INVALID: 422,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.GONE: 410,
    Kind.CONFLICT: 409,
    Kind.STALE: 412,
    Kind.PRECONDITION: 428,
    Kind.TOO_LARGE: 413,
    Kind.NO_SPACE: 507,
    Kind.DAMAGED: 409,  # not 5xx: a retry does not help, and a proxy must not mark the server as broken
    Kind.UNAVAILABLE: 503,
    Kind.TOO_MANY: 429,
}
TITLES = {
    400: "Bad request",
    401: "Not logged in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Conflict",
    410: "Gone",
    412: "Changed meanwhile",
    413: "Too large",
    415: "Unsupported media type",
    422: "Not valid",
    428: "Precondition required",
    429: "Too many requests",
    503: "Not now",
    507: "No space",
}
