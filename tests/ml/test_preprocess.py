"""From HU to what a network sees, and back."""

import dataclasses

import numpy as np
import pytest

from mlservice.preprocess import IGNORED, bcet, grid_for, lung_box, prepare_image, prepare_labels
from mlservice.resample import resample_linear
from tests.ml.bodies import NODULE, OPACITY, tiny


def test_the_window_is_scaled_to_one():
    config = tiny("demo")
    hu = np.array([[[-2000, -1250, -500, 250, 3000]]], np.int16)
    grid = grid_for(config, hu.shape, (4.0, 1.8, 1.8), None)
    assert prepare_image(hu, config, grid).ravel() == pytest.approx([0, 0, 0.5, 1, 1])


def test_bcet_keeps_the_range_and_sets_the_mean():
    random = np.random.default_rng(1)
    image = random.beta(2, 5, size=(3, 40, 40)).astype(np.float32)
    image[:, 0, 0], image[:, 0, 1] = 0, 1
    result = bcet(image)
    assert result.min() == pytest.approx(0, abs=1e-5)
    assert result.max() == pytest.approx(1, abs=1e-5)
    assert result.mean(axis=(1, 2)) == pytest.approx([110 / 255] * 3, abs=0.02)
    assert bcet(np.full((1, 4, 4), 0.3, np.float32)) == pytest.approx(0.3)


def test_segments_that_are_no_class_teach_nothing():
    config = tiny("demo", classes=(NODULE,))
    labels = np.array([[[0, OPACITY.id, NODULE.id]]], np.uint8)
    grid = grid_for(config, labels.shape, (4.0, 1.8, 1.8), None)
    assert prepare_labels(labels, config, grid).ravel().tolist() == [0, IGNORED, 1]


def test_the_box_of_the_lungs_has_a_margin_in_plane_and_ends_at_the_edge():
    lungs = np.zeros((10, 50, 50), bool)
    lungs[2:5, 20:30, 3:40] = True
    assert lung_box(lungs, (4.0, 2.0, 2.0)) == ((2, 10, 0), (5, 40, 50))


def test_labels_and_image_are_resampled_to_one_grid():
    config = dataclasses.replace(tiny("demo"), spacing_mm_zyx=(0.0, 1.8, 1.8))
    hu = np.full((4, 64, 64), -1250, np.int16)
    labels = np.zeros((4, 64, 64), np.uint8)
    hu[:, 20:40, 24:44] = 250
    labels[:, 20:40, 24:44] = OPACITY.id
    grid = grid_for(config, hu.shape, (4.0, 0.9, 0.9), None)
    assert grid.shape_zyx == (4, 32, 32)
    image, channels = prepare_image(hu, config, grid), prepare_labels(labels, config, grid)
    assert np.array_equal(image > 0.5, channels == 1)


def test_a_grid_close_enough_is_kept():
    assert not grid_for(tiny("demo"), (4, 64, 64), (4.0, 1.75, 1.75), None).is_resampled
    assert grid_for(tiny("lesion-2d"), (4, 96, 90), (4.0, 1.75, 1.75), None).shape_zyx == (4, 64, 64)


def test_resampling_keeps_a_ramp():
    ramp = np.broadcast_to(np.arange(64, dtype=np.float32), (4, 8, 64)).copy()
    small = resample_linear(ramp, (4, 8, 16))
    assert small[0, 0] == pytest.approx(np.arange(16) * 4 + 1.5, abs=1e-4)
