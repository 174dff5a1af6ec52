"""Augmentation of a batch: lesions are made first (mlservice/made_lesions.py), then it is turned and its light changed.

Everything random comes from the generator that is passed in: the same seed changes the same patches alike."""

from __future__ import annotations

import math

import torch
from torch.nn import functional

from mlservice.contract.config import TrainingConfig
from mlservice.made_lesions import lay_consolidation, lay_haze, paste_lesions
from mlservice.patches import Patches


def augment(patches: Patches, config: TrainingConfig, generator: torch.Generator) -> Patches:
    """The batch with more and other lesions, turned, in another light."""
    patches = _turn(_make_lesions(patches, config, generator), config, generator)
    return _relight(patches, config, generator)


def _make_lesions(patches: Patches, config: TrainingConfig, generator: torch.Generator) -> Patches:
    if not config.makes_lesions:
        return patches
    low, high = config.window_hu
    hu, targets, limit = patches.images * (high - low) + low, patches.targets, patches.limit
    spacing = config.spacing_mm_zyx[1:]
    # Without a lung limit, no lesion is added.
    has_limit = patches.has_limit.view(-1, *[1] * (hu.dim() - 1))
    inside = (patches.limit > 0.5) & has_limit
    if config.paste_share:
        hu, targets = paste_lesions(hu, targets, inside, share=config.paste_share, generator=generator)
    if config.haze_share:
        hu, targets = lay_haze(hu, targets, inside, spacing, share=config.haze_share, generator=generator)
    if config.consolidation_share:
        hu, targets, limit = lay_consolidation(
            hu, targets, limit, inside, spacing, share=config.consolidation_share, generator=generator
        )
    images = ((hu - low) / (high - low)).clamp(0, 1)
    return Patches(images, limit, patches.has_limit, targets)


def _turn(patches: Patches, config: TrainingConfig, generator: torch.Generator) -> Patches:
    """Rotate and zoom in plane and mirror left-right, image, limit and targets alike."""
    batch, flat = patches.images.shape[0], config.is_flat
    angle = _between(-config.rotate_deg, config.rotate_deg, batch, generator) * math.pi / 180
    scale = _between(1 - config.zoom, 1 + config.zoom, batch, generator)
    mirror = torch.where(torch.rand(batch, generator=generator) < 0.5, -1.0, 1.0)
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    theta = torch.zeros(batch, 2, 3) if flat else torch.zeros(batch, 3, 4)
    theta[:, 0, 0], theta[:, 0, 1] = cos * mirror, -sin
    theta[:, 1, 0], theta[:, 1, 1] = sin * mirror, cos
    if not flat:
        theta[:, 2, 2] = 1
    grid = functional.affine_grid(theta, list(patches.images.shape), align_corners=False)
    inputs = patches.inputs(config)
    turned = functional.grid_sample(inputs, grid, mode="bilinear", padding_mode="border", align_corners=False)
    targets = patches.targets.unsqueeze(1).float()
    moved = functional.grid_sample(targets, grid, mode="nearest", padding_mode="border", align_corners=False)
    limit = turned[:, 1:] if config.lung_channel else patches.limit
    return Patches(turned[:, :1], limit, patches.has_limit, moved[:, 0].round().long())


def _relight(patches: Patches, config: TrainingConfig, generator: torch.Generator) -> Patches:
    """Change brightness and contrast (topff2023's ranges) and add noise."""
    images = patches.images
    batch, wide = images.shape[0], (images.shape[0], *[1] * (images.dim() - 1))
    light = _between(-config.lighting, config.lighting, batch, generator)
    contrast = _between(1 - config.lighting, 1 + config.lighting, batch, generator)
    images = images * contrast.view(wide) + light.view(wide)
    strength = _between(0, config.noise, batch, generator).view(wide)
    images = (images + strength * _grain(images.shape, generator)).clamp(0, 1)
    return Patches(images, patches.limit, patches.has_limit, patches.targets)


def _between(low: float, high: float, batch: int, generator: torch.Generator) -> torch.Tensor:
    return low + (high - low) * torch.rand(batch, generator=generator)


def _grain(shape: torch.Size, generator: torch.Generator) -> torch.Tensor:
    """Noise of unit strength: fine in half of the patches (sharp kernels), three pixels wide in the others (soft)."""
    fine = torch.randn(shape, generator=generator)
    flat = fine.reshape(-1, 1, *shape[-2:])
    coarse = 3 * functional.avg_pool2d(flat, 3, stride=1, padding=1).reshape(shape)
    is_fine = torch.rand(shape[0], generator=generator) < 0.5
    return torch.where(is_fine.view(-1, *[1] * (len(shape) - 1)), fine, coarse)
