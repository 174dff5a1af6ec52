"""Writes `chunks.json`, `messages.json` and `probability.json`; the same bytes on every run."""

import base64
import gzip
import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from voxloop.volume.labelmap import (
    CHUNK,
    changed_chunks,
    chunk_name,
    encode_chunk,
    encode_message,
    split_labelmap,
)
from voxloop.volume.probability import LEAST_VALUE, encode_probability

FOLDER = Path(__file__).parent


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def gz(data: bytes) -> str:
    return b64(gzip.compress(data, 9, mtime=0))


def packed(array: np.ndarray) -> str:
    return gz(np.ascontiguousarray(array).tobytes())


def ball(
    radius: float,
    centre: tuple[float, float, float] = (15.5, 15.5, 15.5),
    shape: tuple[int, int, int] = (CHUNK, CHUNK, CHUNK),
) -> np.ndarray:
    z, y, x = np.ogrid[: shape[0], : shape[1], : shape[2]]
    inside: np.ndarray = (z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2 <= radius**2
    return inside


def chunk_cases() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(20261121)
    shape = (CHUNK, CHUNK, CHUNK)
    one = np.zeros(shape, np.uint8)
    one[3, 17, 9] = 1
    nested = np.zeros(shape, np.uint8)
    nested[ball(13)], nested[ball(9)], nested[ball(4)] = 1, 4, 255
    five = nested.copy()
    five[:, :2] = 6
    return {
        "empty": np.zeros(shape, np.uint8),
        "full": np.full(shape, 3, np.uint8),
        "one voxel": one,
        "ball": ball(11).astype(np.uint8),
        "ball at the corner": ball(12, (0, 31, 0)).astype(np.uint8) * 2,
        "four values with erased (2 bits)": nested,
        "five values (4 bits)": five,
        "sixteen values (4 bits)": (np.arange(CHUNK**3) // 7 % 16).astype(np.uint8).reshape(shape),
        "seventeen values (8 bits)": (np.arange(CHUNK**3) // 5 % 17).astype(np.uint8).reshape(shape) * 15,
        "all 256 values": (np.arange(CHUNK**3) % 256).astype(np.uint8).reshape(shape),
        "noise of three values": rng.choice(np.array([0, 7, 255], np.uint8), shape),
    }


def refused_chunks() -> dict[str, bytes]:
    good = encode_chunk(ball(11).astype(np.uint8))
    three = encode_chunk(chunk_cases()["noise of three values"])
    return {
        "nothing": b"",
        "no values": b"\x02",
        "too short": good[:-1],
        "too long": good + b"\x00",
        "one value and voxels": b"\x01\x00" + bytes(4096),
        "values descending": b"\x02\x01\x00" + good[3:],
        "values repeated": b"\x02\x01\x01" + good[3:],
        "index beyond the values": three[:4] + b"\xff" + three[5:],
    }


def volumes() -> dict[str, np.ndarray]:
    shape = (40, 70, 65)
    findings = np.zeros(shape, np.uint8)
    findings[ball(14, (20, 33, 31), shape)] = 1
    findings[ball(6, (20, 33, 20), shape)] = 255
    findings[ball(9, (38, 60, 64), shape)] = 4
    return {
        "empty volume": np.zeros((5, 33, 64), np.uint8),
        "two findings over chunk borders": findings,
        "one slice": findings[20:21],
        "one voxel in the last corner": np.pad(np.ones((1, 1, 1), np.uint8), ((32, 0), (63, 0), (5, 0))),
    }


STROKES = [
    {
        "id": "3f0e1a5c-6a1b-4d2e-9f10-0123456789ab",
        "tool": "grow",
        "segment": 1,
        "ijk": [31, 33, 20],
        "radius_mm": 14.0,
        "params": {"tolerance": 30},
        "added": 11513,
        "removed": 0,
        "at": "2026-11-21T09:00:00Z",
    },
    {
        "id": "3f0e1a5c-6a1b-4d2e-9f10-0123456789ac",
        "tool": "undo",
        "segment": 1,
        "ijk": [31, 33, 20],
        "radius_mm": 0.0,
        "params": {"of": "3f0e1a5c-6a1b-4d2e-9f10-0123456789ab"},
        "added": 0,
        "removed": 11513,
        "at": "2026-11-21T09:00:07Z",
    },
]


def raw_message(header: object, body: bytes = b"", magic: bytes = b"VXM1", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    whole = magic + struct.pack("<I", len(text) if length is None else length) + text + body
    return gzip.compress(whole, 9, mtime=0)


def refused_messages() -> dict[str, bytes]:
    payload = encode_chunk(ball(11).astype(np.uint8))
    size = len(payload)

    def header(**changes: object) -> dict[str, object]:
        plain = {
            "version": 1,
            "layer": "findings",
            "shape_zyx": [40, 70, 65],
            "chunks": [[0, 0, 0, size]],
            "strokes": [],
        }
        return plain | changes

    good = raw_message(header(), payload)
    edge = encode_chunk(np.full((CHUNK,) * 3, 1, np.uint8))
    return {
        "not gzip": b"VXM1 and then some",
        "another magic": raw_message(header(), payload, magic=b"VXM2"),
        "another version": raw_message(header(version=2), payload),
        "version is true": raw_message(header(version=True), payload),
        "header too long": raw_message(header(), payload, length=(4 << 20) + 1),
        "header ends early": raw_message(header(), b"", length=5000),
        "header not JSON": raw_message(b"{version: 1}"),
        "header not an object": raw_message([1, 2]),
        "header with NaN": raw_message(b'{"version": 1, "layer": "findings", "shape_zyx": [NaN, 1, 1], "chunks": []}'),
        "no layer": raw_message(header(layer=None), payload),
        "shape of two": raw_message(header(shape_zyx=[40, 70]), payload),
        "shape of nothing": raw_message(header(shape_zyx=[0, 70, 65]), payload),
        "shape of fractions": raw_message(header(shape_zyx=[40.5, 70, 65]), payload),
        "shape above any memory": raw_message(header(shape_zyx=[60000, 60000, 60000]), payload),
        "chunk outside": raw_message(header(chunks=[[2, 0, 0, size]]), payload),
        "chunk negative": raw_message(header(chunks=[[-1, 0, 0, size]]), payload),
        "chunk twice": raw_message(header(chunks=[[0, 0, 0, size], [0, 0, 0, size]]), payload * 2),
        "more chunks than the volume has": raw_message(header(chunks=[[0, 0, 0, 2]] * 13), b"\x01\x00" * 13),
        "chunk of impossible length": raw_message(header(chunks=[[0, 0, 0, 1 << 30]]), payload),
        "payload of another length": raw_message(header(chunks=[[0, 0, 0, size - 1]]), payload[:-1]),
        "payload ends early": raw_message(header(), payload[:100]),
        "bytes after the last chunk": raw_message(header(), payload + b"\x00"),
        "voxels beyond the edge": raw_message(header(chunks=[[1, 2, 2, len(edge)]]), edge),
        "strokes not a list": raw_message(header(strokes={"id": "a"}), payload),
        "stroke without id": raw_message(header(strokes=[{"tool": "grow"}]), payload),
        "cut short": good[: len(good) // 2],
        "wrong checksum": good[:-8] + bytes(4) + good[-4:],
        "a second member": good + good,
    }


def codecs() -> dict[str, Any]:
    """The documents by file name."""
    chunks = {
        "cases": [
            {"name": n, "voxels_gz": packed(v), "payload_gz": gz(encode_chunk(v)), "sha256": chunk_name(v)}
            for n, v in chunk_cases().items()
        ],
        "refused": [{"name": n, "payload_b64": b64(p)} for n, p in refused_chunks().items()],
    }
    whole = []
    for name, labels in volumes().items():
        strokes = STROKES if name.startswith("two") else []
        message = encode_message("findings", labels.shape, split_labelmap(labels), strokes)
        whole.append(
            {
                "name": name,
                "layer": "findings",
                "shape_zyx": list(labels.shape),
                "labels_gz": packed(labels),
                "strokes": strokes,
                "message_b64": b64(message),
                "inflated_sha256": hashlib.sha256(gzip.decompress(message)).hexdigest(),
            }
        )
    before = volumes()["two findings over chunk borders"]
    after = before.copy()
    after[before == 4] = 0
    after[ball(5, (31, 31, 31), before.shape)] = 2
    message = encode_message("findings", before.shape, changed_chunks(before, after), STROKES[:1])
    changes = [
        {
            "name": "a finding removed, another painted",
            "shape_zyx": list(before.shape),
            "strokes": STROKES[:1],
            "before_gz": packed(before),
            "after_gz": packed(after),
            "message_b64": b64(message),
            "inflated_sha256": hashlib.sha256(gzip.decompress(message)).hexdigest(),
        }
    ]
    refused = [{"name": n, "message_b64": b64(m)} for n, m in refused_messages().items()]
    return {
        "chunks.json": chunks,
        "messages.json": {"cases": whole, "changes": changes, "refused": refused},
        "probability.json": probability(),
    }


def probability() -> dict[str, object]:
    """A small map of blocks that do not fill the scan's last rows and columns."""
    scan = (3, 9, 10)
    values = np.random.default_rng(7).integers(0, 256, (3, 5, 4)).astype(np.uint8)
    values[values < LEAST_VALUE] = 0
    data, entry = encode_probability(values, (1, 2, 3), scan)
    return {
        "scan_shape_zyx": list(scan),
        "facts": entry.to_json(),
        "message_b64": b64(data),
        "values": values.ravel().tolist(),
    }


def inflated(value: object) -> object:
    """A document with every gzip inflated: zlib versions may write different bytes for the same voxels."""
    if isinstance(value, dict):
        return {k: _opened(v) if k.endswith(("_gz", "message_b64")) and v else inflated(v) for k, v in value.items()}
    return [inflated(v) for v in value] if isinstance(value, list) else value


def _opened(text: str) -> object:
    try:
        return gzip.decompress(base64.b64decode(text))
    except (EOFError, OSError):
        return text


def main() -> None:
    for name, document in codecs().items():
        (FOLDER / name).write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
