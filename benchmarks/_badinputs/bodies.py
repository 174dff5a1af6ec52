"""Mask messages and NIfTI files, valid and broken in every part that is parsed."""

import gzip
import json
import random
import struct
import zlib
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import numpy as np

MASK = "application/vnd.voxloop.mask"
ODD_NUMBERS = ["-1", "0", "256", "4294967296", "9" * 25, "1e999", "-1e999", "NaN", "Infinity", "0.5", "1e308", "true"]
ODD_TEXTS = ['"\\u0000"', '"\\ud800"', '""', '"x"', '"' + "A" * 5000 + '"', '"\\u202e"', '"../.."', '"%00"']
ODD_THINGS = ["null", "[]", "{}", "[[]]", '{"a":' * 40 + "1" + "}" * 40, "[" * 900 + "]" * 900]
ODD = [*ODD_NUMBERS, *ODD_TEXTS, *ODD_THINGS]
PLACE = "HERE"


def stroke(dice: random.Random) -> dict[str, Any]:
    """A valid stroke."""
    return {
        "id": str(UUID(int=dice.getrandbits(128), version=4)),
        "tool": "grow",
        "segment": 1,
        "ijk": [1, 2, 3],
        "radius_mm": 12.5,
        "params": {"tolerance": 30},
        "added": 4,
        "removed": 0,
        "at": "2026-11-28T10:00:00Z",
    }


def header(shape: Sequence[int], dice: random.Random) -> dict[str, Any]:
    """The header of a save that sets one chunk to 1."""
    return {
        "version": 1,
        "layer": "findings",
        "shape_zyx": list(shape),
        "chunks": [[0, 0, 0, 2]],
        "strokes": [stroke(dice)],
    }


def packed(head: str | bytes, payload: bytes = b"\x01\x01", magic: bytes = b"VXM1", length: int | None = None) -> bytes:
    """A message of these parts, valid or not."""
    raw = head.encode("utf-8", "surrogatepass") if isinstance(head, str) else head
    size = struct.pack("<I", (len(raw) if length is None else length) & 0xFFFFFFFF)
    return gzip.compress(magic + size + raw + payload, 1, mtime=0)


def with_value(document: dict[str, Any], path: Sequence[Any], written: str) -> str:
    """The document as JSON, with this text instead of one value."""
    copy = json.loads(json.dumps(document))
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = PLACE
    return json.dumps(copy).replace(f'"{PLACE}"', written)


HEADER_PLACES: list[list[Any]] = [
    ["version"],
    ["layer"],
    ["shape_zyx"],
    ["shape_zyx", 0],
    ["shape_zyx", 2],
    ["chunks"],
    ["chunks", 0],
    ["chunks", 0, 0],
    ["chunks", 0, 2],
    ["chunks", 0, 3],
    ["strokes"],
    ["strokes", 0],
    ["strokes", 0, "id"],
    ["strokes", 0, "tool"],
    ["strokes", 0, "segment"],
    ["strokes", 0, "ijk"],
    ["strokes", 0, "ijk", 1],
    ["strokes", 0, "radius_mm"],
    ["strokes", 0, "params"],
    ["strokes", 0, "params", "tolerance"],
    ["strokes", 0, "added"],
    ["strokes", 0, "removed"],
    ["strokes", 0, "at"],
]


def flipped(data: bytes, dice: random.Random, most: int = 4) -> bytes:
    """Some bytes changed, some cut off, some put in."""
    out = bytearray(data)
    for _ in range(dice.randint(1, most)):
        at = dice.randrange(len(out)) if out else 0
        match dice.randrange(4):
            case 0 if out:
                out[at] = dice.randrange(256)
            case 1:
                del out[at : at + dice.randint(1, 16)]
            case 2:
                out[at:at] = dice.randbytes(dice.randint(1, 8))
            case _:
                out = out[: max(1, at)]
    return bytes(out)


