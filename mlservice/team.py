"""Several processes that train one network: each takes its part of every batch, and all have the same weights.

`torchrun` starts them inside the job, one for each GPU, or some on processors. All draw the same batch with the same
random numbers, so that one checkpoint is that of all of them."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch import distributed, nn

from voxloop.child.inside import PR_SET_PDEATHSIG, ChildFolder


class Team:
    """The processes of a training. Without torchrun, a team of one."""

    def __init__(self) -> None:
        self.rank, self.size = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))

    def join(self) -> None:
        """Meet the others, and end with the process that started this one."""
        if self.size == 1:
            return
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        has_gpu = torch.cuda.is_available()
        if has_gpu:
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        # The first prepares every scan while the others wait.
        distributed.init_process_group("nccl" if has_gpu else "gloo", timeout=timedelta(hours=24))

    def leave(self) -> None:
        """Part from the others."""
        if self.size > 1:
            distributed.destroy_process_group()

    @property
    def is_first(self) -> bool:
        """Whether this process prepares, validates, reports and saves."""
        return self.rank == 0

    def wait(self) -> None:
        """Until all are here."""
        if self.size > 1:
            distributed.barrier()

    def part_of(self, batch: torch.Tensor) -> torch.Tensor:
        """The samples of a batch that this process learns from."""
        return batch[self.rank :: self.size]

    def agree(self, network: nn.Module) -> None:
        """Replace gradients and running statistics by their means over all processes."""
        if self.size == 1:
            return
        values = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
        values += [buffer for buffer in network.buffers() if buffer.dtype.is_floating_point]
        for value in values:
            distributed.all_reduce(value)
            value /= self.size

    def mean(self, value: float, device: torch.device) -> float:
        """The mean of a number over all processes."""
        if self.size == 1:
            return value
        held = torch.tensor([value], dtype=torch.float64, device=device)
        distributed.all_reduce(held)
        return float(held) / self.size

    def from_first(self, work: Callable[[], float], device: torch.device) -> float:
        """What the first process finds; the others wait for it."""
        held = torch.tensor([work() if self.is_first else 0.0], dtype=torch.float64, device=device)
        if self.size > 1:
            distributed.broadcast(held, 0)
        return float(held)


class Silent(ChildFolder):
    """The job's folder for the processes that only help."""

    def report(self, *_: Any, **__: Any) -> None:
        """Say nothing: the first process does."""


def become_a_team(processes: int, folder: Path) -> None:
    """Replace this process by torchrun, which starts `processes` of the stage `train`. Does not return.

    The same process id: who watches and ends this one watches and ends torchrun, whose processes end with it."""
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    os.execv(sys.executable, [sys.executable, *words, "-m", "mlservice.train", str(folder)])  # noqa: S606


def is_team() -> bool:
    """Whether torchrun started this process."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ
