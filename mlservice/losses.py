"""Losses by name, over logits (batch, channels, [z,] y, x) and targets (batch, [z,] y, x)."""

from __future__ import annotations

import torch
from torch.nn import functional

from mlservice.contract.config import TrainingConfig
from mlservice.preprocess import IGNORED, UNNAMED


def supervised_loss(outputs: torch.Tensor, targets: torch.Tensor, config: TrainingConfig) -> torch.Tensor:
    """The loss; with deep supervision (outputs stacked along dimension 1) each coarser level counts half."""
    is_stacked = outputs.dim() == targets.dim() + 2
    levels = outputs.unbind(dim=1) if is_stacked else (outputs,)
    weights = [0.5**level for level in range(len(levels))]
    loss = {"bce": _bce, "dice_ce": _dice_ce, "finding_class": _finding_class}[config.loss]
    losses = [weight * loss(logits.float(), targets, config) for weight, logits in zip(weights, levels, strict=True)]
    return torch.stack(losses).sum() / sum(weights)


def _bce(logits: torch.Tensor, targets: torch.Tensor, config: TrainingConfig) -> torch.Tensor:
    known, truth = _known(targets), _one_hot(targets, config).to(logits.dtype)
    each = functional.binary_cross_entropy_with_logits(logits[:, 1:], truth[:, 1:], reduction="none")
    return (each * known).sum() / (known.sum() * len(config.classes)).clamp(min=1)


def _dice_ce(logits: torch.Tensor, targets: torch.Tensor, config: TrainingConfig) -> torch.Tensor:
    known, truth = _known(targets), _one_hot(targets, config).to(logits.dtype)
    entropy = functional.cross_entropy(logits, targets, ignore_index=IGNORED, reduction="sum") / known.sum().clamp(
        min=1
    )
    return entropy + _dice_loss(logits.softmax(dim=1)[:, 1:], truth[:, 1:], known)


def _finding_class(logits: torch.Tensor, targets: torch.Tensor, config: TrainingConfig) -> torch.Tensor:
    """Cross-entropy and Dice of any finding, and the cross-entropy of the class within the findings.

    Channel 0 is the logit against any finding, the others are logits of the classes among themselves. A class that is
    hard to tell must not cost findings: it counts as a mean over all voxels, of which few are findings. As a mean over
    the findings alone, even at a weight of .3, it left 10.5 instead of 4.9 mL on empty phantoms. A finding without a
    class (`UNNAMED`) counts in the first alone."""
    known = _known(targets)
    finding = ((targets != 0) & known[:, 0]).unsqueeze(1).to(logits.dtype)
    lead = -logits[:, :1]
    each = functional.binary_cross_entropy_with_logits(lead, finding, reduction="none")
    loss = (each * known).sum() / known.sum().clamp(min=1) + _dice_loss(lead.sigmoid(), finding, known)
    if len(config.classes) == 1:
        return loss
    has_class = (targets > 0) & (targets < UNNAMED)
    classes = torch.where(has_class, targets - 1, IGNORED)
    entropy = functional.cross_entropy(logits[:, 1:], classes, ignore_index=IGNORED, reduction="sum")
    return loss + entropy / known.sum().clamp(min=1)


def _dice_loss(share: torch.Tensor, truth: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """1 − soft Dice, the mean over channels; over the batch too: a patch without a finding must not count as a miss."""
    axes = [0, *range(2, share.dim())]
    share = share * known
    overlap = (share * truth).sum(dim=axes)
    size = (share + truth * known).sum(dim=axes)
    return (1 - (2 * overlap + 1) / (size + 1)).mean()


def _known(targets: torch.Tensor) -> torch.Tensor:
    return (targets != IGNORED).unsqueeze(1)


def _one_hot(targets: torch.Tensor, config: TrainingConfig) -> torch.Tensor:
    return functional.one_hot(torch.where(targets == IGNORED, 0, targets), config.channels).movedim(-1, 1)
