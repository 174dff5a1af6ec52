"""A network over a whole scan on the model's grid: slice by slice, or in sliding windows."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from monai.inferers.utils import sliding_window_inference
from scipy import ndimage
from torch import nn
from torch.nn import functional

from mlservice.contract.config import TrainingConfig
from mlservice.networks import autocast, memory_format, probabilities
from mlservice.preprocess import Image
from mlservice.scans import Mask

SLICES_AT_ONCE = 8
# The encoders halve a slice up to five times.
DIVISOR = 32
# The segmented air excludes consolidation at the pleura: on phantoms up to 38 % of an opacity lay more than 5 mm
# outside, 22 % more than 10 mm. With a larger margin a small model marks the mediastinum.
LUNG_MARGIN_MM = 10.0


def infer(
    network: nn.Module, inputs_czyx: Image, config: TrainingConfig, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Probability of any finding and the likeliest class's channel, both on the model's grid, on the CPU."""
    with autocast(config, device):
        if not config.is_flat:
            return _split(_slide(network, torch.from_numpy(inputs_czyx)[None].to(device), config.patch_zyx, config)[0])
        shares, channels = [], []
        if config.is_onnx:  # made for patches of one size, as a rule
            for one in torch.from_numpy(inputs_czyx).movedim(1, 0):
                share, channel = _split(_slide(network, one[None].to(device), config.patch_zyx[1:], config)[0])
                shares.append(share[None])
                channels.append(channel[None])
            return torch.cat(shares), torch.cat(channels)
        for start in range(0, inputs_czyx.shape[1], SLICES_AT_ONCE):
            slices = torch.from_numpy(inputs_czyx[:, start : start + SLICES_AT_ONCE]).movedim(1, 0)
            height, width = slices.shape[2:]
            pad = (0, -width % DIVISOR, 0, -height % DIVISOR)
            padded = functional.pad(slices, pad).to(device, memory_format=memory_format(config))
            scores = probabilities(network(padded), config)[..., :height, :width]
            share, channel = _split(scores.movedim(1, 0))
            shares.append(share)
            channels.append(channel)
    return torch.cat(shares), torch.cat(channels)


def _slide(network: nn.Module, inputs: torch.Tensor, patch: tuple[int, ...], config: TrainingConfig) -> torch.Tensor:
    """Probabilities in sliding windows of the training's patch size, with Gaussian weights over the overlap."""
    found = sliding_window_inference(
        inputs, patch, 1, lambda x: probabilities(network(x), config), overlap=config.overlap, mode="gaussian"
    )
    return cast(torch.Tensor, found)  # a tuple only for a network that answers one


def _split(scores: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return (1 - scores[0]).float().cpu(), (scores[1:].argmax(dim=0) + 1).to(torch.uint8).cpu()


def near_lungs(lungs: Mask, spacing_mm_zyx: tuple[float, float, float]) -> Mask:
    """The lungs with 10 mm round them in plane."""
    steps = round(LUNG_MARGIN_MM / spacing_mm_zyx[1])
    if steps < 1:
        return lungs
    cross = np.array([[[0, 1, 0], [1, 1, 1], [0, 1, 0]]], dtype=bool)
    result: Mask = ndimage.binary_dilation(lungs, cross, iterations=steps)
    return result
