"""An exponential moving average of a network's weights: steadier than the last ones of a short training."""

from __future__ import annotations

from torch import nn

from mlservice.weights import Tensors, named_tensors

# The average takes n / (n + 10) of itself over after n steps, and never more than its decay: it forgets its first
# steps fast.
WARM_UP_STEPS = 10


class Average:
    """The average of a network's weights and statistics over the steps so far, with a decay per step."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay, self.steps = decay, 0
        self.state: Tensors = {name: tensor.detach().clone() for name, tensor in named_tensors(network).items()}

    def add(self, network: nn.Module) -> None:
        """Count the weights as they are now."""
        self.steps += 1
        keep = min(self.decay, self.steps / (self.steps + WARM_UP_STEPS))
        for name, tensor in named_tensors(network).items():
            if tensor.dtype.is_floating_point:
                self.state[name].lerp_(tensor.detach(), 1 - keep)
            else:
                self.state[name].copy_(tensor)
