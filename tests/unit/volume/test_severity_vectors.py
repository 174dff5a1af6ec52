"""The severity score of the browser and of Python are tested with the same vectors."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voxloop.volume.quantities import lobar_score

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "severity.json").read_text("utf-8"))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["total"]))
def test_grades_and_word(vector: dict[str, Any]) -> None:
    lobes = np.repeat(np.arange(1, 6, dtype=np.uint8), 10_000)
    opacity = np.concatenate([np.arange(10_000) < round(share * 100) for share in vector["shares"]])
    score = lobar_score(opacity, lobes)
    assert (list(score.grades), score.total, score.word) == (vector["grades"], vector["total"], vector["word"])
