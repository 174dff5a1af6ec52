"""Parts of training and prediction that a whole run hides: losses, probabilities, islands, margins, files."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mlservice.contract import ScanRef
from mlservice.fitting import Fitting
from mlservice.inference import near_lungs
from mlservice.losses import supervised_loss
from mlservice.networks import build_network, count_parameters, probabilities
from mlservice.patches import PatchSampler
from mlservice.predict import _paste, coarsen, drop_islands, find, mean_top_entropy
from mlservice.preprocess import IGNORED
from mlservice.resample import resample_linear
from mlservice.scans import load_labels, load_lungs, load_volume, volume_ml
from tests.ml.bodies import NODULE, OPACITY, SHAPE, make_scan, plain
from voxloop.child import ContractError
from voxloop.child.inside import ChildFolder

TWO = {"classes": (OPACITY, NODULE)}


def logits_of(truth: Any, channels: int, strength: float = 20.0) -> torch.Tensor:
    """Logits of a network that is sure of `truth` (batch, y, x)."""
    one_hot = torch.nn.functional.one_hot(truth, channels).movedim(-1, 1).float()
    return (one_hot - 0.5) * strength


@pytest.mark.parametrize("name", ["demo", "lesion-2d"])
def test_the_loss_is_small_where_the_network_is_right_and_large_where_not(name: str) -> None:
    config = plain(name, **TWO)
    truth = torch.randint(0, 3, (2, 16, 16), generator=torch.Generator().manual_seed(1))
    right, wrong = logits_of(truth, 3), logits_of((truth + 1) % 3, 3)
    assert float(supervised_loss(right, truth, config)) < 0.01
    assert float(supervised_loss(wrong, truth, config)) > 1


@pytest.mark.parametrize("name", ["demo", "lesion-2d"])
def test_ignored_voxels_do_not_change_the_loss(name: str) -> None:
    config = plain(name, **TWO)
    truth = torch.randint(0, 3, (2, 16, 16), generator=torch.Generator().manual_seed(1))
    truth[:, 8:] = IGNORED
    logits = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    other = logits.clone()
    other[:, :, 8:] = 100 * torch.randn(2, 3, 8, 16)
    assert float(supervised_loss(logits, truth, config)) == pytest.approx(
        float(supervised_loss(other, truth, config)), rel=1e-5
    )


@pytest.mark.parametrize("name", ["demo", "lesion-2d"])
def test_a_batch_without_any_known_voxel_has_a_finite_loss(name: str) -> None:
    config = plain(name, **TWO)
    truth = torch.full((2, 8, 8), IGNORED)
    assert math.isfinite(float(supervised_loss(torch.randn(2, 3, 8, 8), truth, config)))


def test_a_patch_without_a_finding_is_no_miss_of_the_others() -> None:
    """Overlap counts over the batch: an empty patch beside a perfect one costs nothing."""
    config = plain("demo")
    truth = torch.zeros(2, 16, 16, dtype=torch.long)
    truth[0, :8] = 1
    assert float(supervised_loss(logits_of(truth, 2), truth, config)) < 0.01


def test_coarser_levels_count_half() -> None:
    config = plain("lesion-3d")
    truth = torch.zeros(1, 2, 4, 4, dtype=torch.long)
    truth[:, :, :2] = 1
    right, wrong = logits_of(truth, 2), logits_of(1 - truth, 2)
    single = [float(supervised_loss(level, truth, config)) for level in (right, wrong)]
    both = float(supervised_loss(torch.stack([right, wrong], dim=1), truth, config))
    assert both == pytest.approx((single[0] + 0.5 * single[1]) / 1.5)
    assert float(supervised_loss(wrong, truth, config)) == pytest.approx(single[1])


@pytest.mark.parametrize("name", ["demo", "lesion-2d"])
def test_probabilities_sum_to_one_over_background_and_any_finding(name: str) -> None:
    config = plain(name, **TWO)
    found = probabilities(torch.randn(3, 3, 4, 4, generator=torch.Generator().manual_seed(1)), config)
    assert found.min() >= 0
    assert found.max() <= 1
    any_finding = 1 - found[:, 0]
    assert (any_finding >= found[:, 1:].amax(dim=1) - 1e-6).all()


def test_independent_classes_are_a_finding_as_far_as_the_likeliest() -> None:
    config = plain("lesion-2d", **TWO)
    logits = torch.tensor([[[[0.0]], [[2.0]], [[-1.0]]]])
    found = probabilities(logits, config)[0, :, 0, 0]
    assert found.tolist() == pytest.approx([1 - 1 / (1 + math.exp(-2)), 1 / (1 + math.exp(-2)), 1 / (1 + math.exp(1))])


@pytest.mark.parametrize("name", ["demo", "lesion-2d", "lesion-3d"])
def test_a_network_has_a_channel_for_each_class_and_the_background(name: str) -> None:
    config = plain(name, **TWO)
    network = build_network(config).eval()
    assert count_parameters(network) > 1000
    shape = (1, 1, 32, 64) if config.is_flat else (1, 1, 8, 32, 64)
    with torch.inference_mode():
        out = network(torch.zeros(shape))
    assert out.shape == (1, 3, *shape[2:])


def test_an_untrained_demo_network_says_background() -> None:
    network = build_network(plain("demo")).eval()
    with torch.inference_mode():
        found = probabilities(network(torch.rand(1, 1, 64, 64)), plain("demo"))
    assert float((found[0, 0] > 0.5).float().mean()) > 0.9


def test_small_islands_are_dropped_and_large_ones_stay() -> None:
    labels = np.zeros((4, 20, 20), np.uint8)
    labels[0, :2, :2], labels[1:3, 5:10, 5:10], labels[3, 15, 15] = 1, 4, 1
    spacing = (5.0, 2.0, 2.0)  # 0.02 mL a voxel
    kept = labels.copy()
    everything = np.ones_like(labels, bool)
    drop_islands(kept, spacing, 0.08, everything)
    assert np.array_equal(kept > 0, (labels > 0) & (np.arange(4)[:, None, None] < 3))
    assert (int((kept == 1).sum()), int((kept == 4).sum())) == (4, 50)  # 0.08 mL is not less than 0.08 mL
    drop_islands(kept, spacing, 0.081, everything)
    assert (int((kept == 1).sum()), int((kept == 4).sum())) == (0, 50)
    # Of the large island 20 voxels are sure: 0.4 mL.
    sure = np.zeros_like(everything)
    sure[1, 5:9, 5:10] = True
    drop_islands(kept, spacing, 0.4, sure)
    assert int((kept == 4).sum()) == 50
    drop_islands(kept, spacing, 0.41, sure)
    assert not kept.any()
    empty = np.zeros_like(labels)
    drop_islands(empty, spacing, 1.0, np.ones_like(empty, bool))
    assert not empty.any()


def test_near_the_lungs_is_10_mm_in_the_plane() -> None:
    lungs = np.zeros((3, 41, 41), bool)
    lungs[1, 20, 20] = True
    near = near_lungs(lungs, (3.0, 2.0, 2.0))
    assert not near[0].any()
    assert not near[2].any()
    assert near[1, 20, 15]
    assert not near[1, 20, 14]
    assert int(near.sum()) == 2 * 5 * 6 + 1  # a diamond of 5 steps
    assert near_lungs(lungs, (3.0, 25.0, 25.0)) is lungs


def test_a_box_is_pasted_where_it_was_cut() -> None:
    box = np.arange(8, dtype=np.uint8).reshape(2, 2, 2) + 1
    whole = _paste(box, (1, 2, 0), (4, 5, 3))
    assert np.array_equal(whole[1:3, 2:4, 0:2], box)
    assert whole.sum() == box.sum()


class Sure(torch.nn.Module):
    """Marks what is bright, by the likeliest class of its two halves."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        bright = (image > 0.5).float() * 20 - 10
        right = torch.linspace(-1, 1, image.shape[-1]).expand_as(image) * 5
        return torch.cat([-bright, bright - right, bright + right], dim=1)


