"""Bodies of several parts (RFC 2387), written while they are made."""

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.http import StreamingHttpResponse

LINE = b"\r\n"


@dataclass(frozen=True)
class Part:
    """One part: its media type, its bytes in blocks, their number where it is known, and where it is from."""

    content_type: str
    blocks: Iterable[bytes]
    bytes: int | None = None
    location: str = ""


def answer_parts(parts: Iterable[Part], media: str, syntax: str = "") -> StreamingHttpResponse:
    """A multipart/related answer; `media` is the type of its parts."""
    boundary = secrets.token_hex(16)
    kind = f'multipart/related; type="{media}"; boundary={boundary}'
    if syntax:
        kind += f"; transfer-syntax={syntax}"
    answer = StreamingHttpResponse(_written(parts, boundary.encode()), content_type=kind)
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _written(parts: Iterable[Part], boundary: bytes) -> Iterator[bytes]:
    for part in parts:
        head = [b"--" + boundary, b"Content-Type: " + part.content_type.encode()]
        if part.bytes is not None:
            head.append(b"Content-Length: %d" % part.bytes)
        if part.location:
            head.append(b"Content-Location: " + part.location.encode())
        yield LINE.join([*head, b"", b""])
        yield from part.blocks
        yield LINE
    yield b"--" + boundary + b"--" + LINE
