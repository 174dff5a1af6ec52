"""Quantities of a report, against figures worked out by hand."""

from typing import Any

import numpy as np
import pytest

from voxloop.volume.quantities import (
    extent_percent,
    find_lesions,
    lobar_score,
    opacity_of,
    segment_volumes_ml,
    weight_g,
)

SPACING = (5.0, 2.0, 1.0)  # 0.01 mL a voxel
SHAPE = (10, 20, 30)


@pytest.fixture
def labels() -> Any:
    labels = np.zeros(SHAPE, np.uint8)
    labels[2:4, 5:10, 5:15] = 1  # 100 voxels
    labels[4, 10, 15] = 1  # touches by a corner: the same lesion
    labels[8, 0:2, 0:2] = 1  # another
    labels[6, 10:12, 20:25] = 4
    labels[0] = 255
    return labels


def test_volumes(labels: np.ndarray) -> None:
    assert segment_volumes_ml(labels, SPACING) == pytest.approx({1: 1.05, 4: 0.1})


def test_lesions(labels: np.ndarray) -> None:
    hu = np.full(SHAPE, -500, np.int16)
    hu[8] = 20
    lesions = find_lesions(labels, hu, SPACING)
    assert [(lesion.segment, round(lesion.volume_ml, 3)) for lesion in lesions] == [(1, 1.01), (4, 0.1), (1, 0.04)]
    assert lesions[0].slices == (2, 4)
    assert lesions[2].mean_hu == 20
    assert lesions[2].centroid_ijk == (0.5, 0.5, 8.0)


def test_extent_and_weight(labels: np.ndarray) -> None:
    lungs = np.zeros(SHAPE, np.bool_)
    lungs[2:4] = True  # 1200 voxels
    opacity = opacity_of(labels, (1, 4))
    assert extent_percent(opacity, lungs) == pytest.approx(100 * 100 / 1200)
    assert extent_percent(opacity, np.zeros(SHAPE, np.bool_)) == 0
    hu = np.full(SHAPE, -400, np.int16)
    hu[8] = -1024
    assert weight_g(opacity, hu, SPACING) == pytest.approx(111 * 0.01 * 0.6)


@pytest.mark.parametrize(
    ("percent", "grade"),
    [(0, 0), (0.5, 1), (4.5, 1), (5, 2), (25, 2), (25.5, 3), (50, 3), (51, 4), (75, 4), (76, 5), (100, 5)],
)
def test_grade_of_a_lobe(percent: float, grade: Any) -> None:
    lobes = np.ones((1, 20, 10), np.uint8)
    opacity = np.zeros((1, 20, 10), np.bool_)
    opacity.reshape(-1)[: round(percent * 2)] = True
    score = lobar_score(opacity, lobes)
    assert score.grades == (grade, 0, 0, 0, 0)
    assert score.share_percent[0] == percent


def test_words_of_severity() -> None:
    lobes = np.repeat(np.arange(1, 6, dtype=np.uint8), 100).reshape(1, 5, 100)
    words = []
    for per_lobe in (0, 1, 10, 60, 100):
        opacity = np.zeros((1, 5, 100), np.bool_)
        opacity[:, :, :per_lobe] = True
        score = lobar_score(opacity, lobes)
        words.append((score.total, score.word))
    assert words == [(0, "none"), (5, "mild"), (10, "moderate"), (20, "severe"), (25, "severe")]