@pytest.mark.parametrize("spacing", [(4.0, 1.8, 1.8), (4.0, 0.9, 0.9)])
def test_a_finding_gets_the_id_of_its_class_on_the_scans_grid(spacing: Any) -> None:
    config = plain("demo", **TWO, min_island_ml=0.0, threshold=0.5)
    hu = np.full((3, 64, 96), -1250, np.int16)
    hu[:, 20:40, 10:30], hu[:, 20:40, 66:86] = 250, 250
    found = find(Sure().eval(), hu, spacing, None, config, torch.device("cpu"))
    assert found.labels.shape == found.probability.shape == hu.shape
    assert (found.labels[:, 21:39, 11:29] == OPACITY.id).all()
    assert (found.labels[:, 21:39, 67:85] == NODULE.id).all()
    assert not found.labels[:, :18].any()
    assert found.uncertainty < 0.9


def test_nothing_far_from_the_lungs_is_a_finding() -> None:
    config = plain("demo", **TWO, min_island_ml=0.0, threshold=0.5)
    hu = np.full((3, 64, 96), -1250, np.int16)
    hu[:, 20:40, 10:30], hu[:, 20:40, 66:86] = 250, 250
    lungs = np.zeros(hu.shape, bool)
    lungs[:, 15:45, 5:35] = True
    found = find(Sure().eval(), hu, (4.0, 1.8, 1.8), lungs, config, torch.device("cpu"))
    assert (found.labels[:, 21:39, 11:29] > 0).all()
    assert not found.labels[:, :, 50:].any()
    assert not found.probability[:, :, 50:].any()


