"""A model on disk: weights.safetensors and model.json. Nothing else is ever loaded (CVE-2025-32434)."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import safetensors
import torch
from safetensors.torch import load, save
from torch import nn

from mlservice.contract.codec import ContractError, read_json, sync_folder, write_json
from mlservice.contract.config import TrainingConfig
from mlservice.networks import build_network

WEIGHTS, CARD = "weights.safetensors", "model.json"


@dataclass(frozen=True)
class ModelCard:
    """`model.json`: everything needed to use the weights, and where they come from."""

    config: TrainingConfig
    manifest_hash: str
    seed: int
    weights_sha256: str
    versions: dict[str, str]
    metrics: dict[str, float]


def save_model(
    folder: Path, network: nn.Module, config: TrainingConfig, *, manifest_hash: str, seed: int, loss: float
) -> ModelCard:
    """Write both files into an existing folder; model.json last."""
    body = save({name: tensor.detach().cpu().contiguous() for name, tensor in _tensors(network).items()})
    (folder / WEIGHTS).write_bytes(body)
    card = ModelCard(
        config=config,
        manifest_hash=manifest_hash,
        seed=seed,
        weights_sha256=hashlib.sha256(body).hexdigest(),
        versions={"python": platform.python_version(), "torch": torch.__version__, "monai": version("monai")},
        metrics={"training_loss": loss},
    )
    write_json(folder / CARD, card)
    sync_folder(folder)
    return card


def load_model(folder: Path) -> tuple[nn.Module, ModelCard]:
    """The network with its weights, on the CPU. Raises ContractError `bad_model` for anything but what
    `save_model` wrote: a pickle, another file, a changed byte, a tensor missing or of another shape."""
    try:
        card = read_json(ModelCard, folder / CARD)
    except ContractError as error:
        raise ContractError("bad_model", f"There is no usable {CARD}: {error.sentence}") from error
    try:
        body = (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise ContractError("bad_model", f"There is no {WEIGHTS}; no other format is read.") from error
    if hashlib.sha256(body).hexdigest() != card.weights_sha256:
        raise ContractError("bad_model", "The weights are not the ones that model.json names.")
    try:
        state = load(body)
    except (safetensors.SafetensorError, ValueError) as error:
        raise ContractError("bad_model", f"{WEIGHTS} is not a safetensors file.") from error
    network = build_network(card.config)
    try:
        if set(state) != set(_tensors(network)):
            raise RuntimeError("other tensors")
        network.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise ContractError("bad_model", "The weights do not fit the network that model.json names.") from error
    return network, card


def _tensors(network: nn.Module) -> dict[str, torch.Tensor]:
    """Every tensor once: DynUNet registers each layer under two names."""
    return dict(network.named_parameters()) | dict(network.named_buffers())
