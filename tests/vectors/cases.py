"""How the tests in Python read the vectors that both sides are held to."""

import base64
import gzip
from typing import Any

import numpy as np
import pytest


def unpacked(text: str, shape: list[int], dtype: str = "u1") -> np.ndarray:
    """Voxels of a vector."""
    return np.frombuffer(gzip.decompress(base64.b64decode(text)), dtype).reshape(shape)


def by_name(cases: list[dict[str, Any]]) -> pytest.MarkDecorator:
    """One test for each case, called by its name."""
    return pytest.mark.parametrize("case", cases, ids=[c["name"] for c in cases])