def test_uncertainty_of_nothing_is_none() -> None:
    assert mean_top_entropy(np.zeros(0, np.float32)) == 0.0
    assert mean_top_entropy(np.full((1, 1, 1), 0.5, np.float32)) == pytest.approx(1.0)


@given(st.integers(1, 300), st.integers(1, 300))
def test_the_coarse_map_covers_the_scan(rows: int, columns: int) -> None:
    coarse, step = coarsen(np.full((1, rows, columns), 0.2, np.float32))
    assert coarse.shape == (1, -(-rows // step[1]), -(-columns // step[2]))
    assert max(coarse.shape[1:]) <= 128
    assert (coarse == 51).all()


def test_resampling_down_averages_and_up_keeps_the_range() -> None:
    stripes = np.tile(np.array([0, 1], np.float32), (2, 8, 16))
    down = resample_linear(stripes, (2, 8, 8))
    assert down == pytest.approx(0.5)
    up = resample_linear(stripes, (4, 8, 64))
    assert up.shape == (4, 8, 64)
    assert (up.min(), up.max()) == (0, 1)
    assert resample_linear(stripes, stripes.shape) is not stripes
    assert np.array_equal(resample_linear(stripes, stripes.shape), stripes)


@pytest.mark.parametrize(
    "array", [np.zeros((2, 2), np.int16), np.zeros((0, 2, 2), np.int16), np.zeros((2, 2, 2), "i4")]
)
def test_a_volume_that_is_none(tmp_path: Path, array: Any) -> None:
    np.save(tmp_path / "volume.npy", array)
    with pytest.raises(ContractError, match="not a zyx array of int16"):
        load_volume(ScanRef("s", "A", ".", (1.0, 1.0, 1.0)), ChildFolder(tmp_path))


def test_several_arrays_in_one_file_are_none(tmp_path: Path) -> None:
    with (tmp_path / "volume.npy").open("wb") as file:
        np.savez(file, a=np.zeros(1))
    with pytest.raises(ContractError, match="not one array"):
        load_volume(ScanRef("s", "A", ".", (1.0, 1.0, 1.0)), ChildFolder(tmp_path))


def test_lungs_that_are_empty_are_not_known(tmp_path: Path) -> None:
    scan = make_scan(tmp_path, "s", 1)
    job = ChildFolder(tmp_path)
    assert load_lungs(scan, job, SHAPE) is not None
    np.save(Path(scan.folder) / "lungs.npy", np.zeros(SHAPE, np.uint8))
    assert load_lungs(scan, job, SHAPE) is None
    (Path(scan.folder) / "lungs.npy").unlink()
    assert load_lungs(scan, job, SHAPE) is None
    assert load_labels(scan, job, SHAPE).dtype == np.uint8


def test_millilitres_of_voxels() -> None:
    assert volume_ml(1000, (2.0, 0.5, 1.0)) == pytest.approx(1.0)


class Broken(torch.nn.Module):
    """A network whose weights have become infinite."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor([float("inf")]))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.cat([images, images], dim=1) * self.weight


def test_a_training_that_diverges_ends_at_once(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    np.save(tmp_path / "a" / "image.npy", np.zeros((1, 64, 64), np.float16))
    np.save(tmp_path / "a" / "labels.npy", np.ones((1, 64, 64), np.uint8))
    config = plain("demo", steps=50)
    sampler = PatchSampler([tmp_path / "a"], config, 1)
    fitting = Fitting(Broken(), sampler, config, 1, torch.device("cpu"))
    with pytest.raises(ContractError) as refused:
        fitting.run(ChildFolder(tmp_path), tmp_path / "checkpoint", "anything")
    assert refused.value.code == "not_finite"
    assert "after step 1." in refused.value.sentence
