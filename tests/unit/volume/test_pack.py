"""The volume pack: lossless, bounded, and refused when it does not match its index."""

import json
from dataclasses import replace
from typing import Any

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voxloop.volume.errors import FormatError
from voxloop.volume.geometry import Geometry
from voxloop.volume.labelmap import decode_message
from voxloop.volume.pack import (
    PackEntry,
    PreviewEntry,
    VolumeIndex,
    decode_pack,
    decode_preview,
    decode_slice,
    encode_pack,
    encode_preview,
    pack_volume,
)


def noise(shape: tuple[int, int, int], low: Any = -1024, high: Any = 3071, dtype: Any = np.int16) -> Any:
    return np.random.default_rng(3).integers(low, high, shape, endpoint=True).astype(dtype)


@settings(max_examples=20, deadline=None)
@given(
    st.tuples(st.integers(1, 4), st.integers(1, 40), st.integers(1, 40)),
    st.sampled_from([(np.int16, -32768, 32767), (np.uint16, 0, 65535)]),
)
def test_every_value_survives(shape: tuple[int, int, int], kind: tuple[Any, int, int]) -> None:
    dtype, low, high = kind
    voxels = noise(shape, low, high, dtype)
    data, entry = encode_pack(voxels, threads=1)
    again = decode_pack(data, PackEntry.from_json(json.loads(json.dumps(entry.to_json()))), shape, threads=1)
    assert again.dtype == voxels.dtype
    assert np.array_equal(again, voxels)
    offset, length = entry.slices[-1]
    assert np.array_equal(decode_slice(data[offset : offset + length], entry, shape[1:]), voxels[-1])


def test_threads_do_not_change_the_bytes() -> None:
    voxels = noise((9, 30, 30))
    assert encode_pack(voxels, threads=1) == encode_pack(voxels, threads=3)


def test_another_pack_is_refused() -> None:
    voxels = noise((3, 16, 16))
    data, entry = encode_pack(voxels)
    for wrong in (data[:-1], data[:-1] + b"\x00", data + b"\x00"):
        with pytest.raises(FormatError):
            decode_pack(wrong, entry, voxels.shape)
    with pytest.raises(FormatError):
        decode_pack(data, entry, (3, 16, 17))
    with pytest.raises(FormatError):
        decode_pack(data, entry, (4, 16, 16))
    with pytest.raises(FormatError):
        decode_slice(b"no codestream", entry, (16, 16))
    with pytest.raises(FormatError):
        decode_slice(data[: entry.slices[0][1]], replace(entry, dtype="uint16"), (16, 16))


@pytest.mark.parametrize(
    "change",
    [
        {"slices": [[0, 10], [11, 5]]},
        {"slices": [[0, 10]]},
        {"slices": [[0, -1], [-1, 17]]},
        {"slices": [[0]]},
        {"codec": "jpeg"},
        {"dtype": "float32"},
        {"bytes": None},
    ],
)
def test_a_pack_index_that_does_not_add_up_is_refused(change: Any) -> None:
    good = {"bytes": 16, "sha256": "0", "codec": "htj2k", "dtype": "int16", "slices": [[0, 10], [10, 6]]}
    assert PackEntry.from_json(good).bytes == 16
    with pytest.raises(FormatError):
        PackEntry.from_json(good | change)


def voxels_of(data: bytes, entry: PreviewEntry) -> Any:
    ends = np.cumsum(entry.lengths)
    slices = [imagecodecs.htj2k_decode(data[end - n : end]) for n, end in zip(entry.lengths, ends, strict=True)]
    return np.stack(slices)


def test_preview_is_near_the_mean_of_blocks_and_keeps_to_its_size() -> None:
    zyx = np.mgrid[0:7, 0:100, 0:90]
    voxels = (-900 + 8 * zyx[1] + 3 * zyx[2] + noise((7, 100, 90), -40, 40)).astype(np.int16)
    data, entry = encode_preview(voxels, (4.0, 1.0, 1.0), most_bytes=6000)
    assert len(data) == entry.bytes <= 6000
    assert entry.step_zyx[0] <= entry.step_zyx[1]
    values = voxels_of(data, entry)
    assert values.dtype == np.uint8
    assert values.shape == entry.shape_zyx
    sz, sy, sx = entry.step_zyx
    means = np.array(
        [
            [[voxels[z : z + sz, y : y + sy, x : x + sx].mean() for x in range(0, 90, sx)] for y in range(0, 100, sy)]
            for z in range(0, 7, sz)
        ]
    )
    off = values * float(entry.hu_step) + entry.hu_lo - means
    np.testing.assert_array_equal(decode_preview(data, entry), values * float(entry.hu_step) + entry.hu_lo)
    assert np.sqrt((off**2).mean()) < 30
    assert abs(off.mean()) < entry.hu_step / 2


def test_a_small_volume_has_a_preview_of_every_voxel() -> None:
    voxels = noise((5, 20, 20), -1000, 400)
    assert encode_preview(voxels, (1.0, 1.0, 1.0))[1].step_zyx == (1, 1, 1)


def test_what_an_index_says_of_a_preview_comes_back_and_must_add_up() -> None:
    _, entry = encode_preview(noise((2, 8, 8)), (1.0, 1.0, 1.0))
    document = json.loads(json.dumps(entry.to_json()))
    assert PreviewEntry.from_json(document) == entry
    changes: list[dict[str, Any]] = [
        {"lengths": []},
        {"lengths": [1, 2]},
        {"lengths": [entry.bytes + 1, -1]},
        {"codec": "gzip"},
        {"codec": "jpeg"},
        {"lengths": None},
    ]
    for change in changes:
        with pytest.raises(FormatError):
            PreviewEntry.from_json(document | change)
    before = {name: value for name, value in document.items() if name not in ("codec", "lengths")}
    kept = PreviewEntry.from_json(before)
    assert kept.codec == "gzip"
    assert kept.to_json() == before


def test_packed_volume_with_lungs() -> None:
    hu = np.full((30, 90, 90), 40, np.int16)
    for side in (8, 52):
        hu[3:27, 15:75, side : side + 28] = -850
    shares: list[float] = []
    packed = pack_volume(hu, Geometry.axial(hu.shape, (5.0, 3.0, 3.0)), "CT", on_progress=shares.append)
    index = VolumeIndex.from_json(json.loads(json.dumps(packed.index.to_json())))
    assert index == packed.index
    assert np.array_equal(decode_pack(packed.pack, index.pack, hu.shape), hu)
    assert index.limit.background_hu == -850
    limit = decode_message(packed.limit, hu.shape)
    assert limit.layer == "limit"
    assert np.array_equal(limit.labels() == 1, hu == -850)
    assert index.hu_range == (-850, 40)
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_an_x_ray_is_one_slice_without_a_limit() -> None:
    voxels = noise((1, 60, 50), 0, 4095, np.uint16)
    packed = pack_volume(voxels, Geometry.axial(voxels.shape, (1.0, 0.2, 0.2)), "DX")
    assert packed.limit is None
    assert packed.index.to_json()["limit"] is None
    assert packed.index.pack.dtype == "uint16"


def test_an_incomplete_index_is_refused() -> None:
    packed = pack_volume(noise((2, 8, 8)), Geometry.axial((2, 8, 8), (1.0, 1.0, 1.0)), "CT")
    whole = packed.index.to_json()
    for field in set(whole) - {"seal"}:
        with pytest.raises(FormatError):
            VolumeIndex.from_json({k: v for k, v in whole.items() if k != field})
