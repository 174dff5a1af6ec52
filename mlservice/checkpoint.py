"""Where a training stands, on disk: a killed one goes on from there and ends with the same weights.

One safetensors file, replaced as a whole: tensors by name, and everything else as JSON in its header. Like a model, it
is no pickle."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import save_file

from mlservice.contract.requests import TrainRequest
from voxloop.child import sync_folder, to_json

FILE = "checkpoint.safetensors"

Tensors = dict[str, torch.Tensor]


def fingerprint(request: TrainRequest, precision: str) -> str:
    """What a checkpoint must have been made with to be continued: the same request, precision and version of torch."""
    made_with = {"request": to_json(request), "precision": precision, "torch": str(torch.__version__)}
    return hashlib.sha256(json.dumps(made_with, sort_keys=True).encode()).hexdigest()


def write_checkpoint(path: Path, tensors: Tensors, facts: Mapping[str, Any], made_with: str) -> None:
    """Replace the file, atomically."""
    spare = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    header = {"facts": json.dumps(facts), "made_with": made_with}
    save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, spare, header)
    with spare.open("rb") as file:
        os.fsync(file.fileno())
    spare.replace(path)
    sync_folder(path.parent)


def read_checkpoint(path: Path, made_with: str) -> tuple[Tensors, dict[str, Any]] | None:
    """Tensors and facts; None where there is no checkpoint, or one of another request or version, or a broken one."""
    for spare in path.parent.glob(f".{path.name}.*.tmp"):
        spare.unlink(missing_ok=True)  # of an attempt that was killed while it wrote
    try:
        with safetensors.safe_open(path, "pt") as file:
            header = file.metadata() or {}
            if header.get("made_with") != made_with:
                return None
            return {name: file.get_tensor(name) for name in list(file.keys())}, json.loads(header["facts"])
    except (OSError, ValueError, KeyError, safetensors.SafetensorError):
        return None


def pack_optimiser(optimiser: torch.optim.Optimizer) -> Tensors:
    """Its running averages, as `optimiser.<parameter>.<name>`; the learning rate is set anew at every step."""
    return {
        f"optimiser.{number}.{name}": value
        for number, values in optimiser.state_dict()["state"].items()
        for name, value in values.items()
        if isinstance(value, torch.Tensor)
    }


def unpack_optimiser(optimiser: torch.optim.Optimizer, tensors: Tensors) -> None:
    """Undo `pack_optimiser`."""
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("optimiser."):
            _, number, name = key.split(".", 2)
            state.setdefault(int(number), {})[name] = value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})


def pack(prefix: str, tensors: Mapping[str, torch.Tensor]) -> Tensors:
    """The tensors under names that begin with `prefix`."""
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def unpack(prefix: str, tensors: Tensors) -> Tensors:
    """Undo `pack`."""
    start = f"{prefix}."
    return {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}
