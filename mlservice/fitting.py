"""The steps of a training: patches, loss, optimiser, average, validation, checkpoints."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import torch
from torch import nn

from mlservice.augment import augment
from mlservice.average import Average
from mlservice.checkpoint import pack, pack_optimiser, read_checkpoint, unpack, unpack_optimiser, write_checkpoint
from mlservice.contract.config import TrainingConfig
from mlservice.contract.results import LossPoint
from mlservice.losses import supervised_loss
from mlservice.networks import autocast, memory_format
from mlservice.patches import PatchSampler
from mlservice.team import Team
from mlservice.weights import Tensors, load_tensors, named_tensors
from voxloop.child import ContractError
from voxloop.child.inside import ChildFolder

# A point of the curve at least this often, for live display; short runs get about sixty.
CURVE_POINTS, MOST_STEPS_BETWEEN = 60, 20
# A killed training loses at most a twentieth of its steps.
CHECKPOINTS = 20

Validate = Callable[[nn.Module], float]


class Fitting:
    """A training in progress. `run` ends with the weights to keep in `network`: the best validated ones, or the last;
    averaged where the configuration says so."""

    def __init__(
        self,
        network: nn.Module,
        sampler: PatchSampler,
        config: TrainingConfig,
        seed: int,
        device: torch.device,
        team: Team | None = None,
    ) -> None:
        self.team = team or Team()
        self.network, self.sampler, self.config, self.device = network, sampler, config, device
        self.optimiser = _optimiser(network, config)
        self.average = Average(network, config.ema) if config.ema else None
        self.generator = torch.Generator().manual_seed(seed)
        self.step = 0
        self.curve: list[LossPoint] = []
        self.recent: list[float] = []
        self.best: Tensors = {}  # of the best validation so far
        self.best_score, self.best_step, self.waited = -1.0, 0, 0

    def run(self, job: ChildFolder, checkpoint: Path, made_with: str, validate: Validate | None = None) -> None:
        """Take the steps that are left. Raises ContractError `not_finite`."""
        config = self.config
        every = min(MOST_STEPS_BETWEEN, max(1, config.steps // CURVE_POINTS))
        keep_every = max(1, config.steps // CHECKPOINTS)
        self._continue(job, checkpoint, made_with)
        while self.step < config.steps and not self._is_over():
            self.step += 1
            self.recent.append(self._take_step())
            if not math.isfinite(self.recent[-1]):
                raise ContractError("not_finite", f"The loss is not a number any more after step {self.step}.")
            is_last = self.step == config.steps
            score = None
            if validate and (is_last or self.step % config.validate_every == 0):
                score = self._look(validate)
            if self.step % every == 0 or is_last or score is not None:
                point = LossPoint(self.step, round(float(np.mean(self.recent)), 6), score)
                self.curve.append(point)
                self.recent.clear()
                _tell(job, point, config.steps)
            if (self.step % keep_every == 0 or is_last) and self.team.is_first:
                self._keep(checkpoint, made_with)
        load_tensors(self.network, self.best or self._weights())

    def _take_step(self) -> float:
        config = self.config
        self.network.train()
        for group in self.optimiser.param_groups:
            group["lr"] = config.learning_rate * one_cycle(self.step, config.steps)
        patches = augment(self.sampler.draw(), config, self.generator)
        images = self.team.part_of(patches.inputs(config)).to(self.device, memory_format=memory_format(config))
        targets = self.team.part_of(patches.targets).to(self.device)
        with autocast(config, self.device):
            loss = supervised_loss(self.network(images), targets, config)
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self.team.agree(self.network)
        nn.utils.clip_grad_norm_(self.network.parameters(), 12.0)
        self.optimiser.step()
        if self.average:
            self.average.add(self.network)
        return self.team.mean(float(loss.detach()), self.device)

    def _look(self, validate: Validate) -> float:
        """Validate the weights as they would be kept now."""
        last = {name: tensor.detach().clone() for name, tensor in named_tensors(self.network).items()}
        kept = self._weights()
        load_tensors(self.network, kept)
        score = round(self.team.from_first(lambda: validate(self.network.eval()), self.device), 6)
        load_tensors(self.network, last)
        self.waited += 1
        if score > self.best_score:
            self.best = {name: tensor.detach().clone() for name, tensor in kept.items()}
            self.best_score, self.best_step, self.waited = score, self.step, 0
        return score

    def _is_over(self) -> bool:
        return 0 < self.config.patience <= self.waited

    def _weights(self) -> Tensors:
        return self.average.state if self.average else named_tensors(self.network)

    def _keep(self, path: Path, made_with: str) -> None:
        tensors = pack("network", named_tensors(self.network)) | pack_optimiser(self.optimiser)
        tensors |= pack("average", self.average.state if self.average else {}) | pack("best", self.best)
        tensors |= {"generator": self.generator.get_state(), "torch": torch.get_rng_state()}
        facts = {
            "step": self.step,
            "averaged": self.average.steps if self.average else 0,
            "sampler": self.sampler.random.bit_generator.state,
            "curve": msgspec.to_builtins(self.curve),
            "recent": self.recent,
            "best": [self.best_score, self.best_step, self.waited],
        }
        write_checkpoint(path, tensors, facts, made_with)

    def _continue(self, job: ChildFolder, path: Path, made_with: str) -> None:
        """Take over where a killed attempt stood."""
        kept = read_checkpoint(path, made_with)
        if kept is None:
            return
        tensors, facts = kept
        load_tensors(self.network, unpack("network", tensors))
        unpack_optimiser(self.optimiser, tensors)
        if self.average:
            self.average.steps = facts["averaged"]
            for name, tensor in unpack("average", tensors).items():
                self.average.state[name].copy_(tensor)
        self.best = unpack("best", tensors)
        self.generator.set_state(tensors["generator"])
        torch.set_rng_state(tensors["torch"])
        self.sampler.random.bit_generator.state = facts["sampler"]
        self.step, self.recent = facts["step"], facts["recent"]
        self.curve = msgspec.convert(facts["curve"], list[LossPoint])
        self.best_score, self.best_step, self.waited = facts["best"]
        # Whoever watches gets the whole curve again.
        for point in self.curve:
            _tell(job, point, self.config.steps)
        job.report(self.step, self.config.steps, f"Continued after step {self.step} of {self.config.steps}")


def one_cycle(step: int, steps: int) -> float:
    """Share of the peak learning rate at `step` (from 1): cosine up over the first 30 %, cosine down to zero."""
    warm = max(1.0, 0.3 * steps)
    if step <= warm:
        return 0.04 + 0.96 * 0.5 * (1 - math.cos(math.pi * step / warm))
    return max(1e-4, 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm + 1))))


def _tell(job: ChildFolder, point: LossPoint, steps: int) -> None:
    losses = {"train": point.loss}
    if point.validation is not None:
        losses["validation"] = point.validation
    job.report(point.step, steps, f"Step {point.step} of {steps}", losses)


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
