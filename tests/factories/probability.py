"""The reader of a probability map, as the viewer has it."""

import gzip

import numpy as np
import numpy.typing as npt

from voxloop.volume.probability import ProbabilityEntry


def decode_probability(data: bytes, entry: ProbabilityEntry) -> npt.NDArray[np.uint8]:
    """The voxels (uint8, zyx) of a stored map."""
    assert len(data) == entry.bytes
    return np.frombuffer(gzip.decompress(data), np.uint8).reshape(entry.shape_zyx)
