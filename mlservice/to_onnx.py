"""A trained network as one ONNX file, held against torch before anybody gets it."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import nn

from mlservice.contract.config import TrainingConfig
from mlservice.networks import probabilities
from voxloop.child import ContractError

OPSET = 18
MOST_DIFFERENCE = 1e-4
DIVISOR = 32  # sides of a slice are multiples of it, as in `inference`
IMAGE, PROBABILITY = "image", "probability"


class Probabilities(nn.Module):
    """The network with what follows it: (batch, channel, …) images in, probabilities with the background first out."""

    def __init__(self, network: nn.Module, config: TrainingConfig) -> None:
        super().__init__()
        self.network, self.config = network, config

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return probabilities(self.network(image), self.config)


def write_onnx(network: nn.Module, config: TrainingConfig, path: Path) -> float:
    """Write the file; returns the largest difference of a probability from torch's on random images.

    Slices may have any size that is a multiple of 32; patches of volumes have the size of the training.
    Raises ContractError `onnx_differs`."""
    whole = Probabilities(network, config).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch deprecates parts of itself
        torch.onnx.export(
            whole,
            (_images(config, 2, _sizes(config)[0]),),
            path,
            input_names=[IMAGE],
            output_names=[PROBABILITY],
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
            dynamic_shapes={"image": _free_sides(config)},
        )
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    worst = 0.0
    for batch, size in zip((1, 3), _sizes(config), strict=True):
        images = _images(config, batch, size)
        with torch.inference_mode():
            ours = whole(images).numpy()
        worst = max(worst, float(np.abs(session.run(None, {IMAGE: images.numpy()})[0] - ours).max()))
    if not worst <= MOST_DIFFERENCE:
        raise ContractError(
            "onnx_differs", f"ONNX Runtime computes other probabilities than torch, by up to {worst:.1e}."
        )
    return worst


def _free_sides(config: TrainingConfig) -> dict[int, object]:
    batch = torch.export.Dim("batch", min=1, max=64)
    if not config.is_flat:
        return {0: batch}
    height, width = (torch.export.Dim(name, min=1, max=64) for name in ("height", "width"))
    return {0: batch, 2: DIVISOR * height, 3: DIVISOR * width}


def _sizes(config: TrainingConfig) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Spatial sizes of the images by which the file is made and checked."""
    if config.is_flat:
        return (3 * DIVISOR, 4 * DIVISOR), (5 * DIVISOR, 2 * DIVISOR)
    return config.patch_zyx, config.patch_zyx


def _images(config: TrainingConfig, batch: int, size: tuple[int, ...]) -> torch.Tensor:
    return torch.rand((batch, config.inputs, *size), generator=torch.Generator().manual_seed(batch))
