"""Random patches from prepared scans, balanced between findings and the rest, and their augmentation."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from mlservice.contract.codec import ContractError
from mlservice.contract.config import TrainingConfig
from mlservice.preprocess import IGNORED

# Centres kept per class and scan: enough variety, and a bounded memory on large masks.
MOST_CENTRES = 20_000


class PatchSampler:
    """Draws batches; the same seed draws the same patches. Scans stay memory-mapped."""

    def __init__(self, places: list[Path], config: TrainingConfig, seed: int) -> None:
        self.config = config
        self.random = np.random.default_rng(seed)
        self.images = [np.load(place / "image.npy", mmap_mode="r") for place in places]
        self.labels = [np.load(place / "labels.npy", mmap_mode="r") for place in places]
        self.centres = self._find_centres()
        if not self.centres:
            raise ContractError("nothing_to_learn", "No class of the configuration is labelled in any scan.")

    def draw(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Images (batch, 1, [z,] y, x) float32 and targets (batch, [z,] y, x) int64."""
        pairs = [self._cut(*self._choose()) for _ in range(self.config.batch)]
        images = torch.from_numpy(np.stack([image for image, _ in pairs]).astype(np.float32))
        targets = torch.from_numpy(np.stack([target for _, target in pairs]).astype(np.int64))
        if self.config.is_flat:
            images, targets = images[:, 0], targets[:, 0]
        return images.unsqueeze(1), targets

    def _find_centres(self) -> dict[int, list[tuple[int, npt.NDArray[np.int64]]]]:
        """Per class, the scans that have it and voxels of it there."""
        found: dict[int, list[tuple[int, npt.NDArray[np.int64]]]] = {}
        for scan, labels in enumerate(self.labels):
            flat = np.asarray(labels).reshape(-1)
            for channel in range(1, self.config.channels):
                voxels = np.flatnonzero(flat == channel)
                if voxels.size > MOST_CENTRES:
                    voxels = self.random.choice(voxels, MOST_CENTRES, replace=False)
                if voxels.size:
                    found.setdefault(channel, []).append((scan, voxels))
        return found

    def _choose(self) -> tuple[int, tuple[int, ...]]:
        if self.random.random() < self.config.foreground_share:
            channels = sorted(self.centres)
            places = self.centres[channels[self.random.integers(len(channels))]]
            scan, voxels = places[self.random.integers(len(places))]
            at = np.unravel_index(int(voxels[self.random.integers(voxels.size)]), self.labels[scan].shape)
            return scan, tuple(int(v) for v in at)
        scan = int(self.random.integers(len(self.images)))
        return scan, tuple(int(self.random.integers(n)) for n in self.images[scan].shape)

    def _cut(self, scan: int, centre: tuple[int, ...]) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]:
        """One patch around the centre, moved inside the scan, padded where the scan is smaller."""
        shape, size = self.images[scan].shape, self.config.patch_zyx
        box, pad = [], []
        for at, n, p in zip(centre, shape, size, strict=True):
            start = min(max(0, at - p // 2), max(0, n - p))
            box.append(slice(start, start + p))
            pad.append((0, max(0, p - n)))
        image, target = self.images[scan][tuple(box)], self.labels[scan][tuple(box)]
        if any(after for _, after in pad):
            image, target = np.pad(image, pad), np.pad(target, pad, constant_values=IGNORED)
        return image, target


def augment(
    images: torch.Tensor, targets: torch.Tensor, config: TrainingConfig, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Turn and zoom in plane, mirror left-right, change brightness and contrast (topff2023's ranges), add noise."""
    batch, flat = images.shape[0], config.is_flat

    def between(low: float, high: float) -> torch.Tensor:
        return low + (high - low) * torch.rand(batch, generator=generator)

    angle = between(-config.rotate_deg, config.rotate_deg) * math.pi / 180
    scale = between(1 - config.zoom, 1 + config.zoom)
    mirror = torch.where(torch.rand(batch, generator=generator) < 0.5, -1.0, 1.0)
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    theta = torch.zeros(batch, 2, 3) if flat else torch.zeros(batch, 3, 4)
    theta[:, 0, 0], theta[:, 0, 1] = cos * mirror, -sin
    theta[:, 1, 0], theta[:, 1, 1] = sin * mirror, cos
    if not flat:
        theta[:, 2, 2] = 1
    grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
    turned = functional.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)
    moved = functional.grid_sample(
        targets.unsqueeze(1).float(), grid, mode="nearest", padding_mode="border", align_corners=False
    )
    wide = (batch, *[1] * (images.dim() - 1))
    light, contrast = between(-config.lighting, config.lighting), between(1 - config.lighting, 1 + config.lighting)
    turned = turned * contrast.view(wide) + light.view(wide)
    strength = between(0, config.noise).view(wide)
    return (turned + strength * _grain(turned.shape, generator)).clamp(0, 1), moved[:, 0].round().long()


def _grain(shape: torch.Size, generator: torch.Generator) -> torch.Tensor:
    """Noise of unit strength: fine in half of the patches (sharp kernels), three pixels wide in the others (soft)."""
    fine = torch.randn(shape, generator=generator)
    flat = fine.reshape(-1, 1, *shape[-2:])
    coarse = 3 * functional.avg_pool2d(flat, 3, stride=1, padding=1).reshape(shape)
    is_fine = torch.rand(shape[0], generator=generator) < 0.5
    return torch.where(is_fine.view(-1, *[1] * (len(shape) - 1)), fine, coarse)
