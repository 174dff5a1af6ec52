"""A network judged on prepared scans, on the model's grid: to choose the weights to keep, and the threshold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from mlservice.calibrate import Example
from mlservice.contract.config import TrainingConfig
from mlservice.inference import infer, near_lungs
from mlservice.patches import is_finding
from mlservice.scans import volume_ml

# An empty scan scores a half when this much is marked in it, and a small finding that much less when it is missed.
SOFT_ML = 1.0


def examples(
    network: nn.Module, folders: Sequence[Path], config: TrainingConfig, device: torch.device
) -> Iterator[Example]:
    """What the network says of each prepared scan, and what is true."""
    network.eval()
    for folder in folders:
        inputs = [np.load(folder / "image.npy").astype(np.float32)]
        limit = np.load(folder / "limit.npy").astype(np.float32) if (folder / "limit.npy").exists() else None
        if config.lung_channel:
            inputs.append(np.ones_like(inputs[0]) if limit is None else limit)
        z, y, x = (float(side) for side in np.load(folder / "spacing.npy"))
        with torch.inference_mode():
            share = infer(network, np.stack(inputs), config, device)[0].numpy()
        if limit is not None:
            share = share * near_lungs(limit > 0.5, (z, y, x))
        yield Example(share, is_finding(np.load(folder / "labels.npy")), volume_ml(1, (z, y, x)))


def score(network: nn.Module, folders: Sequence[Path], config: TrainingConfig, device: torch.device) -> float:
    """The mean over scans of Dice, softened by 1 mL, so that an empty scan counts too."""
    scores = []
    for example in examples(network, folders, config, device):
        marked = example.share >= config.threshold
        soft = SOFT_ML / example.voxel_ml
        both, size = int((marked & example.truth).sum()), int(marked.sum()) + int(example.truth.sum())
        scores.append((2 * both + soft) / (size + soft))
    return float(np.mean(scores))


def set_aside(folders: Sequence[Path], share: float, seed: int) -> tuple[list[Path], list[Path]]:
    """Folders to learn from and folders to validate with: that share of the scans with findings and of those without,
    at least one with findings. None is set aside where only one scan has findings."""
    if not share:
        return list(folders), []
    random = np.random.default_rng([seed, 1])
    has = {folder: bool(is_finding(np.load(folder / "labels.npy", mmap_mode="r")).any()) for folder in folders}
    held: list[Path] = []
    for wanted in (True, False):
        kind = [folder for folder in folders if has[folder] == wanted]
        count = max(int(wanted), round(share * len(kind)))
        if wanted and len(kind) < 2:
            return list(folders), []
        held += [kind[int(number)] for number in random.permutation(len(kind))[:count]]
    return [folder for folder in folders if folder not in held], held
