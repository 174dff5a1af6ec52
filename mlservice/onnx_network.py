"""A network from an ONNX file, run by ONNX Runtime on the processor."""

from __future__ import annotations

import numpy as np
import onnxruntime
import torch
from torch import nn

from mlservice.contract.config import TrainingConfig
from voxloop.child import ContractError

LEAST_SHARE = 1e-7  # so that a probability of 0 has a logarithm


class OnnxNetwork(nn.Module):
    """What `infer` expects of a network: (batch, channel, …) float32 in, logits with the background first out."""

    def __init__(self, body: bytes, config: TrainingConfig) -> None:
        super().__init__()
        self.config = config
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # as torch's: other work goes on
        try:
            self.session = onnxruntime.InferenceSession(body, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its errors share no base class
            raise ContractError("model_fails", "ONNX Runtime cannot load the network; export it anew.") from error

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Raises ContractError `model_fails`, and `model_shape` for an output of another shape."""
        feeds = {self.session.get_inputs()[0].name: inputs.detach().float().cpu().contiguous().numpy()}
        try:
            found = self.session.run([self.session.get_outputs()[0].name], feeds)[0]
        except Exception as error:
            sides = "×".join(str(side) for side in inputs.shape[2:])
            raise ContractError("model_fails", f"The network stopped on a patch of {sides} voxels.") from error
        classes = self.config.channels - (self.config.answers == "sigmoid")
        wanted = (inputs.shape[0], classes, *inputs.shape[2:])
        if not isinstance(found, np.ndarray) or found.shape != wanted:
            shape = getattr(found, "shape", None)
            raise ContractError("model_shape", f"The network answers {shape} where {wanted} was expected.")
        if not np.isfinite(found).all():
            raise ContractError("model_fails", "The network answers values that are not numbers.")
        scores = torch.from_numpy(found.astype(np.float32, copy=False)).to(inputs.device)
        if self.config.answers == "probabilities":
            return scores.clamp(min=LEAST_SHARE).log()
        if self.config.answers == "sigmoid":
            return torch.cat([torch.zeros_like(scores[:, :1]), scores], dim=1)
        return scores
