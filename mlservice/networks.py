"""Networks by name (MONAI), conversion of their outputs to probabilities, and device selection."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import torch
from monai.networks.nets.basic_unet import BasicUNet
from monai.networks.nets.dynunet import DynUNet
from monai.networks.nets.flexible_unet import FlexibleUNet
from torch import nn
from torch.nn import functional
from torch.nn.utils.memory_format import convert_conv2d_weight_memory_format, convert_conv3d_weight_memory_format

from mlservice.contract.config import TrainingConfig
from voxloop.child import ContractError

SUPERVISED_LEVELS = 2
BACKGROUND_LOGIT = 3.0  # initial bias: 95 % background


def build_network(config: TrainingConfig) -> nn.Module:
    """A network with random weights: `config.inputs` channels in, `config.channels` out. Downloads nothing.

    Raises ContractError `bad_model` for a network that comes from a file."""
    if config.is_onnx:
        raise ContractError("bad_model", "A network from an ONNX file cannot be built without its file.")
    kind, arguments = describe_network(config)
    network = kind(**arguments)
    if isinstance(network, BasicUNet):
        _expect_background(network)
    if isinstance(network, FlexibleUNet):
        replace_shortcuts(network)
    return network


class Shortcut(nn.Module):
    """The shortcut of ResNet-34 between stages: every second pixel, and zeros for the new channels (He 2015, option A).

    MONAI's own gives the same values, but takes its input out of the graph (`.data`): no gradient passes, so that what
    lies before learns through the convolutions alone (findings/monai_resnet_shortcut.sh), and ONNX gets a constant."""

    def __init__(self, planes: int, stride: int) -> None:
        super().__init__()
        self.planes, self.stride = planes, stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        thin = x[:, :, :: self.stride, :: self.stride]
        return functional.pad(thin, (0, 0, 0, 0, 0, self.planes - thin.shape[1]))


def replace_shortcuts(network: nn.Module) -> None:
    """Put `Shortcut` in the place of MONAI's, in the network itself. Neither has weights: files stay as they are."""
    for module in network.modules():
        before = getattr(module, "downsample", None)
        if isinstance(before, partial):
            del module.downsample
            module.downsample = Shortcut(before.keywords["planes"], before.keywords["stride"])


def describe_network(config: TrainingConfig) -> tuple[type[nn.Module], dict[str, Any]]:
    """MONAI's class of the network and the arguments that it is made with."""
    common = {"in_channels": config.inputs, "out_channels": config.channels}
    if config.network == "basic_unet_2d":
        # Batch norm (yoo2020): instance norm of 96-px patches does not transfer to whole slices (Dice .09).
        norm = ("batch", {"affine": True})
        return BasicUNet, {**common, "spatial_dims": 2, "features": config.features, "norm": norm}
    if config.network == "flexible_unet_2d":
        return FlexibleUNet, {
            **common,
            "backbone": "resnet34",
            "pretrained": False,
            "decoder_channels": config.features,
            "spatial_dims": 2,
        }
    levels = len(config.features)
    # Slices are thick: the first level works in plane, and depth is halved only once in-plane voxels are as large.
    return DynUNet, {
        **common,
        "spatial_dims": 3,
        "kernel_size": [[1, 3, 3]] + [[3, 3, 3]] * (levels - 1),
        "strides": [[1, 1, 1], [1, 2, 2]] + [[2, 2, 2]] * (levels - 2),
        "upsample_kernel_size": [[1, 2, 2]] + [[2, 2, 2]] * (levels - 2),
        "filters": list(config.features),
        "norm_name": "instance",
        "deep_supervision": config.deep_supervision,
        "deep_supr_num": min(SUPERVISED_LEVELS, levels - 2),
        "res_block": False,
    }


def _expect_background(network: BasicUNet) -> None:
    """Initialise the output bias to the class frequencies, which saves the first tenths of a short training."""
    bias = network.get_parameter("final_conv.bias")
    nn.init.zeros_(bias)
    with torch.no_grad():
        bias[0] = BACKGROUND_LOGIT


def count_parameters(network: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(parameter.numel() for parameter in network.parameters())


def probabilities(logits: torch.Tensor, config: TrainingConfig) -> torch.Tensor:
    """(batch, channels, …) logits → probabilities; channel 0 is background, `1 - channel 0` any finding."""
    logits = logits.float()
    if config.loss == "dice_ce":
        return logits.softmax(dim=1)
    if config.loss == "finding_class":
        background = logits[:, :1].sigmoid()
        return torch.cat([background, (1 - background) * logits[:, 1:].softmax(dim=1)], dim=1)
    classes = logits[:, 1:].sigmoid()
    return torch.cat([1 - classes.amax(dim=1, keepdim=True), classes], dim=1)


def choose_device(config: TrainingConfig, seed: int | None = None) -> torch.device:
    """The GPU where there is one, else the CPU with the configured threads; seeded and deterministic when asked."""
    torch.set_num_threads(config.cpu_threads)
    if seed is not None:
        # cuBLAS needs this before its first call to be deterministic.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(True, warn_only=torch.cuda.is_available())
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def settle_precision(config: TrainingConfig, device: torch.device) -> str:
    """ "fp32" or "bf16" for this device.

    "auto" is fixed by the kind of processor, and not by a timed trial, so that the same request gives the same weights.
    Measured on one core, a step of `demo` in bf16 and in fp32: with AVX-512 BF16 0.065 and 0.088 s, with AMX about half
    of fp32, with AVX-512 alone (bf16 is emulated) 0.37 and 0.15 s."""
    if config.precision != "auto":
        return config.precision
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    computes_bf16 = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return "bf16" if computes_bf16 else "fp32"


def memory_format(config: TrainingConfig) -> torch.memory_format:
    """Channels-last where the configuration says so: a step of `demo` takes 0.065 s instead of 0.081 s."""
    if not config.channels_last:
        return torch.contiguous_format
    return torch.channels_last if config.is_flat else torch.channels_last_3d


def put_on_device(network: nn.Module, config: TrainingConfig, device: torch.device) -> nn.Module:
    """The network on the device, its weights in the configured memory format."""
    convert = convert_conv2d_weight_memory_format if config.is_flat else convert_conv3d_weight_memory_format
    return convert(network.to(device), memory_format(config))


def autocast(config: TrainingConfig, device: torch.device) -> AbstractContextManager[Any]:
    """bf16 autocast if the configuration says so."""
    if settle_precision(config, device) == "bf16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()
