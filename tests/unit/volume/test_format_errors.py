"""Stored descriptions that are not what was stored: refused with a code, whatever is wrong with them."""

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxloop.volume.errors import FormatError
from voxloop.volume.geometry import Geometry
from voxloop.volume.labelmap import CHUNK, EMPTY_PAYLOAD, decode_chunk, encode_chunk, join_labelmap
from voxloop.volume.pack import VolumeIndex, pack_volume
from voxloop.volume.probability import ProbabilityEntry, encode_probability

SHAPE = (4, 16, 20)
VOXELS = np.random.default_rng(1).integers(-1000, 400, SHAPE).astype(np.int16)
INDEX = pack_volume(VOXELS, Geometry.axial(SHAPE, (2.0, 1.0, 1.0)), "CT", threads=1).index.to_json()
ODD = st.sampled_from([None, "x", -1, 0, 1.5, [], {}, "0", True, [1], 10**30, float("nan")])


def paths_of(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a document, whole lists and tables too."""
    if isinstance(document, list):
        document = dict(enumerate(document))
    for name, value in document.items() if isinstance(document, dict) else ():
        yield (*path, name)
        yield from paths_of(value, (*path, name))


PATHS = sorted(set(paths_of(INDEX)), key=str)


def changed(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    found = copy.deepcopy(document)
    part = found
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    return found


def test_an_index_comes_back_as_it_was() -> None:
    assert VolumeIndex.from_json(INDEX).to_json() == INDEX
    assert len(PATHS) > 30


@given(st.sampled_from(PATHS), ODD)
def test_no_change_of_an_index_goes_unnoticed(path: tuple[Any, ...], value: Any) -> None:
    try:
        found = VolumeIndex.from_json(changed(INDEX, path, value))
    except FormatError as error:
        refused = error
    else:
        assert found == VolumeIndex.from_json(INDEX)  # another way to write the same: true for 1, "4" for 4
        return
    assert refused.code in {"bad_pack", "bad_geometry", "sheared_geometry"}
    assert refused.message.endswith(".")


@pytest.mark.parametrize("name", sorted(INDEX))
def test_an_index_that_lacks_something(name: str) -> None:
    document = {key: value for key, value in INDEX.items() if key != name}
    if name == "seal":  # of before indexes were sealed
        assert VolumeIndex.from_json(document).to_json() == INDEX
        return
    with pytest.raises(FormatError) as refused:
        VolumeIndex.from_json(document)
    assert refused.value.code in {"bad_pack", "bad_geometry"}


@pytest.mark.parametrize("document", [None, [], "x", 7, {}])
def test_what_is_no_index_at_all(document: Any) -> None:
    with pytest.raises(FormatError):
        VolumeIndex.from_json(document)


def sheared(by: float) -> np.ndarray:
    matrix = np.diag([1.0, 1.0, 2.0, 1.0])
    matrix[0, 1] = by
    matrix[:3, 1] /= np.linalg.norm(matrix[:3, 1])
    return matrix


@pytest.mark.parametrize(
    ("shape", "matrix", "code"),
    [
        (SHAPE, sheared(0.02), "sheared_geometry"),
        (SHAPE, np.diag([1.0, 1.0, 0.0, 1.0]), "bad_geometry"),
        (SHAPE, np.diag([1.0, 1.0, 1.0, 2.0]), "bad_geometry"),
        (SHAPE, np.full((4, 4), np.nan), "bad_geometry"),
        (SHAPE, np.eye(3), "bad_geometry"),
        ((0, 16, 20), np.eye(4), "bad_geometry"),
        ((4, 16, 65536), np.eye(4), "bad_geometry"),
    ],
)
def test_a_grid_that_is_none(shape: Any, matrix: Any, code: str) -> None:
    with pytest.raises(FormatError) as refused:
        Geometry.from_lps_affine(shape, matrix)
    assert refused.value.code == code


def test_a_grid_that_is_almost_straight_is_one() -> None:
    assert Geometry.from_lps_affine(SHAPE, sheared(0.005)).shape_zyx == SHAPE


ENTRY = {"bytes": 10, "shape_zyx": [4, 8, 10], "step_zyx": [1, 2, 2]}


@pytest.mark.parametrize("path", sorted(set(paths_of(ENTRY)), key=str))
@pytest.mark.parametrize("value", [None, "x", 0, -1, [], {}])
def test_a_probability_map_of_impossible_size(path: Any, value: Any) -> None:
    with pytest.raises(FormatError) as refused:
        ProbabilityEntry.from_json(changed(ENTRY, path, value))
    assert refused.value.code == "bad_probability"


@pytest.mark.parametrize(
    "values", [np.zeros((4, 8, 9), np.uint8), np.zeros((4, 8, 10), np.int16), np.zeros((4, 8, 10, 1), np.uint8)]
)
def test_a_probability_map_on_another_grid(values: Any) -> None:
    with pytest.raises(FormatError) as refused:
        encode_probability(values, (1, 2, 2), SHAPE)
    assert refused.value.code == "bad_probability"
    assert encode_probability(np.zeros((4, 8, 10), np.uint8), (1, 2, 2), SHAPE)[1].shape_zyx == (4, 8, 10)


def two_values() -> bytes:
    voxels = np.zeros((CHUNK, CHUNK, CHUNK), np.uint8)
    voxels[0, 0, 0] = 7
    return encode_chunk(voxels)


BROKEN_CHUNKS = {
    "nothing": b"",
    "no values": b"\x01",
    "too short": two_values()[:-1],
    "too long": two_values() + b"\0",
    "values not in order": two_values()[:1] + b"\x07\x00" + two_values()[3:],
    "a value twice": two_values()[:1] + b"\x07\x07" + two_values()[3:],
    "an index without a value": b"\x03\x00\x01\x02" + b"\xff" * (CHUNK**3 // 4),
}


@pytest.mark.parametrize("payload", BROKEN_CHUNKS.values(), ids=BROKEN_CHUNKS.keys())
def test_a_chunk_that_is_none(payload: bytes) -> None:
    with pytest.raises(FormatError) as refused:
        decode_chunk(payload)
    assert refused.value.code == "bad_chunk"


@pytest.mark.parametrize("index", [(-1, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)])
def test_a_chunk_outside_its_labelmap(index: Any) -> None:
    with pytest.raises(FormatError) as refused:
        join_labelmap({index: EMPTY_PAYLOAD}, SHAPE)
    assert refused.value.code == "bad_chunk"


@pytest.mark.parametrize("at", [(4, 0, 0), (0, 16, 0), (0, 0, 20), (31, 31, 31)])
def test_a_voxel_beyond_the_edge(at: Any) -> None:
    voxels = np.zeros((CHUNK, CHUNK, CHUNK), np.uint8)
    voxels[at] = 1
    with pytest.raises(FormatError) as refused:
        join_labelmap({(0, 0, 0): encode_chunk(voxels)}, SHAPE)
    assert refused.value.code == "bad_chunk"
    voxels[at], voxels[3, 15, 19] = 0, 1
    assert join_labelmap({(0, 0, 0): encode_chunk(voxels)}, SHAPE)[3, 15, 19] == 1
