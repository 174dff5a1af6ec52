"""The chunk and message codecs against the vectors that also test the browser."""

import base64
import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.vectors import make_codecs
from tests.vectors.cases import by_name, unpacked
from voxloop.volume.errors import FormatError
from voxloop.volume.labelmap import (
    apply_chunks,
    changed_chunks,
    chunk_name,
    decode_chunk,
    decode_message,
    encode_chunk,
    encode_message,
    split_labelmap,
)

FOLDER = Path(make_codecs.__file__).parent
CHUNKS = json.loads((FOLDER / "chunks.json").read_text())
MESSAGES = json.loads((FOLDER / "messages.json").read_text())


def test_vectors_are_what_the_generator_writes() -> None:
    for name, document in make_codecs.codecs().items():
        committed = json.loads((FOLDER / name).read_text())
        assert make_codecs.inflated(committed) == make_codecs.inflated(json.loads(json.dumps(document)))


@by_name(CHUNKS["cases"])
def test_chunk(case: dict[str, Any]) -> None:
    voxels = unpacked(case["voxels_gz"], [32, 32, 32])
    payload = gzip.decompress(base64.b64decode(case["payload_gz"]))
    assert encode_chunk(voxels) == payload
    assert np.array_equal(decode_chunk(payload), voxels)
    assert chunk_name(voxels) == case["sha256"]


@by_name(CHUNKS["refused"])
def test_refused_chunk(case: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        decode_chunk(base64.b64decode(case["payload_b64"]))


@by_name(MESSAGES["cases"])
def test_message(case: dict[str, Any]) -> None:
    labels = unpacked(case["labels_gz"], case["shape_zyx"])
    message = decode_message(base64.b64decode(case["message_b64"]), case["shape_zyx"])
    assert np.array_equal(message.labels(), labels)
    assert (message.layer, list(message.strokes)) == (case["layer"], case["strokes"])
    again = encode_message(case["layer"], labels.shape, split_labelmap(labels), case["strokes"])
    assert hashlib.sha256(gzip.decompress(again)).hexdigest() == case["inflated_sha256"]


@by_name(MESSAGES["changes"])
def test_changed_chunks(case: dict[str, Any]) -> None:
    before, after = (unpacked(case[k], case["shape_zyx"]) for k in ("before_gz", "after_gz"))
    message = decode_message(base64.b64decode(case["message_b64"]), case["shape_zyx"])
    assert dict(message.chunks) == changed_chunks(before, after)
    saved = before.copy()
    apply_chunks(saved, message.chunks)
    assert np.array_equal(saved, after)


@by_name(MESSAGES["refused"])
def test_refused_message(case: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        decode_message(base64.b64decode(case["message_b64"]))
