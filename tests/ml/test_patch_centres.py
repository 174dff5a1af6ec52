"""Drawing patches: which voxels are the centres, and what the network gets of the lung limit."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlservice.contract import Segment
from mlservice.patches import PatchSampler
from mlservice.preprocess import IGNORED, UNNAMED
from tests.ml.bodies import tiny

TWO = (Segment(1, "large"), Segment(2, "small"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One prepared scan: a large finding of class 1, a far smaller one of class 2, one without a class."""
    labels = np.zeros((8, 80, 80), np.uint8)
    labels[:, 10:40, 10:40] = 1
    labels[4, 60:64, 60:64] = 2
    labels[1, 70:74, 4:8] = UNNAMED
    labels[7] = IGNORED
    np.save(tmp_path / "labels.npy", labels)
    np.save(tmp_path / "image.npy", np.zeros(labels.shape, np.float16))
    return tmp_path


def centres(folder: Path, **changes: Any) -> list[int]:
    """The labels at the centres of 400 foreground patches."""
    sampler = PatchSampler([folder], tiny("demo", classes=TWO, foreground_share=1.0, **changes), 1)
    return [int(sampler.labels[scan][at]) for scan, at in (sampler._choose() for _ in range(400))]


def test_a_small_class_takes_no_half_of_the_patches_of_any_finding(folder: Path) -> None:
    found = centres(folder)
    assert set(found) <= {1, 2, UNNAMED}
    assert found.count(2) < 20
    by_class = {"loss": "dice_ce", "haze_share": 0.0, "consolidation_share": 0.0}
    assert 150 < centres(folder, **by_class).count(2) < 250


def test_the_network_gets_the_limit_or_ones(folder: Path, tmp_path: Path) -> None:
    config = tiny("demo", classes=TWO, batch=4)
    patches = PatchSampler([folder], config, 1).draw()
    assert patches.inputs(config).shape == (4, 2, 64, 64)
    assert not patches.has_limit.any()
    assert (patches.limit == 1).all()
    np.save(folder / "limit.npy", np.zeros((8, 80, 80), np.float16))
    patches = PatchSampler([folder], config, 1).draw()
    assert patches.has_limit.all()
    assert (patches.inputs(config)[:, 1] == 0).all()
    plain = tiny("lesion-2d", classes=TWO)
    assert PatchSampler([folder], plain, 1).draw().inputs(plain).shape[1] == 1


def test_outside_a_small_scan_is_ignored_and_no_lung(tmp_path: Path) -> None:
    for name, values in (("image", np.float16), ("limit", np.float16), ("labels", np.uint8)):
        np.save(tmp_path / f"{name}.npy", np.ones((2, 40, 40), values))
    patches = PatchSampler([tmp_path], tiny("demo"), 1).draw()
    outside = patches.targets == IGNORED
    assert outside.sum(dim=(1, 2)).tolist() == [64 * 64 - 40 * 40] * 2
    assert (patches.limit[:, 0][outside] == 0).all()
    assert (patches.limit[:, 0][~outside] == 1).all()
