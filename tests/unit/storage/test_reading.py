"""Stored bytes are checked when they are read: whole, by pieces, by range, and as they are served."""

import errno
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.request import Request

from voxloop.kernel.errors import Damaged, NotFound
from voxloop.storage import reading
from voxloop.storage.folder import FolderStore
from voxloop.storage.reading import Piece, object_size, read_object, read_pieces, whole
from voxloop.storage.serving import serve_object

DATA = bytes(range(100))


def pieces_of(data: bytes, *ends: int) -> list[Piece]:
    starts = (0, *ends[:-1])
    return [Piece(a, b, hashlib.sha256(data[a:b]).digest()[:8]) for a, b in zip(starts, ends, strict=True)]


PIECES = pieces_of(DATA, 10, 40, 41, 100)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "objects")


@pytest.fixture
def key(store: FolderStore) -> str:
    return store.put("packs", DATA)


def spoil(store: FolderStore, key: str, at: int) -> None:
    raw = bytearray(store.path_of(key).read_bytes())
    raw[at] ^= 1
    store.path_of(key).write_bytes(raw)


@given(st.integers(0, 100), st.integers(0, 100))
def test_any_range_is_the_bytes_of_it(start: int, end: int) -> None:
    class Held:
        def get(self, key: str, first: int = 0, last: int | None = None) -> bytes:
            return DATA[first:last]

    if start < end:
        held: Any = Held()
        assert b"".join(read_pieces(held, "packs/x", PIECES, start, end)) == DATA[start:end]


