"""The interface of object stores: content-addressed keys, written once."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

BLOCK = 1 << 20


DIGEST = re.compile(r"[0-9a-f]{64}")


class Store(Protocol):
    """A content-addressed store. A key is `<prefix>/<sha256>`; the same content is stored once."""

    def put(self, prefix: str, data: bytes) -> str:
        """Store bytes durably; returns the key. Raises NoSpace when the disk is full, leaving nothing behind."""

    def put_file(self, prefix: str, path: Path) -> str:
        """Store a file's content durably; returns the key."""

    def fetch(self, key: str, to: Path) -> None:
        """Write an object to a new file. Raises NotFound."""

    def get(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        """Bytes `start` (inclusive) to `end` (exclusive). Raises NotFound."""

    def stream(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The same in blocks of at most 1 MiB."""

    def size(self, key: str) -> int:
        """Length in bytes. Raises NotFound."""

    def put_named(self, name: str, path: Path) -> None:
        """Store a file under a readable name (releases), replacing an existing one."""

    def delete(self, key: str) -> None:
        """Remove an object; silent when it is not there."""

    def list(self, prefix: str) -> "Iterator[Entry]":
        """Every object whose key is `<prefix>/<sha256>`. Other names are left out."""

    def collect(self, key: str, *, before: datetime) -> bool:
        """Remove an object unless it was stored, or stored again, since `before`; returns whether it was removed."""

    def restore(self, key: str, data: bytes) -> None:
        """Replace the bytes of a damaged object. Raises ValueError when they do not match the key."""

    def leftovers(self) -> "Iterator[Entry]":
        """Half-written files; `key` is a name for `drop_leftover`."""

    def drop_leftover(self, name: str) -> None:
        """Remove a half-written file."""


@dataclass(frozen=True)
class Entry:
    """One listed object: its key, length in bytes and when it was last stored."""

    key: str
    bytes: int
    modified: datetime


def sha256_of(path: Path) -> str:
    """sha256 of a file, hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def make_private(folder: Path) -> None:
    """Make a folder and its missing parents, accessible to this user and group only."""
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    for parent in reversed(missing):
        parent.mkdir(mode=0o750, exist_ok=True)


def must_fit(key: str, data: bytes) -> None:
    if hashlib.sha256(data).hexdigest() != key.rpartition("/")[2]:
        raise ValueError(f"the bytes are not those of {key}")


def entry_of(path: Path, key: str) -> Iterator[Entry]:
    """One entry, or none when the file was deleted meanwhile."""
    with suppress(FileNotFoundError):
        found = path.stat()
        yield Entry(key, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))


def blocks_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as handle:
        while block := handle.read(BLOCK):
            yield block
