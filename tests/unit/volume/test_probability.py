"""The coarse probability map: a round trip, the shared vector, and what is refused."""

import base64
import json

import numpy as np
import pytest

from tests.factories.probability import decode_probability
from tests.vectors.make_codecs import FOLDER
from voxloop.volume.errors import FormatError
from voxloop.volume.probability import LEAST_VALUE, ProbabilityEntry, encode_probability


def test_a_map_comes_back_without_its_noise() -> None:
    values = np.random.default_rng(1).integers(0, 256, (5, 4, 3)).astype(np.uint8)
    data, entry = encode_probability(values, (1, 2, 3), (5, 7, 9))
    back = decode_probability(data, entry)
    assert np.array_equal(back, np.where(values < LEAST_VALUE, 0, values))
    assert ProbabilityEntry.from_json(json.loads(json.dumps(entry.to_json()))) == entry
    assert entry.bytes == len(data)


def test_the_vector_is_read_and_written_as_it_says() -> None:
    case = json.loads((FOLDER / "probability.json").read_text())
    entry = ProbabilityEntry.from_json(case["facts"])
    values = decode_probability(base64.b64decode(case["message_b64"]), entry)
    assert values.ravel().tolist() == case["values"]
    data, again = encode_probability(values, entry.step_zyx, tuple(case["scan_shape_zyx"]))
    assert np.array_equal(decode_probability(data, again), values)


@pytest.mark.parametrize(
    ("values", "step"),
    [
        (np.zeros((5, 4, 3), np.float32), (1, 2, 3)),
        (np.zeros((5, 4, 4), np.uint8), (1, 2, 3)),
        (np.zeros((5, 4, 3), np.uint8), (1, 2, 2)),
    ],
)
def test_a_map_of_another_grid_is_refused(values: np.ndarray, step: tuple[int, int, int]) -> None:
    with pytest.raises(FormatError):
        encode_probability(values, step, (5, 7, 9))


def test_what_is_no_map_is_refused() -> None:
    _, entry = encode_probability(np.zeros((2, 2, 2), np.uint8), (1, 1, 1), (2, 2, 2))
    for broken in ({}, {**entry.to_json(), "shape_zyx": [0, 1, 1]}, {**entry.to_json(), "step_zyx": [1]}):
        with pytest.raises(FormatError):
            ProbabilityEntry.from_json(broken)
