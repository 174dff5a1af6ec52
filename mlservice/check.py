"""Stage `check`: a model that was brought, looked at piece by piece, tried on a volume, and put into our own form."""

from __future__ import annotations

import hashlib
import shutil
import sys
import time
from pathlib import Path

import msgspec
import numpy as np
import torch
from torch import nn

from mlservice.brought.descriptors import Descriptor, check_sizes, find_segments, read_descriptor, to_config
from mlservice.brought.graphs import Graph, read_graph
from mlservice.brought.tensors import check_tensors
from mlservice.brought.unpack import MODEL, unpack
from mlservice.contract.config import ONNX, TrainingConfig, weights_name
from mlservice.contract.requests import CheckRequest
from mlservice.contract.results import CheckResult
from mlservice.networks import put_on_device
from mlservice.predict import find
from mlservice.scans import Mask
from mlservice.weights import ModelCard, load_model
from voxloop.child import ContractError, read_json, write_json
from voxloop.child.inside import ChildFolder, run_inside

STEPS = 4
TRIAL_MM = (5.0, 1.5, 1.5)
TRIAL_SHAPE = (8, 96, 96)


def check(request: CheckRequest, job: ChildFolder) -> CheckResult:
    """Raises ContractError with the code of what is wrong (docs/ml-contract.md)."""
    began = time.monotonic()
    torch.set_num_threads(request.cpu_threads)
    brought = job.fresh("brought")
    job.report(0, STEPS, "Unpacking the model")
    unpack(job.path(request.file), brought)
    job.report(1, STEPS, "Checking its weights")
    if (brought / MODEL).exists():
        card, parameters, form, notes = _read_own(brought, request)
    else:
        card, parameters, form, notes = _read_onnx(brought, request)
    folder = job.fresh("model")
    shutil.move(brought / weights_name(card.config.network), folder)
    write_json(folder / MODEL, card)
    shutil.rmtree(brought)
    job.report(2, STEPS, "Trying it on a small volume")
    network, _ = load_model(folder)
    seconds = _try(network, card.config)
    job.report(3, STEPS, f"It labels {TRIAL_SHAPE[0]} small slices in {seconds:.1f} s")
    return CheckResult("model", form, card.weights_sha256, parameters, round(time.monotonic() - began, 2), notes)


def _read_own(folder: Path, request: CheckRequest) -> tuple[ModelCard, int, str, tuple[str, ...]]:
    """A folder that the platform once made."""
    try:
        card = read_json(ModelCard, folder / MODEL)
        check_sizes(card.config.patch_zyx, card.config.spacing_mm_zyx, card.config.grid_px)
    except ContractError as error:
        raise ContractError("model_card", f"{MODEL} is not a card of a model: {error.sentence}") from error
    path = folder / weights_name(card.config.network)
    if not path.exists():
        raise ContractError("model_unknown", f"{MODEL} is there, but not {path.name}; send both.")
    if _sha256(path) != card.weights_sha256:
        raise ContractError("model_hash", f"{path.name} is not the file that {MODEL} names: the hash differs.")
    if card.config.is_onnx:
        graph = read_graph(path)
        _check_fit(graph, card.config)
        parameters = graph.parameters
    else:
        parameters = check_tensors(path, card.config)
    classes = find_segments([segment.key for segment in card.config.classes], request.segments)
    config = msgspec.structs.replace(card.config, classes=classes, cpu_threads=request.cpu_threads)
    note = f"Its frozen list of masks is sha256 {card.manifest_hash}." if card.manifest_hash else ""
    return msgspec.structs.replace(card, config=config), parameters, "voxloop", (note,) if note else ()


def _read_onnx(folder: Path, request: CheckRequest) -> tuple[ModelCard, int, str, tuple[str, ...]]:
    """A network of any maker, with a description."""
    graph = read_graph(folder / ONNX)
    descriptor, form = read_descriptor(folder, graph.sides)
    digest = _sha256(folder / ONNX)
    if descriptor.sha256 and descriptor.sha256 != digest:
        raise ContractError("model_hash", f"{ONNX} is not the file that its description names: the hash differs.")
    classes = find_segments(descriptor.classes, request.segments)
    config = to_config(_with_sides(descriptor, graph), graph.dimensions, classes, request.cpu_threads)
    _check_fit(graph, config)
    card = ModelCard(config=config, manifest_hash="", seed=0, weights_sha256=digest, versions={}, metrics={})
    notes = ("It reads nnU-Net's plans; resampling is linear and flips are not averaged.",) if form == "nnunet" else ()
    return card, graph.parameters, form, notes


def _with_sides(descriptor: Descriptor, graph: Graph) -> Descriptor:
    """With the patch that the file fixes, where it fixes one."""
    sides = graph.sides if graph.dimensions == 3 else (1, *graph.sides)
    z, y, x = (have or asked for have, asked in zip(sides, descriptor.patch_zyx, strict=True))
    try:
        return msgspec.structs.replace(descriptor, patch_zyx=(z, y, x))
    except ContractError as error:
        raise ContractError("model_card", error.sentence) from error


def _check_fit(graph: Graph, config: TrainingConfig) -> None:
    if config.is_flat != (graph.dimensions == 2):
        raise ContractError("model_shape", f"The network reads {graph.dimensions}D patches, its card says otherwise.")
    if graph.channels not in (None, config.inputs):
        raise ContractError(
            "model_shape", f"The network reads {graph.channels} channels; the platform gives {config.inputs}."
        )
    sides = graph.sides if graph.dimensions == 3 else (1, *graph.sides)
    if any(have not in (None, asked) for have, asked in zip(sides, config.patch_zyx, strict=True)):
        raise ContractError("model_shape", f"The network reads patches of {sides}, its card says {config.patch_zyx}.")


def _try(network: nn.Module, config: TrainingConfig) -> float:
    """Seconds for a small volume; the answer must have its shape and be numbers. Raises ContractError `model_fails`,
    `model_shape`."""
    began = time.monotonic()
    device = torch.device("cpu")
    hu = np.random.default_rng(0).normal(-800, 60, TRIAL_SHAPE).astype(np.int16)
    lungs: Mask = np.zeros(TRIAL_SHAPE, bool)
    lungs[1:-1, 16:-16, 16:-16] = True
    try:
        found = find(put_on_device(network, config, device).eval(), hu, TRIAL_MM, lungs, config, device)
    except ContractError:
        raise
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        raise ContractError("model_fails", "The network stopped on a small volume; export it anew.") from error
    if found.probability.shape != TRIAL_SHAPE or not np.isfinite(found.probability).all():
        raise ContractError("model_fails", "The network answers values that are not numbers.")
    return time.monotonic() - began


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(run_inside(CheckRequest, check))
