"""Property tests of the chunk and message codecs, and their limits on hostile bytes."""

import gzip
import json
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from voxloop.volume.errors import FormatError
from voxloop.volume.labelmap import (
    CHUNK,
    EMPTY_PAYLOAD,
    ERASED,
    apply_chunks,
    changed_chunks,
    decode_chunk,
    decode_message,
    encode_chunk,
    encode_message,
    join_labelmap,
    split_labelmap,
    strip_erased,
)
from voxloop.volume.labelmap.slices import count_by_slice, slice_of

shapes = st.tuples(st.integers(1, 70), st.integers(1, 70), st.integers(1, 70))


@st.composite
def labelmaps(draw: Any, shape: tuple[int, int, int] | None = None) -> Any:
    """Random shapes with blocks of random values at random positions."""
    size = draw(shapes) if shape is None else shape
    labels = np.zeros(size, np.uint8)
    for _ in range(draw(st.integers(0, 6))):
        low = [draw(st.integers(0, n - 1)) for n in size]
        high = [draw(st.integers(a + 1, n)) for a, n in zip(low, size, strict=True)]
        labels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = draw(st.integers(0, 255))
    if draw(st.booleans()):
        noise = np.random.default_rng(draw(st.integers(0, 2**32))).integers(0, draw(st.integers(1, 256)), size)
        labels[: size[0] // 2 + 1] = noise[: size[0] // 2 + 1]
    return labels


@settings(max_examples=40, deadline=None)
@given(labelmaps())
def test_split_and_join_give_the_labelmap_back(labels: np.ndarray) -> None:
    chunks = split_labelmap(labels)
    assert np.array_equal(join_labelmap(chunks, labels.shape), labels)
    assert EMPTY_PAYLOAD not in chunks.values()
    message = decode_message(encode_message("anatomy", labels.shape, chunks), labels.shape)
    assert dict(message.chunks) == chunks


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_changes_lead_from_one_labelmap_to_the_other(data: st.DataObject) -> None:
    size = data.draw(shapes)
    before, after = data.draw(labelmaps(size)), data.draw(labelmaps(size))
    changes = changed_chunks(before, after)
    saved = before.copy()
    apply_chunks(saved, changes)
    assert np.array_equal(saved, after)
    assert len(changed_chunks(saved, after)) == 0


@settings(max_examples=40, deadline=None)
@given(hnp.arrays(np.uint8, (CHUNK, CHUNK, CHUNK), elements=st.integers(0, 255)))
def test_any_chunk_survives(voxels: np.ndarray) -> None:
    assert np.array_equal(decode_chunk(encode_chunk(voxels)), voxels)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=5000))
def test_any_payload_is_decoded_or_refused(payload: bytes) -> None:
    try:
        voxels = decode_chunk(payload)
    except FormatError:
        return
    assert voxels.shape == (CHUNK, CHUNK, CHUNK)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_any_body_is_refused(body: bytes, compressed: Any) -> None:
    with pytest.raises(FormatError):
        decode_message(gzip.compress(body) if compressed else body)


def test_a_labelmap_that_is_not_contiguous() -> None:
    labels = np.zeros((40, 50, 60), np.uint8)
    labels[3:20, 10:40, 20:50] = 2
    turned = labels.transpose(2, 0, 1)
    assert np.array_equal(join_labelmap(split_labelmap(turned), turned.shape), turned)


def test_strip_erased_leaves_the_original() -> None:
    labels = np.array([[[0, 1, ERASED]]], np.uint8)
    assert strip_erased(labels).tolist() == [[[0, 1, 0]]]
    assert labels[0, 0, 2] == ERASED


@pytest.mark.parametrize("part", ["header", "payload", "tail"])
def test_a_gzip_bomb_is_refused_before_it_unfolds(part: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """64 MiB of zeros in 64 kB: the reader must stop at what the header declares."""
    bomb = zlib.compressobj(9, wbits=31)
    header = json.dumps(
        {"version": 1, "layer": "findings", "shape_zyx": [32, 32, 32], "chunks": [[0, 0, 0, 2]]}
    ).encode()
    start = {
        "header": b"VXM1" + struct.pack("<I", 0xFFFFFFFF),
        "payload": b"VXM1" + struct.pack("<I", len(header)) + header.replace(b"2]]", b"99999]]"),
        "tail": b"VXM1" + struct.pack("<I", len(header)) + header + EMPTY_PAYLOAD,
    }[part]
    zeros = bytes(1 << 20)
    body = bomb.compress(start) + b"".join(bomb.compress(zeros) for _ in range(64)) + bomb.flush()
    inflated = []
    real = zlib.decompressobj

    class Counting:
        def __init__(self, wbits: int) -> None:
            self.inner = real(wbits=wbits)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inner, name)

        def decompress(self, data: bytes, size: int) -> Any:
            part = self.inner.decompress(data, size)
            inflated.append(len(part))
            return part

    monkeypatch.setattr(zlib, "decompressobj", Counting)
    with pytest.raises(FormatError):
        decode_message(body)
    assert sum(inflated) < 1000


def test_the_shape_of_the_scan_is_the_only_one_accepted() -> None:
    body = encode_message("findings", (5, 6, 7), {})
    with pytest.raises(FormatError, match="its scan has"):
        decode_message(body, (5, 6, 8))


@settings(max_examples=40, deadline=None)
@given(labelmaps(), labelmaps(), st.integers(0, 199))
def test_slices_and_their_counts_come_from_chunks_as_from_the_volume(one: Any, other: Any, at: int) -> None:
    other = np.resize(other, one.shape).astype(np.uint8)
    k = at % one.shape[0]
    chunks = split_labelmap(one), split_labelmap(other)
    np.testing.assert_array_equal(slice_of(chunks[0], k, one.shape), one[k])
    mine, theirs = strip_erased(one) > 0, strip_erased(other) > 0
    differing, drawn = count_by_slice(*chunks, one.shape)
    np.testing.assert_array_equal(differing, (mine != theirs).sum(axis=(1, 2)))
    np.testing.assert_array_equal(drawn, mine.sum(axis=(1, 2)))


def test_a_slice_refuses_what_lies_outside() -> None:
    shape = (33, 40, 40)
    with pytest.raises(ValueError, match="slice 33 of 33"):
        slice_of({}, 33, shape)
    beyond = np.zeros((32, 32, 32), np.uint8)
    beyond[1] = 1  # slice 33 of a volume that ends with 32
    for call in (lambda c: slice_of(c, 32, shape), lambda c: count_by_slice(c, {}, shape)):
        with pytest.raises(FormatError):
            call({(1, 0, 0): encode_chunk(beyond)})
