"""Immutable objects of the store over HTTP: with ETag and byte ranges, kept by no cache."""

import re
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from voxloop.storage.reading import Piece, damaged, object_size, read_pieces, whole
from voxloop.storage.store import open_store

# Browsers keep pixels by themselves, sealed, and only as long as a log-in (docs/adr): never in their own cache.
KEPT = "no-store"
RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)")
MOST_DIGITS = 18  # of a place in an object; a longer number lies behind every end


class OctetRenderer(BaseRenderer):
    """Binary parts are written by the view itself."""

    media_type = "application/octet-stream"
    format = "bin"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        return JSONRenderer().render(data)


def serve_object(
    request: Request, key: str, content_type: str, pieces: Sequence[Piece] | None = None
) -> HttpResponse | StreamingHttpResponse:
    """An immutable object with its ETag, and one byte range (RFC 9110); 416 for a bad one.

    What is sent is what was stored: each of `pieces` that the range touches (without them the object as a whole) is
    checked before the first byte leaves. Raises Damaged.
    """
    store = open_store(settings.STORAGE_URL)
    etag = f'"{key.rpartition("/")[2]}"'
    headers = {"ETag": etag, "Cache-Control": KEPT, "Accept-Ranges": "bytes", "X-Content-Type-Options": "nosniff"}
    if request.headers.get("If-None-Match") == etag:
        return HttpResponse(status=304, headers=headers)
    size = object_size(store, key)
    if pieces is not None and (not pieces or pieces[-1].end != size):
        raise damaged(key)
    start, end, status = 0, size, 200
    extent = request.headers.get("Range")
    if extent and request.headers.get("If-Range", etag) == etag:
        match = RANGE.fullmatch(extent.strip())
        if match and any(match.groups()):
            first, last = match.groups()
            start = _place(first) if first else max(0, size - _place(last))
            end = min(size, _place(last) + 1) if first and last else size
            if start >= size or start >= end:
                return _no_such_range(headers, size)
            status = 206
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


def _place(digits: str) -> int:
    short = digits.lstrip("0") or "0"
    return int(short) if len(short) <= MOST_DIGITS else 10**MOST_DIGITS


def _no_such_range(headers: dict[str, str], size: int) -> HttpResponse:
    body = {
        "type": "about:blank",
        "title": "No such range",
        "status": 416,
        "code": "bad_range",
        "detail": f"The range lies behind the end; there are {size} bytes.",
    }
    told = {**headers, "Content-Range": f"bytes */{size}"}
    return JsonResponse(body, status=416, headers=told, content_type="application/problem+json")