@pytest.mark.parametrize("most", [0, 30, 1 << 20])
@pytest.mark.parametrize(
    ("start", "end"), [(0, 100), (0, 1), (99, 100), (9, 11), (10, 40), (40, 41), (39, 42), (41, 100)]
)
def test_what_fits_in_memory_and_what_does_not_are_the_same(
    store: FolderStore, key: str, start: int, end: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_HELD", most)
    assert b"".join(read_pieces(store, key, PIECES, start, end)) == DATA[start:end]


@pytest.mark.parametrize("most", [0, 1 << 20])
def test_damage_is_told_by_the_pieces_it_lies_in_before_a_byte_is_sent(
    store: FolderStore, key: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_HELD", most)
    spoil(store, key, 40)
    spoil(store, key, 99)
    with pytest.raises(Damaged) as told:
        read_pieces(store, key, PIECES, 0, 100)
    assert told.value.extra == {"object": key, "parts": [2, 3]}
    assert "in 2 of its 4 parts" in told.value.detail
    # What the damage does not touch is served.
    assert b"".join(read_pieces(store, key, PIECES, 0, 40)) == DATA[:40]


def test_an_object_that_changes_while_it_is_sent_breaks_off(
    store: FolderStore, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_HELD", 0)
    coming = read_pieces(store, key, PIECES, 0, 100)
    assert next(coming) == DATA[:10]
    spoil(store, key, 50)
    assert [next(coming), next(coming)] == [DATA[10:40], DATA[40:41]]
    with pytest.raises(Damaged):
        next(coming)


def test_a_shorter_object_is_damaged(store: FolderStore, key: str) -> None:
    store.path_of(key).write_bytes(DATA[:-1])
    with pytest.raises(Damaged):
        read_pieces(store, key, PIECES, 50, 60)
    with pytest.raises(Damaged):
        read_object(store, key)


def test_a_whole_object_is_checked_by_its_name(store: FolderStore, key: str) -> None:
    assert read_object(store, key) == DATA
    spoil(store, key, 0)
    with pytest.raises(Damaged) as told:
        read_object(store, key)
    assert (told.value.code, told.value.thing, told.value.is_missing) == ("object_damaged", key, False)


def test_an_object_that_a_row_names_and_nobody_has(store: FolderStore) -> None:
    key = f"packs/{'0' * 64}"
    for read in (lambda: read_object(store, key), lambda: object_size(store, key)):
        with pytest.raises(Damaged) as told:
            read()
        assert (told.value.code, told.value.is_missing) == ("object_missing", True)


@pytest.mark.parametrize("name", ["packs/", "packs/abc", "packs/" + "g" * 64, "packs/" + "0" * 62])
def test_a_name_that_is_no_hash_names_nothing(name: str) -> None:
    with pytest.raises(Damaged) as told:
        whole(name, 3)
    assert told.value.is_missing


class Failing:
    """A store whose disk answers with an error."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def get(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        raise self.error


def test_a_disk_that_cannot_read_it_is_damage_and_other_errors_are_themselves() -> None:
    key = f"packs/{'0' * 64}"
    for error, kind in (
        (OSError(errno.EIO, "io"), Damaged),
        (OSError(errno.EACCES, "permission"), PermissionError),
        (NotFound(), Damaged),
    ):
        failing: Any = Failing(error)
        with pytest.raises(kind):
            read_object(failing, key)


@pytest.mark.parametrize(
    ("data", "expected"), [(b"abc", True), (b"abd", False), (b"ab", False), (b"abcd", False), (b"", False)]
)
def test_a_piece_fits_its_bytes_only(data: bytes, expected: bool) -> None:
    assert Piece(5, 8, hashlib.sha256(b"abc").digest()[:8]).fits(data) is expected


def ask(store: FolderStore, key: str, settings: Any, method: str = "get", pieces: Any = None, **headers: str) -> Any:
    settings.STORAGE_URL = f"file://{store.root}"
    request = Request(getattr(RequestFactory(), method)("/x", headers=headers))
    return serve_object(request, key, "application/x-voxloop", pieces)


def body_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


@pytest.mark.parametrize(
    ("extent", "start", "end"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=0-0", 0, 1),
        ("bytes=90-", 90, 100),
        ("bytes=90-400", 90, 100),
        ("bytes=-10", 90, 100),
        ("bytes=-400", 0, 100),
        (" bytes=5-6 ", 5, 7),
        ("bytes=5-" + "9" * 400, 5, 100),
        ("bytes=0000000000000000000000000000005-6", 5, 7),
    ],
)
def test_a_range_is_served(store: FolderStore, key: str, settings: Any, extent: str, start: int, end: int) -> None:
    answer = ask(store, key, settings, pieces=PIECES, range=extent)
    assert answer.status_code == 206
    assert body_of(answer) == DATA[start:end]
    assert answer["Content-Range"] == f"bytes {start}-{end - 1}/100"
    assert answer["Content-Length"] == str(end - start)


@pytest.mark.parametrize("extent", ["bytes=100-", "bytes=100-200", "bytes=9-5", "bytes=-0", "bytes=" + "9" * 400 + "-"])
def test_a_range_beyond_the_end_is_refused(store: FolderStore, key: str, settings: Any, extent: str) -> None:
    answer = ask(store, key, settings, range=extent)
    assert (answer.status_code, answer["Content-Range"]) == (416, "bytes */100")
    assert json.loads(answer.content)["code"] == "bad_range"


@pytest.mark.parametrize("extent", ["bytes=-", "bytes=a-b", "items=0-5", "bytes=0-5,7-9", "bytes=٣-٥", ""])
def test_a_range_that_is_none_is_the_whole(store: FolderStore, key: str, settings: Any, extent: str) -> None:
    answer = ask(store, key, settings, range=extent)
    assert (answer.status_code, body_of(answer)) == (200, DATA)
    assert "Content-Range" not in answer


def test_an_object_is_kept_by_nobody_and_sniffed_by_none(store: FolderStore, key: str, settings: Any) -> None:
    answer = ask(store, key, settings)
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["ETag"] == f'"{key.rpartition("/")[2]}"'
    assert answer["Content-Type"] == "application/x-voxloop"


def test_what_the_browser_has_is_not_sent_again(store: FolderStore, key: str, settings: Any) -> None:
    etag = f'"{key.rpartition("/")[2]}"'
    assert ask(store, key, settings, **{"if-none-match": etag}).status_code == 304
    assert ask(store, key, settings, **{"if-none-match": '"other"'}).status_code == 200


def test_a_range_of_another_version_is_the_whole(store: FolderStore, key: str, settings: Any) -> None:
    etag = f'"{key.rpartition("/")[2]}"'
    assert ask(store, key, settings, range="bytes=0-9", **{"if-range": etag}).status_code == 206
    assert ask(store, key, settings, range="bytes=0-9", **{"if-range": '"other"'}).status_code == 200


def test_a_head_has_the_length_and_no_body(store: FolderStore, key: str, settings: Any) -> None:
    answer = ask(store, key, settings, "head", range="bytes=0-9")
    assert (answer.status_code, answer["Content-Length"], body_of(answer)) == (206, "10", b"")


@pytest.mark.parametrize("pieces", [[], pieces_of(DATA, 10, 99)])
def test_pieces_that_do_not_cover_the_object_are_damage(
    store: FolderStore, key: str, settings: Any, pieces: Any
) -> None:
    with pytest.raises(Damaged):
        ask(store, key, settings, pieces=pieces)
