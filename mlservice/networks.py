"""Networks by name (MONAI), their outputs as probabilities, and the machine they run on."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from monai.networks.nets.basic_unet import BasicUNet
from monai.networks.nets.dynunet import DynUNet
from monai.networks.nets.flexible_unet import FlexibleUNet
from torch import nn

from mlservice.contract.config import TrainingConfig

SUPERVISED_LEVELS = 2
BACKGROUND_LOGIT = 3.0  # 95 % for background, before anything was seen


def build_network(config: TrainingConfig) -> nn.Module:
    """A network with random weights: one input channel, `config.channels` outputs. Nothing is ever downloaded."""
    if config.network == "basic_unet_2d":
        f = config.features
        # Batch norm (yoo2020): with instance norm, statistics of 96-px patches misled it on whole slices (Dice .09).
        network = BasicUNet(
            spatial_dims=2,
            in_channels=1,
            out_channels=config.channels,
            features=(f[0], f[1], f[2], f[3], f[4], f[5]),
            norm=("batch", {"affine": True}),
        )
        _expect_background(network)
        return network
    if config.network == "flexible_unet_2d":
        return FlexibleUNet(
            in_channels=1,
            out_channels=config.channels,
            backbone="resnet34",
            pretrained=False,
            decoder_channels=config.features,
            spatial_dims=2,
        )
    levels = len(config.features)
    # Slices are thick: the first level works in plane, and depth is halved only where in-plane voxels caught up.
    return DynUNet(
        spatial_dims=3,
        in_channels=1,
        out_channels=config.channels,
        kernel_size=[[1, 3, 3]] + [[3, 3, 3]] * (levels - 1),
        strides=[[1, 1, 1], [1, 2, 2]] + [[2, 2, 2]] * (levels - 2),
        upsample_kernel_size=[[1, 2, 2]] + [[2, 2, 2]] * (levels - 2),
        filters=list(config.features),
        norm_name="instance",
        deep_supervision=config.deep_supervision,
        deep_supr_num=min(SUPERVISED_LEVELS, levels - 2),
        res_block=False,
    )


def _expect_background(network: BasicUNet) -> None:
    """Start from what most voxels are, instead of spending the first tenths of a short training on learning it."""
    bias = network.get_parameter("final_conv.bias")
    nn.init.zeros_(bias)
    with torch.no_grad():
        bias[0] = BACKGROUND_LOGIT


def count_parameters(network: nn.Module) -> int:
    """How many numbers the network learns."""
    return sum(parameter.numel() for parameter in network.parameters())


def probabilities(logits: torch.Tensor, config: TrainingConfig) -> torch.Tensor:
    """(batch, channels, …) logits → probabilities; channel 0 is background, `1 - channel 0` any finding."""
    logits = logits.float()
    if config.loss == "dice_ce":
        return logits.softmax(dim=1)
    classes = logits[:, 1:].sigmoid()
    return torch.cat([1 - classes.amax(dim=1, keepdim=True), classes], dim=1)


def choose_device(config: TrainingConfig, seed: int | None = None) -> torch.device:
    """The GPU where there is one, else the CPU with the configured threads; seeded and deterministic when asked."""
    torch.set_num_threads(config.cpu_threads)
    if seed is not None:
        # cuBLAS asks for this before its first call, or refuses to be deterministic.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(True, warn_only=torch.cuda.is_available())
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def autocast(config: TrainingConfig, device: torch.device) -> AbstractContextManager[Any]:
    """Half precision where the profile was measured to lose nothing by it."""
    if config.precision == "bf16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()
