"""Conversion from HU to network input, and back."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from mlservice.contract import ScanRef
from mlservice.preprocess import (
    IGNORED,
    UNNAMED,
    bcet,
    grid_for,
    lung_box,
    lungs_for,
    prepare_image,
    prepare_labels,
    prepare_limit,
    prepare_scan,
)
from mlservice.resample import resample_linear
from tests.ml.bodies import NODULE, OPACITY, make_scan, tiny
from voxloop.child.inside import ChildFolder
from voxloop.volume.growing import lung_limit
from voxloop.volume.phantom import make_phantom


def test_the_window_is_scaled_to_one() -> None:
    config = tiny("demo")
    hu = np.array([[[-2000, -1250, -500, 250, 3000]]], np.int16)
    grid = grid_for(config, hu.shape, (4.0, 1.8, 1.8), None)
    assert prepare_image(hu, config, grid).ravel() == pytest.approx([0, 0, 0.5, 1, 1])


def test_bcet_keeps_the_range_and_sets_the_mean() -> None:
    random = np.random.default_rng(1)
    image = random.beta(2, 5, size=(3, 40, 40)).astype(np.float32)
    image[:, 0, 0], image[:, 0, 1] = 0, 1
    result = bcet(image)
    assert result.min() == pytest.approx(0, abs=1e-5)
    assert result.max() == pytest.approx(1, abs=1e-5)
    assert result.mean(axis=(1, 2)) == pytest.approx([110 / 255] * 3, abs=0.02)
    assert bcet(np.full((1, 4, 4), 0.3, np.float32)) == pytest.approx(0.3)


@pytest.mark.parametrize(("name", "value"), [("demo", UNNAMED), ("lesion-3d", IGNORED)])
def test_a_segment_that_is_no_class_is_a_finding_without_a_name_or_teaches_nothing(name: str, value: int) -> None:
    config = tiny(name, classes=(NODULE,), spacing_mm_zyx=(4.0, 1.8, 1.8))
    labels = np.array([[[0, OPACITY.id, NODULE.id]]], np.uint8)
    grid = grid_for(config, labels.shape, (4.0, 1.8, 1.8), None)
    assert prepare_labels(labels, config, grid).ravel().tolist() == [0, value, 1]


def test_the_box_of_the_lungs_has_a_margin_in_plane_and_ends_at_the_edge() -> None:
    lungs = np.zeros((10, 50, 50), bool)
    lungs[2:5, 20:30, 3:40] = True
    assert lung_box(lungs, (4.0, 2.0, 2.0)) == ((2, 10, 0), (5, 40, 50))


def test_labels_and_image_are_resampled_to_one_grid() -> None:
    config = msgspec.structs.replace(tiny("demo"), spacing_mm_zyx=(0.0, 1.8, 1.8))
    hu = np.full((4, 64, 64), -1250, np.int16)
    labels = np.zeros((4, 64, 64), np.uint8)
    hu[:, 20:40, 24:44] = 250
    labels[:, 20:40, 24:44] = OPACITY.id
    grid = grid_for(config, hu.shape, (4.0, 0.9, 0.9), None)
    assert grid.shape_zyx == (4, 32, 32)
    image, channels = prepare_image(hu, config, grid), prepare_labels(labels, config, grid)
    assert np.array_equal(image > 0.5, channels == 1)


def test_a_grid_close_enough_is_kept() -> None:
    assert not grid_for(tiny("demo"), (4, 64, 64), (4.0, 1.75, 1.75), None).is_resampled
    assert grid_for(tiny("lesion-2d"), (4, 96, 90), (4.0, 1.75, 1.75), None).shape_zyx == (4, 64, 64)


def test_resampling_keeps_a_ramp() -> None:
    ramp = np.broadcast_to(np.arange(64, dtype=np.float32), (4, 8, 64)).copy()
    small = resample_linear(ramp, (4, 8, 16))
    assert small[0, 0] == pytest.approx(np.arange(16) * 4 + 1.5, abs=1e-4)


def test_the_limit_is_resampled_like_the_image_and_all_ones_without_one() -> None:
    config = tiny("demo")
    lungs = np.zeros((4, 64, 64), bool)
    lungs[1:3, 16:48, 16:48] = True
    grid = grid_for(config, lungs.shape, (4.0, 0.9, 0.9), lungs)
    limit = prepare_limit(lungs, grid)
    assert limit.shape == grid.shape_zyx
    assert limit.sum() * 4 == lungs.sum()
    assert set(np.unique(limit)) == {0, 1}
    assert (prepare_limit(None, grid_for(config, lungs.shape, (4.0, 0.9, 0.9), None)) == 1).all()


def test_a_limit_is_prepared_for_models_that_take_it(tmp_path: Path) -> None:
    scans = [make_scan(tmp_path, f"s{n}", n, lungs=n == 0) for n in range(2)]
    into, job = tmp_path / "prepared", ChildFolder(tmp_path)
    folders = [prepare_scan(scan, job, tiny("demo"), into) for scan in scans]
    assert [(folder / "limit.npy").exists() for folder in folders] == [True, False]
    assert np.load(folders[0] / "limit.npy").shape == np.load(folders[0] / "image.npy").shape
    assert np.load(folders[0] / "spacing.npy") == pytest.approx((4.0, 1.8, 1.8), rel=0.05)
    plain = prepare_scan(scans[0], job, tiny("lesion-3d"), tmp_path / "plain")
    assert not (plain / "limit.npy").exists()


def test_a_limit_that_no_folder_holds_is_computed_for_models_that_take_it(tmp_path: Path) -> None:
    phantom = make_phantom(4, "A", (24, 96, 96))
    scan = ScanRef("s", "A", str(tmp_path), phantom.geometry.spacing_mm_zyx)
    job, known = ChildFolder(tmp_path), lung_limit(phantom.hu_zyx, scan.spacing_mm_zyx)[0]
    assert known is not None
    assert np.array_equal(lungs_for(tiny("demo"), phantom.hu_zyx, scan, job), known)
    assert lungs_for(tiny("lesion-3d"), phantom.hu_zyx, scan, job) is None
    np.save(tmp_path / "lungs.npy", (phantom.lungs_zyx > 0).astype(np.uint8))
    for name in ("demo", "lesion-3d"):
        assert np.array_equal(lungs_for(tiny(name), phantom.hu_zyx, scan, job), phantom.lungs_zyx > 0)
    (tmp_path / "lungs.npy").unlink()
    assert lungs_for(tiny("demo"), np.full((4, 8, 8), 40, np.int16), scan, job) is None
