"""Stage `train`: one program for every profile; a fixed number of steps over random patches."""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from mlservice.contract.codec import ContractError
from mlservice.contract.config import TrainingConfig
from mlservice.contract.requests import TrainRequest
from mlservice.contract.results import LossPoint, TrainResult
from mlservice.job import Job, run_stage
from mlservice.networks import autocast, build_network, choose_device, count_parameters
from mlservice.patches import PatchSampler, augment
from mlservice.preprocess import IGNORED, prepare_scan
from mlservice.weights import save_model

# A point of the curve at least this often, so that a person sees it grow; short runs get about sixty.
CURVE_POINTS, MOST_STEPS_BETWEEN = 60, 20


def train(request: TrainRequest, job: Job) -> TrainResult:
    """Prepare, train, save. Raises ContractError `bad_scan`, `nothing_to_learn`, `not_finite`."""
    began = time.monotonic()
    config = request.config
    device = choose_device(config, request.seed)
    sampler = PatchSampler(_prepared(request, job), config, request.seed)
    network = build_network(config).to(device)
    curve = fit(network, sampler, config, request.seed, device, job)
    folder = job.fresh("model")
    card = save_model(
        folder, network, config, manifest_hash=request.manifest_hash, seed=request.seed, loss=curve[-1].loss
    )
    return TrainResult(
        model="model",
        weights_sha256=card.weights_sha256,
        parameters=count_parameters(network),
        seconds=round(time.monotonic() - began, 2),
        device=device.type,
        curve=tuple(curve),
    )


def fit(
    network: nn.Module, sampler: PatchSampler, config: TrainingConfig, seed: int, device: torch.device, job: Job
) -> list[LossPoint]:
    """The loop. Answers the curve: the mean loss over each stretch of steps."""
    optimiser = _optimiser(network, config)
    generator = torch.Generator().manual_seed(seed)
    every = min(MOST_STEPS_BETWEEN, max(1, config.steps // CURVE_POINTS))
    curve: list[LossPoint] = []
    recent: list[float] = []
    network.train()
    for step in range(1, config.steps + 1):
        for group in optimiser.param_groups:
            group["lr"] = config.learning_rate * one_cycle(step, config.steps)
        images, targets = augment(*sampler.draw(), config, generator)
        images, targets = images.to(device), targets.to(device)
        with autocast(config, device):
            loss = supervised_loss(network(images), targets, config)
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(network.parameters(), 12.0)
        optimiser.step()
        recent.append(float(loss.detach()))
        if not math.isfinite(recent[-1]):
            raise ContractError("not_finite", f"The loss is not a number any more after step {step}.")
        if step % every == 0 or step == config.steps:
            curve.append(LossPoint(step, round(float(np.mean(recent)), 6)))
            recent.clear()
            job.report(step, config.steps, f"Step {step} of {config.steps}", {"train": curve[-1].loss})
    return curve


def one_cycle(step: int, steps: int) -> float:
    """Share of the peak learning rate at `step` (from 1): cosine up over the first 30 %, cosine down to zero."""
    warm = max(1.0, 0.3 * steps)
    if step <= warm:
        return 0.04 + 0.96 * 0.5 * (1 - math.cos(math.pi * step / warm))
    return max(1e-4, 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm + 1))))


def supervised_loss(outputs: torch.Tensor, targets: torch.Tensor, config: TrainingConfig) -> torch.Tensor:
    """The loss; with deep supervision (outputs stacked along dimension 1) each coarser level counts half."""
    is_stacked = outputs.dim() == targets.dim() + 2
    levels = outputs.unbind(dim=1) if is_stacked else (outputs,)
    weights = [0.5**level for level in range(len(levels))]
    losses = [weight * _loss(logits.float(), targets, config) for weight, logits in zip(weights, levels, strict=True)]
    return torch.stack(losses).sum() / sum(weights)


def _loss(logits: torch.Tensor, targets: torch.Tensor, config: TrainingConfig) -> torch.Tensor:
    known = (targets != IGNORED).unsqueeze(1)
    truth = functional.one_hot(torch.where(targets == IGNORED, 0, targets), config.channels).movedim(-1, 1)
    truth = truth.to(logits.dtype)
    if config.loss == "bce":
        each = functional.binary_cross_entropy_with_logits(logits[:, 1:], truth[:, 1:], reduction="none")
        return (each * known).sum() / (known.sum() * len(config.classes)).clamp(min=1)
    entropy = functional.cross_entropy(logits, targets, ignore_index=IGNORED, reduction="sum") / known.sum().clamp(
        min=1
    )
    share = logits.softmax(dim=1) * known
    axes = [0, *range(2, logits.dim())]  # over the batch too: a patch without a finding must not count as a miss
    overlap = (share * truth).sum(dim=axes)[1:]
    size = (share + truth * known).sum(dim=axes)[1:]
    return entropy + (1 - (2 * overlap + 1) / (size + 1)).mean()


def _optimiser(network: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    if config.optimiser == "adamw":
        return torch.optim.AdamW(network.parameters(), lr=config.learning_rate, weight_decay=1e-2)
    return torch.optim.SGD(
        network.parameters(),
        lr=config.learning_rate,
        momentum=0.99 if config.deep_supervision else 0.9,
        nesterov=True,
        weight_decay=3e-5,
    )


def _prepared(request: TrainRequest, job: Job) -> list[Path]:
    into = job.path(request.prepared) if request.prepared else job.fresh("prepared")
    places = []
    for position, scan in enumerate(request.scans, start=1):
        places.append(prepare_scan(scan, job, request.config, into))
        job.report(0, request.config.steps, f"Prepared scan {position} of {len(request.scans)}")
    return places


if __name__ == "__main__":
    sys.exit(run_stage(TrainRequest, train))
