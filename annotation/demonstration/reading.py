"""Simulate a reader's mask from the ground truth: correct segments, slightly wrong edges."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

Labels = npt.NDArray[np.uint8]
WAVE_MM = 9.0  # correlation length of a reader's error along the edge
EDGE_ERROR_MM = 1.0  # standard deviation of the error


def read_like_a_person(truth_zyx: Labels, spacing_mm_zyx: tuple[float, float, float], seed: int) -> Labels:
    """Move the edge of each marked region in and out by about a millimetre; deterministic by seed.

    `truth_zyx` holds 0 and segment ids; so does the result. Two experts differ more than this (topff2023), so the model
    does not learn an unrealistic precision."""
    marked = truth_zyx > 0
    if not marked.any():
        return truth_zyx.copy()
    window = _window(marked, 4)
    truth = truth_zyx[window]
    inside = truth > 0
    distance = ndi.distance_transform_edt(inside, sampling=spacing_mm_zyx) - ndi.distance_transform_edt(
        ~inside, sampling=spacing_mm_zyx
    )
    wave = ndi.gaussian_filter(
        np.random.default_rng(seed).standard_normal(truth.shape), [WAVE_MM / step for step in spacing_mm_zyx]
    )
    wave *= EDGE_ERROR_MM / max(float(wave.std()), 1e-9)
    read = distance > wave
    # An added voxel gets the segment of the nearest true voxel.
    nearest: Any = ndi.distance_transform_edt(
        ~inside, sampling=spacing_mm_zyx, return_distances=False, return_indices=True
    )
    labels = np.zeros_like(truth_zyx)
    labels[window] = np.where(read, truth[tuple(nearest)], 0)
    return labels


def _window(marked: npt.NDArray[np.bool_], margin: int) -> tuple[slice, ...]:
    """The box around all marked voxels, with a margin, within the volume."""
    box = ndi.find_objects(marked.astype(np.uint8))[0]
    return tuple(
        slice(max(0, part.start - margin), min(size, part.stop + margin))
        for part, size in zip(box, marked.shape, strict=True)
    )
