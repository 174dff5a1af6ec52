"""Patches: where they are cut, what they are centred on, and what augmentation may do to them."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mlservice import augment as augmentation
from mlservice.contract import TrainingConfig
from mlservice.patches import MOST_CENTRES, Patches, PatchSampler
from mlservice.preprocess import IGNORED
from tests.ml.bodies import NODULE, OPACITY, plain
from voxloop.child import ContractError


def draw(sampler: PatchSampler) -> tuple[torch.Tensor, torch.Tensor]:
    patches = sampler.draw()
    return patches.images, patches.targets


def augment(images: Any, targets: Any, config: TrainingConfig, random: torch.Generator) -> Any:
    """Images and targets of patches whose limit is everywhere."""
    has_limit = torch.full((len(images),), True)
    given = Patches(images, torch.ones_like(images), has_limit, targets)
    patches = augmentation.augment(given, config, random)
    return patches.images, patches.targets


def prepared(folder: Path, name: str, labels: Any, image: Any = None) -> Path:
    """A folder as `prepare_scan` writes it; without an image, one that tells where a voxel lies."""
    (folder / name).mkdir()
    where = np.arange(labels.size, dtype=np.float32).reshape(labels.shape) / labels.size
    np.save(folder / name / "image.npy", where if image is None else image)
    np.save(folder / name / "labels.npy", labels)
    return folder / name


def marked(shape_zyx: tuple[int, int, int], *voxels: tuple[int, int, int, int]) -> Any:
    labels = np.zeros(shape_zyx, np.uint8)
    for z, y, x, channel in voxels:
        labels[z, y, x] = channel
    return labels


def still(**changes: Any) -> Any:
    """A configuration whose augmentation changes nothing but left and right."""
    calm = {"rotate_deg": 0.0, "zoom": 0.0, "lighting": 0.0, "noise": 0.0}
    return plain("demo", **(calm | changes))


def test_a_patch_is_centred_on_a_finding_and_shows_image_and_labels_of_one_box(tmp_path: Path) -> None:
    labels = marked((3, 40, 50), (1, 20, 30, 1))
    config = plain("demo", patch_zyx=(1, 8, 16), foreground_share=1.0, batch=3)
    images, targets = draw(PatchSampler([prepared(tmp_path, "a", labels)], config, 1))
    assert (images.shape, targets.shape) == ((3, 1, 8, 16), (3, 8, 16))
    assert (images.dtype, targets.dtype) == (torch.float32, torch.int64)
    expected = (np.arange(labels.size, dtype=np.float32).reshape(labels.shape) / labels.size)[1, 16:24, 22:38]
    for image, target in zip(images, targets, strict=True):
        assert np.array_equal(image[0], expected)
        assert target[4, 8] == 1
        assert target.sum() == 1


@pytest.mark.parametrize(
    ("centre", "box"),
    [
        ((0, 0, 0), (slice(0, 8), slice(0, 16))),
        ((0, 39, 49), (slice(32, 40), slice(34, 50))),
        ((0, 3, 7), (slice(0, 8), slice(0, 16))),
        ((0, 4, 8), (slice(0, 8), slice(0, 16))),
        ((0, 5, 9), (slice(1, 9), slice(1, 17))),
    ],
)
def test_a_patch_at_the_edge_is_moved_inside(tmp_path: Path, centre: Any, box: Any) -> None:
    labels = marked((1, 40, 50), (*centre, 1))
    config = plain("demo", patch_zyx=(1, 8, 16), foreground_share=1.0, batch=1)
    images, targets = draw(PatchSampler([prepared(tmp_path, "a", labels)], config, 1))
    image = np.load(tmp_path / "a" / "image.npy")
    assert np.array_equal(images[0, 0], image[0][box])
    assert targets.sum() == 1


def test_a_scan_smaller_than_a_patch_is_padded_with_what_teaches_nothing(tmp_path: Path) -> None:
    labels = marked((1, 6, 16), (0, 2, 2, 1))
    config = plain("demo", patch_zyx=(1, 8, 16), foreground_share=1.0, batch=1)
    images, targets = draw(PatchSampler([prepared(tmp_path, "a", labels)], config, 1))
    assert images.shape == (1, 1, 8, 16)
    assert (targets[0, 6:] == IGNORED).all()
    assert (targets[0, :6] != IGNORED).all()
    assert (images[0, 0, 6:] == 0).all()


def test_a_patch_of_a_3d_network_keeps_its_depth(tmp_path: Path) -> None:
    labels = marked((20, 40, 40), (10, 20, 20, 1))
    config = plain("lesion-3d", foreground_share=1.0)
    images, targets = draw(PatchSampler([prepared(tmp_path, "a", labels)], config, 1))
    assert images.shape == (1, 1, 8, 32, 32)
    assert targets.shape == (1, 8, 32, 32)
    assert targets[0, 4, 16, 16] == 1


def test_a_rare_class_is_drawn_as_often_as_a_common_one(tmp_path: Path) -> None:
    labels = np.ones((1, 64, 64), np.uint8)
    labels[0, 30, 30] = 2
    config = plain("demo", classes=(OPACITY, NODULE), patch_zyx=(1, 3, 3), foreground_share=1.0, batch=200)
    _, targets = draw(PatchSampler([prepared(tmp_path, "a", labels)], config, 1))
    centred = int((targets[:, 1, 1] == 2).sum())
    assert 60 < centred < 140


def test_scans_with_a_class_are_drawn_evenly_whatever_their_size(tmp_path: Path) -> None:
    big, small = np.ones((1, 64, 64), np.uint8), marked((1, 64, 64), (0, 30, 30, 1))
    folders = [prepared(tmp_path, "big", big), prepared(tmp_path, "small", small)]
    config = plain("demo", patch_zyx=(1, 3, 3), foreground_share=1.0, batch=200)
    _, targets = draw(PatchSampler(folders, config, 1))
    from_small = int((targets.sum(dim=(1, 2)) == 1).sum())
    assert 60 < from_small < 140


def test_without_a_share_for_findings_any_voxel_is_a_centre(tmp_path: Path) -> None:
    labels = marked((1, 64, 64), (0, 0, 0, 1))
    config = plain("demo", patch_zyx=(1, 3, 3), foreground_share=0.0, batch=100)
    _, targets = draw(PatchSampler([prepared(tmp_path, "a", labels)], config, 1))
    assert int((targets.sum(dim=(1, 2)) > 0).sum()) < 10


def test_the_centres_of_a_large_finding_are_a_sample_of_it(tmp_path: Path) -> None:
    labels = np.zeros((1, 200, 200), np.uint8)
    labels[0, :150] = 1
    sampler = PatchSampler([prepared(tmp_path, "a", labels)], plain("demo"), 1)
    [(scan, voxels)] = sampler.centres[1]
    assert (scan, voxels.size) == (0, MOST_CENTRES)
    assert np.unique(voxels).size == MOST_CENTRES
    assert voxels.max() < 150 * 200
    assert voxels.max() > 140 * 200  # from all of it, not its beginning


def test_what_is_ignored_is_no_centre(tmp_path: Path) -> None:
    labels = marked((1, 64, 64), (0, 5, 5, IGNORED))
    with pytest.raises(ContractError) as refusal:
        PatchSampler([prepared(tmp_path, "a", labels)], plain("demo"), 1)
    assert refusal.value.code == "nothing_to_learn"


def test_the_same_seed_draws_the_same(tmp_path: Path) -> None:
    labels = (np.random.default_rng(3).random((2, 64, 64)) < 0.1).astype(np.uint8)
    folder = prepared(tmp_path, "a", labels)
    config = plain("demo", patch_zyx=(1, 16, 16), batch=4)
    first, again, other = (draw(PatchSampler([folder], config, seed)) for seed in (1, 1, 2))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])


def generator(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_augmentation_of_nothing_mirrors_at_most() -> None:
    images = torch.rand(16, 1, 12, 12, generator=generator())
    targets = (images[:, 0] > 0.5).long()
    seen, moved = augment(images, targets, still(), generator())
    flipped = 0
    for n in range(16):
        is_flipped = torch.allclose(seen[n, 0], images[n, 0].flip(-1), atol=1e-5)
        assert is_flipped or torch.allclose(seen[n, 0], images[n, 0], atol=1e-5)
        assert torch.equal(moved[n], targets[n].flip(-1) if is_flipped else targets[n])
        flipped += is_flipped
    assert 0 < flipped < 16


@pytest.mark.parametrize("name", ["demo", "lesion-3d"])
def test_labels_move_with_the_image(name: str) -> None:
    """A disc off the centre, turned and zoomed: the label covers where the image is bright."""
    config = plain(name, rotate_deg=20.0, zoom=0.1, lighting=0.0, noise=0.0)
    y, x = np.ogrid[:64, :64]
    disc = torch.from_numpy(((y - 20) ** 2 + (x - 40) ** 2 < 12**2).astype(np.float32))
    images = disc.expand(8, 1, 64, 64) if config.is_flat else disc.expand(8, 1, 4, 64, 64)
    seen, moved = augment(images.contiguous(), images[:, 0].round().long(), config, generator())
    bright = seen[:, 0] > 0.5
    agreement = 2 * (bright & (moved == 1)).sum() / (bright.sum() + (moved == 1).sum())
    assert agreement > 0.97
    assert not torch.equal(seen, images)


def test_a_3d_patch_is_never_turned_out_of_its_plane() -> None:
    config = plain("lesion-3d", lighting=0.0, noise=0.0)
    images = torch.zeros(4, 1, 6, 32, 32)
    images[:, :, 2] = 1
    seen, _ = augment(images, images[:, 0].long(), config, generator())
    assert torch.allclose(seen, images, atol=1e-5)


def test_ignored_voxels_stay_ignored() -> None:
    config = plain("demo", rotate_deg=20.0)
    targets = torch.full((4, 32, 32), IGNORED)
    targets[:, 10:20, 10:20] = 1
    _, moved = augment(torch.rand(4, 1, 32, 32), targets, config, generator())
    assert set(moved.reshape(-1).tolist()) == {1, IGNORED}


def test_light_changes_stay_in_their_range_and_within_the_window() -> None:
    config = still(lighting=0.1)
    images = torch.full((64, 1, 4, 4), 0.5)
    seen, _ = augment(images, torch.zeros(64, 4, 4, dtype=torch.long), config, generator())
    assert seen.min() >= 0.5 * 0.9 - 0.1
    assert seen.max() <= 0.5 * 1.1 + 0.1
    assert seen.std() > 0.01
    bright, _ = augment(torch.ones_like(images), torch.zeros(64, 4, 4, dtype=torch.long), config, generator())
    assert bright.max() <= 1


def test_noise_is_at_most_as_strong_as_configured() -> None:
    config = still(noise=0.05)
    images = torch.full((64, 1, 32, 32), 0.5)
    seen, _ = augment(images, torch.zeros(64, 32, 32, dtype=torch.long), config, generator())
    strengths = (seen - 0.5).std(dim=(1, 2, 3))
    assert strengths.max() < 0.05 * 1.2
    assert strengths.max() > 0.03
    assert math.isclose(float((seen - 0.5).mean()), 0, abs_tol=0.005)


def test_the_same_generator_augments_the_same() -> None:
    images, targets = torch.rand(4, 1, 32, 32), torch.zeros(4, 32, 32, dtype=torch.long)
    first, again, other = (augment(images, targets, plain("demo"), generator(seed))[0] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