def broken_message(shape: Sequence[int], dice: random.Random) -> bytes:
    """A message broken in one or two of its parts."""
    head = header(shape, dice)
    written = json.dumps(head)
    payload = b"\x01\x01"
    match dice.randrange(9):
        case 0:
            return packed(with_value(head, dice.choice(HEADER_PLACES), dice.choice(ODD)))
        case 1:
            head = json.loads(json.dumps(head))
            dice.choice([head, head["strokes"][0], head["strokes"][0]["params"]])[
                dice.choice(["x", "", "id", "a b"])
            ] = 1
            return packed(with_value(head, dice.choice(HEADER_PLACES[10:]), dice.choice(ODD)))
        case 2:
            return packed(flipped(written.encode(), dice))
        case 3:
            return packed(written, flipped(payload, dice))
        case 4:
            return flipped(packed(written), dice)
        case 5:
            return packed(written, length=dice.choice([0, 1, len(written) - 1, len(written) + 1, 1 << 22, 0xFFFFFFFF]))
        case 6:
            raw = b"VXM1" + struct.pack("<I", len(written)) + written.encode() + payload
            twice = gzip.compress(gzip.compress(raw, mtime=0), mtime=0)
            return dice.choice([raw, b"\x28\xb5\x2f\xfd" + raw, zlib.compress(raw), twice])
        case 7:
            count = dice.randrange(256)
            values = bytes(dice.randrange(256) for _ in range(count or 256))
            bits = dice.choice([1, 2, 4, 8])
            chunk = bytes([count]) + values + dice.randbytes(4096 * bits)
            head["chunks"] = [[0, 0, 0, len(chunk) + dice.choice([0, 0, -1, 1])]]
            return packed(json.dumps(head), chunk)
        case _:
            head["chunks"] = [
                [dice.randint(-1, 3), dice.randint(-1, 3), dice.randint(-1, 3), dice.randint(0, 5)]
            ] * dice.randint(0, 3)
            return packed(json.dumps(head), payload * dice.randint(0, 3))


# Offset, format and odd values of fields of a NIfTI-1 header.
NIFTI_FIELDS: list[tuple[int, str, list[Any]]] = [
    (0, "<i", [0, 540, -1, 2**31 - 1]),
    (40, "<h", [0, 1, 2, 4, 7, 8, -1, 32767]),
    (42, "<h", [0, -1, 1, 32767]),
    (44, "<h", [0, -1, 32767]),
    (46, "<h", [0, -1, 32767]),
    (48, "<h", [0, 2, 32767, -5]),
    (70, "<h", [0, 1, 4, 16, 32, 64, 128, 256, 512, 1536, 2048, 2304, 9999, -1]),
    (72, "<h", [0, -8, 1, 24, 128]),
    (76, "<f", [0.0, -1.0, float("nan"), float("inf")]),
    (80, "<f", [0.0, -3.0, float("nan"), 1e30]),
    (108, "<f", [0.0, -352.0, 353.0, 1e9, 1e30, float("nan"), float("inf")]),
    (112, "<f", [float("nan"), float("inf"), 1e30, -1.0, 1e-40]),
    (116, "<f", [float("nan"), float("inf"), 1e30, 0.5]),
    (252, "<h", [-1, 9, 32767]),
    (254, "<h", [0, -1, 99]),
    (256, "<f", [float("nan"), 1e30]),
    (280, "<f", [float("nan"), float("inf"), 0.0, 1e30]),
    (296, "<f", [float("nan"), 0.0]),
    (344, "<4s", [b"ni1\0", b"n+2\0", b"\0\0\0\0", b"xxxx"]),
    (348, "<4s", [b"\1\0\0\0", b"\xff\xff\xff\xff"]),
]


def whole_nifti(shape: Sequence[int]) -> bytes:
    """A NIfTI-1 file of zeros, uint8, on no particular grid."""
    out = bytearray(352)
    struct.pack_into("<i", out, 0, 348)
    struct.pack_into("<8h", out, 40, 3, *reversed(shape), 1, 1, 1, 1)
    struct.pack_into("<2h", out, 70, 2, 8)
    struct.pack_into("<8f", out, 76, 1, 1, 1, 1, 1, 1, 1, 1)
    struct.pack_into("<3f", out, 108, 352, 1, 0)
    struct.pack_into("<2h", out, 252, 0, 1)
    for row in range(3):
        struct.pack_into("<f", out, 280 + 20 * row, 1)
    out[344:348] = b"n+1\0"
    return bytes(out) + bytes(int(np.prod(shape)))


def with_field(nifti: bytes, number: int, value: Any) -> bytes:
    """The file with another value in one field of its header."""
    offset, form, _ = NIFTI_FIELDS[number]
    out = bytearray(nifti)
    struct.pack_into(form, out, offset, value)
    return bytes(out)


def broken_nifti(shape: Sequence[int], dice: random.Random) -> bytes:
    """A `.nii.gz` broken in its header, its voxels, or its packing."""
    nifti = whole_nifti(shape)
    pack: Callable[[bytes], bytes] = lambda raw: gzip.compress(raw, 1, mtime=0)  # noqa: E731
    match dice.randrange(5):
        case 0 | 1:
            for _ in range(dice.randint(1, 3)):
                number = dice.randrange(len(NIFTI_FIELDS))
                nifti = with_field(nifti, number, dice.choice(NIFTI_FIELDS[number][2]))
            return pack(nifti)
        case 2:
            return flipped(pack(nifti), dice)
        case 3:
            return pack(flipped(nifti[:400], dice, 8) + nifti[400:])
        case _:
            return dice.choice(
                [nifti, pack(nifti[: dice.randrange(len(nifti))]), pack(nifti) + dice.randbytes(9), pack(b"")]
            )
