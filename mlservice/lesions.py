"""Findings one by one: how much of each was marked, and which marks touch none."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy import ndimage

from mlservice.contract.results import Lesion, ScanScore, SizeScore
from mlservice.scans import Mask, volume_ml

LEAST_ML = 0.1  # smaller ones are crumbs of an edge
SIZES_ML: tuple[tuple[float, float | None], ...] = ((0.1, 1.0), (1.0, 10.0), (10.0, 50.0), (50.0, None))
FOUND = 0.1  # share of a finding that must be marked


def measure_lesions(
    truth_zyx: Mask, said_zyx: Mask, spacing_mm_zyx: tuple[float, float, float]
) -> tuple[tuple[Lesion, ...], int]:
    """Every connected finding with the share that is marked, and the number of marks that touch none."""
    labels, count = ndimage.label(truth_zyx)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    marked = np.bincount(labels[said_zyx], minlength=count + 1)
    amounts = [volume_ml(int(size), spacing_mm_zyx) for size in sizes]
    lesions = tuple(
        Lesion(amounts[number], float(marked[number] / sizes[number]))
        for number in range(1, count + 1)
        if amounts[number] >= LEAST_ML
    )
    marks, marks_count = ndimage.label(said_zyx)
    touching = np.zeros(marks_count + 1, bool)
    touching[np.unique(marks[truth_zyx & said_zyx])] = True
    mark_sizes = np.bincount(marks.ravel(), minlength=marks_count + 1)
    is_mark = np.array([volume_ml(int(size), spacing_mm_zyx) >= LEAST_ML for size in mark_sizes])
    return lesions, int((is_mark & ~touching)[1:].sum())


def group_by_size(scores: Iterable[ScanScore]) -> tuple[SizeScore, ...]:
    """The findings of all scans, by size; sizes without one are left out."""
    lesions = [lesion for score in scores for lesion in score.lesions]
    groups = []
    for low, high in SIZES_ML:
        shares = [each.marked for each in lesions if low <= each.ml < (high or float("inf"))]
        if shares:
            found = sum(share >= FOUND for share in shares)
            groups.append(SizeScore(low, high, len(shares), found, float(np.mean(shares))))
    return tuple(groups)
