"""A release as one zip that is never stored: its bytes follow from the list of files, so that any range can be sent.

Files are stored without compression (NIfTI files are compressed already, and the size is known before). The archive is
a file object that reads the parts it is asked for; only one file is open at a time."""

import io
import struct
import zlib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

BLOCK = 1 << 20
MOST_32 = 0xFFFFFFFF
MOST_16 = 0xFFFF
UTF8 = 0x0800
PLAIN, LARGE = 20, 45  # version needed to extract: without and with zip64
UNIX = 3 << 8
MODE = 0o100644 << 16
MIDNIGHT_1980 = 0x00210000  # the earliest time of a zip: the bytes do not depend on when they were written


@dataclass(frozen=True)
class Entry:
    """One file of an archive: its name there, its length in bytes and CRC-32, and where it is."""

    name: str
    bytes: int
    crc32: int
    path: Path


def crc32_of(path: Path) -> int:
    """CRC-32 of a file."""
    found = 0
    with path.open("rb") as handle:
        while block := handle.read(BLOCK):
            found = zlib.crc32(block, found)
    return found


class Archive(io.RawIOBase):
    """The zip of `entries`, as a file open for reading. Reading raises OSError where a file is missing or shorter."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        super().__init__()
        self._parts: list[bytes | Entry] = []
        self._starts: list[int] = []
        self._open: tuple[Entry, BinaryIO] | None = None
        self.bytes = 0
        self._at = 0
        directory = []
        for entry in entries:
            offset = self.bytes
            self._add(_local_header(entry))
            self._add(entry)
            directory.append(_central_header(entry, offset))
        body = b"".join(directory)
        self._add(body + _end(len(directory), len(body), self.bytes))

    def _add(self, part: bytes | Entry) -> None:
        size = len(part) if isinstance(part, bytes) else part.bytes
        if size:
            self._parts.append(part)
            self._starts.append(self.bytes)
            self.bytes += size

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """The position in bytes."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position; it may be any."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.bytes}[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        """`size` bytes, fewer only at the end."""
        wanted = min(size if size >= 0 else self.bytes, self.bytes - self._at)
        blocks = []
        while wanted > 0:
            block = self._piece(wanted)
            blocks.append(block)
            wanted -= len(block)
            self._at += len(block)
        return b"".join(blocks)

    def close(self) -> None:
        """Close the file that is open."""
        if self._open:
            self._open[1].close()
            self._open = None
        super().close()

    def _piece(self, wanted: int) -> bytes:
        number = bisect_right(self._starts, self._at) - 1
        part, inside = self._parts[number], self._at - self._starts[number]
        if isinstance(part, bytes):
            return part[inside : inside + wanted]
        if self._open is None or self._open[0] is not part:
            if self._open:
                self._open[1].close()
            self._open = (part, part.path.open("rb"))
        handle = self._open[1]
        if handle.tell() != inside:
            handle.seek(inside)
        block = handle.read(min(wanted, part.bytes - inside))
        if not block:
            raise OSError(f"{part.name} is shorter than it was")
        return block


class Extent(io.RawIOBase):
    """Bytes `start` (inclusive) to `end` (exclusive) of a file, as a file; closes it when it is closed."""

    def __init__(self, whole: io.RawIOBase, start: int, end: int) -> None:
        super().__init__()
        self._whole, self._start, self._end = whole, start, end
        whole.seek(start)

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """The position in bytes from the start of the extent."""
        return self._whole.tell() - self._start

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position counted from the start of the extent."""
        base = {io.SEEK_SET: self._start, io.SEEK_CUR: self._whole.tell(), io.SEEK_END: self._end}[whence]
        return self._whole.seek(base + offset) - self._start

    def read(self, size: int = -1) -> bytes:
        """`size` bytes, fewer only at the end."""
        left = max(0, self._end - self._whole.tell())
        return self._whole.read(left if size < 0 else min(size, left)) or b""

    def close(self) -> None:
        """Close the whole file."""
        self._whole.close()
        super().close()


def _local_header(entry: Entry) -> bytes:
    name = entry.name.encode()
    is_large = entry.bytes >= MOST_32
    extra = struct.pack("<HHQQ", 1, 16, entry.bytes, entry.bytes) if is_large else b""
    size = MOST_32 if is_large else entry.bytes
    version = LARGE if is_large else PLAIN
    fields = (b"PK\3\4", version, UTF8, 0, MIDNIGHT_1980, entry.crc32, size, size, len(name), len(extra))
    return struct.pack("<4s3HIIIIHH", *fields) + name + extra


def _central_header(entry: Entry, offset: int) -> bytes:
    name = entry.name.encode()
    large = [entry.bytes, entry.bytes] if entry.bytes >= MOST_32 else []
    large += [offset] if offset >= MOST_32 else []
    extra = struct.pack(f"<HH{len(large)}Q", 1, 8 * len(large), *large) if large else b""
    size = min(entry.bytes, MOST_32)
    version = LARGE if large else PLAIN
    made_by = UNIX | version
    fields = (b"PK\1\2", made_by, version, UTF8, 0, MIDNIGHT_1980, entry.crc32, size, size, len(name), len(extra))
    return (
        struct.pack("<4s4HIIIIHH", *fields) + struct.pack("<3HII", 0, 0, 0, MODE, min(offset, MOST_32)) + name + extra
    )


def _end(count: int, size: int, offset: int) -> bytes:
    """The end of the central directory of `count` entries, `size` bytes long, at `offset`."""
    large = b""
    if count >= MOST_16 or size >= MOST_32 or offset >= MOST_32:
        record = (b"PK\6\6", 44, UNIX | LARGE, LARGE, 0, 0, count, count, size, offset)
        large = struct.pack("<4sQHHIIQQQQ", *record)
        large += struct.pack("<4sIQI", b"PK\6\7", 0, offset + size, 1)
    counted, sized, at = min(count, MOST_16), min(size, MOST_32), min(offset, MOST_32)
    return large + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, counted, counted, sized, at, 0)
