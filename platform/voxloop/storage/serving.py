"""Serve immutable objects over HTTP with ETag and byte ranges, uncached."""

import io
import re
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from voxloop.storage.reading import Piece, damaged, object_size, read_pieces, whole
from voxloop.storage.store import open_store

# The viewer stores pixels encrypted and only during a log-in (docs/adr/0018); the HTTP cache must not.
KEPT = "no-store"
RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)")
MOST_DIGITS = 18  # digits of an offset; a longer number is beyond every object's end


class OctetRenderer(BaseRenderer):
    """For views that write binary bodies themselves."""

    media_type = "application/octet-stream"
    format = "bin"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        return JSONRenderer().render(data)


def served_as(content_type: str) -> dict[Any, Any]:
    """What `serve_object` answers, for the OpenAPI document."""
    return {(200, content_type): OpenApiTypes.BINARY, (206, content_type): OpenApiTypes.BINARY, 304: None}


def serve_object(
    request: HttpRequest | Request, key: str, content_type: str, pieces: Sequence[Piece] | None = None
) -> HttpResponse | StreamingHttpResponse:
    """An immutable object with its ETag, and one byte range (RFC 9110); 416 for a bad one.

    Each of `pieces` that the range touches (without them the whole object) is checked before the first byte is sent.
    Raises Damaged."""
    store = open_store(settings.STORAGE_URL)
    etag = f'"{key.rpartition("/")[2]}"'
    headers = {"ETag": etag, "Cache-Control": KEPT, "Accept-Ranges": "bytes", "X-Content-Type-Options": "nosniff"}
    if request.headers.get("If-None-Match") == etag:
        return HttpResponse(status=304, headers=headers)
    size = object_size(store, key)
    if pieces is not None and (not pieces or pieces[-1].end != size):
        raise damaged(key)
    extent = wanted_extent(request, size, etag)
    if extent is None:
        return _no_such_range(headers, size)
    start, end, status = extent
    if status == 206:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - start)
    if request.method == "HEAD":
        return HttpResponse(status=status, content_type=content_type, headers=headers)
    return StreamingHttpResponse(
        read_pieces(store, key, pieces or whole(key, size), start, end),
        status=status,
        content_type=content_type,
        headers=headers,
    )


def wanted_extent(request: HttpRequest | Request, size: int, etag: str) -> tuple[int, int, int] | None:
    """The bytes of something `size` bytes long that a request asks for, start (inclusive) and end (exclusive), and the
    status: all of them (200) without a range, or when its `If-Range` names another ETag. None when the range is beyond
    the end."""
    wanted = request.headers.get("Range")
    match = RANGE.fullmatch(wanted.strip()) if wanted and request.headers.get("If-Range", etag) == etag else None
    if not match or not any(match.groups()):
        return 0, size, 200
    first, last = match.groups()
    start = _offset(first) if first else max(0, size - _offset(last))
    end = min(size, _offset(last) + 1) if first and last else size
    return (start, end, 206) if start < min(size, end) else None


def serve_made(
    request: HttpRequest | Request,
    cut: Callable[[int, int], io.RawIOBase],
    size: int,
    *,
    etag: str,
    content_type: str,
    filename: str,
) -> HttpResponse | FileResponse:
    """A file that is made while it is sent, to be saved under a name, whole or one byte range of it. `cut` opens its
    bytes from a start to an end: the web server reads that itself, so that a slow client holds no thread."""
    headers = {"ETag": etag, "Cache-Control": KEPT, "Accept-Ranges": "bytes", "X-Content-Type-Options": "nosniff"}
    extent = wanted_extent(request, size, etag)
    if extent is None:
        return _no_such_range(headers, size)
    start, end, status = extent
    if status == 206:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    if request.method == "HEAD":
        headers["Content-Length"] = str(end - start)
        headers["Content-Disposition"] = content_disposition_header(True, filename) or "attachment"
        return HttpResponse(status=status, content_type=content_type, headers=headers)
    answer = FileResponse(
        cut(start, end), as_attachment=True, filename=filename, status=status, content_type=content_type
    )
    for name, value in headers.items():
        answer[name] = value
    return answer


def _offset(digits: str) -> int:
    short = digits.lstrip("0") or "0"
    return int(short) if len(short) <= MOST_DIGITS else 10**MOST_DIGITS


def _no_such_range(headers: dict[str, str], size: int) -> HttpResponse:
    body = {
        "type": "about:blank",
        "title": "No such range",
        "status": 416,
        "code": "bad_range",
        "detail": f"The range is beyond the end; there are {size} bytes.",
    }
    told = {**headers, "Content-Range": f"bytes */{size}"}
    return JsonResponse(body, status=416, headers=told, content_type="application/problem+json")
