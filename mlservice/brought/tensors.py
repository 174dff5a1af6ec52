"""Weights of a model in our own format, looked at before memory is taken for them."""

from __future__ import annotations

from math import prod
from pathlib import Path

import safetensors
import torch

from mlservice.contract.config import TrainingConfig
from mlservice.networks import build_network
from mlservice.weights import named_tensors
from voxloop.child import ContractError

MOST_FEATURES, MOST_LEVELS = 2048, 8
MOST_PARAMETERS = 250_000_000


def check_tensors(path: Path, config: TrainingConfig) -> int:
    """The number of parameters of a safetensors file that fits the network of its card, name by name and shape by
    shape. Raises ContractError `model_tensor`, `model_shape`."""
    try:
        with safetensors.safe_open(path, "pt") as file:
            declared = {name: tuple(file.get_slice(name).get_shape()) for name in list(file.keys())}
            if sum(prod(shape) for shape in declared.values()) > MOST_PARAMETERS:
                raise ContractError("model_tensor", f"The model has more than {MOST_PARAMETERS} parameters.")
            expected = _shapes_of(config)
            if declared != expected:
                raise ContractError("model_shape", _say_difference(declared, expected))
            for name in expected:
                tensor = file.get_tensor(name)
                if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
                    raise ContractError("model_tensor", f"The weights {name} hold values that are not numbers.")
    except (safetensors.SafetensorError, OSError) as error:
        raise ContractError(
            "model_tensor", f"{path.name} is no safetensors file, or declares more than it holds; save it anew."
        ) from error
    return sum(prod(shape) for shape in expected.values())


def _shapes_of(config: TrainingConfig) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the network's tensors, without memory for them."""
    is_sane = 2 <= len(config.features) <= MOST_LEVELS and all(1 <= n <= MOST_FEATURES for n in config.features)
    if not is_sane:
        raise ContractError("model_shape", f"The card names {len(config.features)} levels that no network of ours has.")
    try:
        with torch.device("meta"):
            network = build_network(config)
    except (ValueError, IndexError, RuntimeError, TypeError) as error:
        raise ContractError("model_shape", "The card describes a network that cannot be built.") from error
    return {name: tuple(tensor.shape) for name, tensor in named_tensors(network).items()}


def _say_difference(declared: dict[str, tuple[int, ...]], expected: dict[str, tuple[int, ...]]) -> str:
    wrong = sorted(name for name in declared.keys() | expected.keys() if declared.get(name) != expected.get(name))
    first = wrong[0]
    return (
        f"{len(wrong)} tensors do not fit the network of the card, the first is {first[:80]}: "
        f"{declared.get(first, 'missing')}, not {expected.get(first, 'in it')}."
    )
