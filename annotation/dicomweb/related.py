"""Read a multipart/related body (RFC 2387) as it arrives, one file for each part."""

import re
from collections.abc import Callable
from pathlib import Path

from rest_framework.exceptions import ParseError

from annotation.intake.limits import Limits

Read = Callable[[int], bytes]
BLOCK = 256 << 10
HEAD_BYTES = 8 << 10
BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{1,70}")
KIND = re.compile(rb"(?im)^content-type:[ \t]*([^;\r\n]+)")
DICOM = b"application/dicom"


def spool_parts(read: Read, boundary: str, folder: Path, limits: Limits) -> list[Path]:
    """Write every part into `folder`, named by its number. Raises ParseError (`bad_multipart`), OSError (disk full)."""
    if not BOUNDARY.fullmatch(boundary):
        raise _bad("The boundary of the body is missing or not valid.")
    body = _Body(read, b"\r\n--" + boundary.encode())
    body.skip_preamble()
    paths: list[Path] = []
    while body.has_part():
        if len(paths) >= limits.most_files:
            raise _bad(f"A request holds at most {limits.most_files} instances.")
        head = body.head()
        kind = KIND.search(head)
        if kind is None or kind[1].strip().lower() != DICOM:
            raise _bad("Every part is one DICOM file with Content-Type: application/dicom.")
        path = folder / f"{len(paths) + 1:06d}.dcm"
        body.write_part(path, limits.most_file_bytes)
        paths.append(path)
    return paths


class _Body:
    """What was read and not taken yet. `delimiter` ends a part."""

    def __init__(self, read: Read, delimiter: bytes) -> None:
        self._read, self._delimiter = read, delimiter
        self._held = b"\r\n"  # the first delimiter may stand at the very beginning

    def skip_preamble(self) -> None:
        """Up to the first delimiter."""
        while (at := self._held.find(self._delimiter)) < 0:
            self._held = self._held[-len(self._delimiter) :]
            self._more()
        self._held = self._held[at + len(self._delimiter) :]

    def has_part(self) -> bool:
        """After a delimiter: whether a part follows, or the end."""
        self._need(2)
        if self._held.startswith(b"--"):
            return False
        line = self._until(b"\r\n")
        if line.strip():
            raise _bad("A delimiter of the body is followed by other text.")
        return True

    def head(self) -> bytes:
        """The header of the part."""
        if self._peek(2) == b"\r\n":
            self._held = self._held[2:]
            return b""
        return self._until(b"\r\n\r\n")

    def write_part(self, path: Path, most: int) -> None:
        """The part's bytes, up to its delimiter."""
        size = 0
        with path.open("xb") as file:
            while (at := self._held.find(self._delimiter)) < 0:
                safe = max(0, len(self._held) - len(self._delimiter))
                size += file.write(self._held[:safe])
                self._held = self._held[safe:]
                if size > most:
                    raise _bad(f"A file is larger than {most >> 20} MiB.")
                self._more()
            file.write(self._held[:at])
        self._held = self._held[at + len(self._delimiter) :]

    def _until(self, end: bytes) -> bytes:
        while (at := self._held.find(end)) < 0:
            if len(self._held) > HEAD_BYTES:
                raise _bad("The header of a part is too long.")
            self._more()
        found, self._held = self._held[:at], self._held[at + len(end) :]
        return found

    def _peek(self, count: int) -> bytes:
        self._need(count)
        return self._held[:count]

    def _need(self, count: int) -> None:
        while len(self._held) < count:
            self._more()

    def _more(self) -> None:
        block = self._read(BLOCK)
        if not block:
            raise _bad("The body ends before its last delimiter; send it again.")
        self._held += block


def _bad(sentence: str) -> ParseError:
    return ParseError(sentence, code="bad_multipart")
