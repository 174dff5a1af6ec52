"""Stage `train`: one program for every profile; random patches, a number of steps, a threshold learned at the end."""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path

import msgspec
import torch
from torch import nn

from mlservice.calibrate import calibrate
from mlservice.checkpoint import FILE, fingerprint
from mlservice.contract.config import TrainingConfig
from mlservice.contract.requests import TrainRequest
from mlservice.contract.results import TrainResult
from mlservice.fitting import Fitting
from mlservice.held import examples, score, set_aside
from mlservice.networks import build_network, choose_device, count_parameters, put_on_device, settle_precision
from mlservice.patches import PatchSampler
from mlservice.prepared import prepare_all
from mlservice.team import Silent, Team, become_a_team, is_team
from mlservice.weights import load_model, load_tensors, named_tensors, save_model
from voxloop.child import read_json
from voxloop.child.inside import ChildFolder, run_inside
from voxloop.child.protocol import REQUEST


def train(request: TrainRequest, job: ChildFolder) -> TrainResult:
    """Prepare, train, calibrate, save. A second attempt in the same folder goes on where the first was killed, and ends
    with the same weights. Raises ContractError `bad_scan`, `nothing_to_learn`, `not_finite`."""
    began = time.monotonic()
    if request.processes > 1 and not is_team():
        become_a_team(request.processes, job.folder)
    team = Team()
    team.join()
    device = choose_device(request.config, request.seed)
    torch.set_num_threads(max(1, request.config.cpu_threads // team.size))
    # The card of the model holds what was used.
    config = msgspec.structs.replace(request.config, precision=settle_precision(request.config, device))
    folders = _prepared(request, job, team)
    learned, held = set_aside(folders, config.validation_share, request.seed)
    sampler = PatchSampler(learned, config, request.seed)
    network = build_network(config)
    begun = begin_from(network, config, job.path(request.start)) if request.start else ""
    put_on_device(network, config, device)
    fitting = Fitting(network, sampler, config, request.seed, device, team)
    validate = partial(score, folders=held, config=config, device=device) if held else None
    fitting.run(job, job.path(FILE), fingerprint(request, config.precision), validate)
    team.leave()
    if not team.is_first:
        sys.exit(0)
    metrics = {"training_loss": fitting.curve[-1].loss}
    if held:
        metrics |= {"validation_score": fitting.best_score, "best_step": float(fitting.best_step)}
    if config.calibrate:
        job.report(config.steps, config.steps, "Learning from which probability on a finding is marked")
        config, figures = _calibrated(network, held or folders, config, device)
        metrics |= figures
    folder = job.fresh("model")
    card = save_model(folder, network, config, manifest_hash=request.manifest_hash, seed=request.seed, metrics=metrics)
    return TrainResult(
        model="model",
        weights_sha256=card.weights_sha256,
        parameters=count_parameters(network),
        seconds=round(time.monotonic() - began, 2),
        device=device.type,
        curve=tuple(fitting.curve),
        begun=begun,
    )


def _prepared(request: TrainRequest, job: ChildFolder, team: Team) -> list[Path]:
    """The first process prepares for all."""
    folders = prepare_all(request, job) if team.is_first else [job.path("prepared") / each.id for each in request.scans]
    team.wait()
    return folders


def help_first(folder: Path) -> int:
    """What the other processes of a team do: the same steps, without a word."""
    train(read_json(TrainRequest, folder / REQUEST), Silent(folder.resolve()))
    return 0


def begin_from(network: nn.Module, config: TrainingConfig, folder: Path) -> str:
    """Take the weights of an earlier model, as far as they fit; returns a sentence about it.

    An output of other classes begins anew. Raises ContractError `bad_model` for a broken folder."""
    before, card = load_model(folder)
    if card.config.network != config.network or card.config.is_onnx:
        return f"The earlier model is a {card.config.network}: it began with random weights."
    ours, theirs = named_tensors(network), named_tensors(before)
    is_same = [each.key for each in card.config.classes] == [each.key for each in config.classes]
    outputs = {tensor.shape[0] for tensor in theirs.values() if tensor.ndim} & {card.config.channels}
    fitting = {
        name: tensor
        for name, tensor in theirs.items()
        if name in ours
        and tensor.shape == ours[name].shape
        and (is_same or not (tensor.ndim and tensor.shape[0] in outputs))
    }
    load_tensors(network, ours | fitting)
    return f"It began with {len(fitting)} of {len(ours)} tensors of the earlier model."


def _calibrated(
    network: nn.Module, folders: list[Path], config: TrainingConfig, device: torch.device
) -> tuple[TrainingConfig, dict[str, float]]:
    """The configuration with the threshold and the least island that were learned, and their figures."""
    choice = calibrate(examples(network, folders, config, device))
    if choice is None:
        return config, {}
    config = msgspec.structs.replace(
        config, threshold=choice.threshold, sure=choice.sure, min_island_ml=choice.min_island_ml
    )
    return config, {"calibration_dice": choice.dice, "calibration_invented_ml": choice.invented_ml}


if __name__ == "__main__":
    sys.exit(run_inside(TrainRequest, train) if Team().is_first else help_first(Path(sys.argv[1])))
