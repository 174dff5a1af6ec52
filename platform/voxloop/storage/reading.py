"""Stored bytes, verified when read; raises `Damaged` for any that fail their check."""

import errno
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from voxloop.kernel.errors import Damaged, NotFound
from voxloop.storage.objects import Store

CALL = "Nothing of it is sent; an administrator can restore it from a back-up (manage.py scrub --repair)."
# Limit on bytes checked in memory per request; more is read twice, the second time piece by piece.
MOST_HELD = 16 << 20


@dataclass(frozen=True)
class Piece:
    """A part of an object with a checksum of its own: `start` (inclusive) to `end` (exclusive), in bytes.

    `digest` holds the first bytes of the part's sha256.
    """

    start: int
    end: int
    digest: bytes

    def fits(self, data: bytes | memoryview) -> bool:
        """Whether these are the bytes that were stored."""
        return len(data) == self.end - self.start and hashlib.sha256(data).digest().startswith(self.digest)


def whole(key: str, size: int) -> list[Piece]:
    """An object as one piece: its name is its sha256."""
    try:
        digest = bytes.fromhex(key.rpartition("/")[2])
    except ValueError:
        digest = b""
    if len(digest) != hashlib.sha256().digest_size:
        raise missing(key)
    return [Piece(0, size, digest)]


def missing(key: str) -> Damaged:
    """The refusal for an object that a row references and the store does not have."""
    return Damaged(f"The stored object {key} is missing. {CALL}", thing=key, code="object_missing", is_missing=True)


def damaged(key: str, parts: Sequence[int] = (), of: int = 1) -> Damaged:
    """The refusal for an object whose bytes are not those that were stored; `parts` are the numbers of its pieces."""
    where = f" in {len(parts)} of its {of} parts" if of > 1 else ""
    sentence = f"The stored object {key} is damaged{where}. {CALL}"
    return Damaged(sentence, thing=key, parts=list(parts)) if of > 1 else Damaged(sentence, thing=key)


def object_size(store: Store, key: str) -> int:
    """Length in bytes of an object that a row references. Raises Damaged (`object_missing`)."""
    try:
        return store.size(key)
    except NotFound as error:
        raise missing(key) from error


def read_object(store: Store, key: str) -> bytes:
    """A whole object, after checking its sha256. Raises Damaged."""
    data = _read(store, key)
    if not whole(key, len(data))[0].fits(data):
        raise damaged(key)
    return data


def read_pieces(store: Store, key: str, pieces: Sequence[Piece], start: int, end: int) -> Iterator[bytes]:
    """Bytes `start` to `end`, in blocks; every piece they touch is read whole and checked before the first block. What
    fits into memory is read once. More is read twice and each block checked again: if it changed in between, the
    response breaks off. Raises Damaged, with the numbers of the damaged pieces, before anything is yielded. `pieces`
    are in order without gaps."""
    touched = [(n, piece) for n, piece in enumerate(pieces) if piece.start < end and piece.end > start]
    if sum(piece.end - piece.start for _, piece in touched) <= MOST_HELD:
        held = _read(store, key, touched[0][1].start, touched[-1][1].end) if touched else b""
        first = touched[0][1].start if touched else start
        _refuse(key, len(pieces), [n for n, piece in touched if not piece.fits(_cut(held, piece, first))])
        return iter([held[start - first : end - first]] if touched else [])
    _refuse(key, len(pieces), [n for n, piece in touched if not piece.fits(_read(store, key, piece.start, piece.end))])
    return _again(store, key, touched, start, end)


def _again(store: Store, key: str, touched: Sequence[tuple[int, Piece]], start: int, end: int) -> Iterator[bytes]:
    for n, piece in touched:
        data = _read(store, key, piece.start, piece.end)
        if not piece.fits(data):
            raise damaged(key, [n])
        yield data[max(0, start - piece.start) : end - piece.start]


def _read(store: Store, key: str, start: int = 0, end: int | None = None) -> bytes:
    try:
        return store.get(key, start, end)
    except NotFound as error:
        raise missing(key) from error
    except OSError as error:
        if error.errno == errno.EIO:  # the disk cannot read it
            raise damaged(key) from error
        raise


def _cut(held: bytes, piece: Piece, first: int) -> memoryview:
    return memoryview(held)[piece.start - first : piece.end - first]


def _refuse(key: str, of: int, parts: Sequence[int]) -> None:
    if parts:
        raise damaged(key, parts, of)
