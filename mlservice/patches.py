"""Random patches from prepared scans, balanced between findings and the rest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from mlservice.contract.config import TrainingConfig
from mlservice.preprocess import IGNORED
from voxloop.child import ContractError

# Centres kept per class and scan, which bounds memory on large masks.
MOST_CENTRES = 20_000

Array = npt.NDArray[np.generic]


@dataclass(frozen=True)
class Patches:
    """A batch. `images` (batch, 1, [z,] y, x) float32 in [0, 1]; `limit` of the same shape, 1 in the lungs, all ones
    for patches of scans without a limit, whose `has_limit` (batch,) is false; `targets` (batch, [z,] y, x) int64."""

    images: torch.Tensor
    limit: torch.Tensor
    has_limit: torch.Tensor
    targets: torch.Tensor

    def inputs(self, config: TrainingConfig) -> torch.Tensor:
        """What the network gets: the image, and the limit where the model takes it as input."""
        return torch.cat([self.images, self.limit], dim=1) if config.lung_channel else self.images


def is_finding(channels: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Where any finding is labelled, with a class or without."""
    found: npt.NDArray[np.bool_] = (channels != 0) & (channels != IGNORED)
    return found


class PatchSampler:
    """Draws batches; the same seed draws the same patches. Scans stay memory-mapped."""

    def __init__(self, folders: list[Path], config: TrainingConfig, seed: int) -> None:
        self.config = config
        self.random = np.random.default_rng(seed)
        self.images = [np.load(folder / "image.npy", mmap_mode="r") for folder in folders]
        self.labels = [np.load(folder / "labels.npy", mmap_mode="r") for folder in folders]
        limits = [folder / "limit.npy" for folder in folders]
        self.limits = [np.load(path, mmap_mode="r") if path.exists() else None for path in limits]
        self.centres = self._find_centres()
        if not self.centres:
            raise ContractError("nothing_to_learn", "No class of the configuration is labelled in any scan.")

    def draw(self) -> Patches:
        """The next batch."""
        cut = [self._cut(*self._choose()) for _ in range(self.config.batch)]
        images, limits, targets = (np.stack(parts) for parts in zip(*(parts for parts, _ in cut), strict=True))
        if self.config.is_flat:
            images, limits, targets = images[:, 0], limits[:, 0], targets[:, 0]
        return Patches(
            images=torch.from_numpy(images.astype(np.float32)).unsqueeze(1),
            limit=torch.from_numpy(limits.astype(np.float32)).unsqueeze(1),
            has_limit=torch.tensor([has_limit for _, has_limit in cut]),
            targets=torch.from_numpy(targets.astype(np.int64)),
        )

    def _find_centres(self) -> dict[int, list[tuple[int, npt.NDArray[np.int64]]]]:
        """Per class, the scans that have it and voxels of it there. A model that learns any finding first draws from
        all findings alike: a small class does not displace a large one."""
        found: dict[int, list[tuple[int, npt.NDArray[np.int64]]]] = {}
        for scan, labels in enumerate(self.labels):
            flat = np.asarray(labels).reshape(-1)
            if self.config.finds_any:
                kinds = {1: is_finding(flat)}
            else:
                kinds = {channel: flat == channel for channel in range(1, self.config.channels)}
            for kind, here in kinds.items():
                voxels = np.flatnonzero(here)
                if voxels.size > MOST_CENTRES:
                    voxels = self.random.choice(voxels, MOST_CENTRES, replace=False)
                if voxels.size:
                    found.setdefault(kind, []).append((scan, voxels))
        return found

    def _choose(self) -> tuple[int, tuple[int, ...]]:
        if self.random.random() < self.config.foreground_share:
            kinds = sorted(self.centres)
            centres = self.centres[kinds[self.random.integers(len(kinds))]]
            scan, voxels = centres[self.random.integers(len(centres))]
            at = np.unravel_index(int(voxels[self.random.integers(voxels.size)]), self.labels[scan].shape)
            return scan, tuple(int(v) for v in at)
        scan = int(self.random.integers(len(self.images)))
        return scan, tuple(int(self.random.integers(n)) for n in self.images[scan].shape)

    def _cut(self, scan: int, centre: tuple[int, ...]) -> tuple[tuple[Array, Array, Array], bool]:
        """Image, limit and target around the centre, moved inside the scan, padded where the scan is smaller; and
        whether the scan has a limit."""
        shape, size = self.images[scan].shape, self.config.patch_zyx
        box, pad = [], []
        for at, n, p in zip(centre, shape, size, strict=True):
            start = min(max(0, at - p // 2), max(0, n - p))
            box.append(slice(start, start + p))
            pad.append((0, max(0, p - n)))
        image, target = self.images[scan][tuple(box)], self.labels[scan][tuple(box)]
        limits = self.limits[scan]
        limit = np.ones(image.shape, np.float16) if limits is None else limits[tuple(box)]
        if any(after for _, after in pad):
            image, target = np.pad(image, pad), np.pad(target, pad, constant_values=IGNORED)
            limit = np.pad(limit, pad, constant_values=0 if limits is not None else 1)
        return (image, limit, target), limits is not None
