"""A cheap embedding of a scan, without a model."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]

WINDOW_HU = (-1250, 250)
BINS, SIDE = 32, 8


def embed(hu_zyx: npt.NDArray[np.int16]) -> Numbers:
    """32 + 64 + 64 numbers: the square root of the HU histogram, and mean projections along z and y."""
    step = tuple(max(1, n // 64) for n in hu_zyx.shape)
    low, high = WINDOW_HU
    small = np.clip(hu_zyx[:: step[0], :: step[1], :: step[2]].astype(np.float64), low, high)
    histogram = np.histogram(small, bins=BINS, range=(low, high))[0] / small.size
    scaled = (small - low) / (high - low)
    projections = [_blocks(scaled.mean(axis=axis)).reshape(-1) for axis in (0, 1)]
    return np.concatenate([np.sqrt(histogram), *projections])


def _blocks(image: Numbers) -> Numbers:
    rows, columns = (np.linspace(0, n, SIDE + 1).astype(int) for n in image.shape)
    return np.array(
        [
            [image[a : max(b, a + 1), c : max(d, c + 1)].mean() for c, d in itertools.pairwise(columns)]
            for a, b in itertools.pairwise(rows)
        ]
    )
