"""A model on disk: model.json beside weights.safetensors, or beside model.onnx. No other format is loaded
(CVE-2025-32434)."""

from __future__ import annotations

import hashlib
import platform
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import safetensors
import torch
from safetensors.torch import load, save
from torch import nn

from mlservice.contract.config import WEIGHTS, TrainingConfig, weights_name
from mlservice.networks import build_network
from voxloop.child import ContractError, Document, read_json, sync_folder, write_json

CARD = "model.json"

Tensors = dict[str, torch.Tensor]


class ModelCard(Document, frozen=True):
    """`model.json`: everything needed to use the weights, and their provenance."""

    config: TrainingConfig
    manifest_hash: str
    seed: int
    weights_sha256: str
    versions: dict[str, str]
    metrics: dict[str, float]


def save_model(
    folder: Path,
    network: nn.Module,
    config: TrainingConfig,
    *,
    manifest_hash: str,
    seed: int,
    metrics: dict[str, float],
) -> ModelCard:
    """Write both files into an existing folder; model.json last."""
    body = save({name: tensor.detach().cpu().contiguous() for name, tensor in named_tensors(network).items()})
    (folder / WEIGHTS).write_bytes(body)
    card = ModelCard(
        config=config,
        manifest_hash=manifest_hash,
        seed=seed,
        weights_sha256=hashlib.sha256(body).hexdigest(),
        versions={"python": platform.python_version(), "torch": str(torch.__version__), "monai": version("monai")},
        metrics=metrics,
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
    name = weights_name(card.config.network)
    try:
        body = (folder / name).read_bytes()
    except OSError as error:
        raise ContractError("bad_model", f"There is no {name}; no other format is read.") from error
    if hashlib.sha256(body).hexdigest() != card.weights_sha256:
        raise ContractError("bad_model", "The weights do not match the hash in model.json.")
    if card.config.is_onnx:
        # By name: a folder that left the platform needs no ONNX Runtime for the weights in it.
        network: nn.Module = import_module("mlservice.onnx_network").OnnxNetwork(body, card.config)
        return network, card
    try:
        state = load(body)
    except (safetensors.SafetensorError, ValueError) as error:
        raise ContractError("bad_model", f"{WEIGHTS} is not a safetensors file.") from error
    network = build_network(card.config)
    try:
        load_tensors(network, state)
    except RuntimeError as error:
        raise ContractError("bad_model", "The weights do not fit the network of model.json.") from error
    return network, card


def named_tensors(network: nn.Module) -> Tensors:
    """Every tensor once: DynUNet registers each layer under two names."""
    return dict(network.named_parameters()) | dict(network.named_buffers())


def load_tensors(network: nn.Module, tensors: Tensors) -> None:
    """Undo `named_tensors`. Raises RuntimeError for other names or shapes."""
    if set(tensors) != set(named_tensors(network)):
        raise RuntimeError("other tensors")
    network.load_state_dict(tensors, strict=False)
