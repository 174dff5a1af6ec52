"""The loss of any finding and of its class."""

import pytest
import torch
from torch.nn import functional

from mlservice.contract import Segment
from mlservice.losses import supervised_loss
from mlservice.networks import probabilities
from mlservice.preprocess import IGNORED, UNNAMED
from tests.ml.bodies import tiny

TWO = tiny("demo", classes=(Segment(1, "a"), Segment(2, "b")))


def logits_of(classes: list[int]) -> torch.Tensor:
    """Logits that are sure of these channels: (1, channels, 1, n)."""
    sure = 20 * functional.one_hot(torch.tensor(classes), TWO.channels).float().T
    sure[0] = torch.where(torch.tensor(classes) == 0, 20.0, -20.0)
    return sure[None, :, None]


def loss(classes: list[int], targets: list[int]) -> float:
    return float(supervised_loss(logits_of(classes), torch.tensor(targets)[None, None], TWO))


def test_right_is_nothing_and_every_kind_of_wrong_is_something() -> None:
    assert loss([0, 1, 2], [0, 1, 2]) == pytest.approx(0, abs=1e-4)
    assert loss([0, 2, 1], [0, 1, 2]) == pytest.approx(20 * 2 / 3, rel=1e-3)  # found, classes exchanged
    assert loss([0, 0, 2], [0, 1, 2]) > 1  # missed
    assert loss([1, 1, 2], [0, 1, 2]) > 1  # a false positive


def test_a_finding_without_a_class_may_be_any() -> None:
    assert loss([0, 1, 2], [0, UNNAMED, UNNAMED]) == pytest.approx(0, abs=1e-4)
    assert loss([0, 0, 2], [0, UNNAMED, UNNAMED]) > 1


def test_ignored_voxels_count_nothing() -> None:
    assert loss([0, 1, 2, 1], [0, 1, 2, IGNORED]) == pytest.approx(0, abs=1e-4)
    assert loss([0, 1, 1, 2], [IGNORED] * 4) == pytest.approx(0, abs=1e-4)


def test_the_parts_of_the_loss_add_up() -> None:
    torch.manual_seed(1)
    logits, targets = torch.randn(2, 3, 5, 5), torch.randint(0, 3, (2, 5, 5))
    shares = probabilities(logits, TWO)
    any_finding, finding = shares[:, 1:].sum(dim=1), (targets > 0).float()
    dice = 1 - (2 * (any_finding * finding).sum() + 1) / (any_finding.sum() + finding.sum() + 1)
    entropy = functional.binary_cross_entropy(any_finding, finding)
    within = (shares[:, 1:] / any_finding.unsqueeze(1)).log()
    named = torch.where(targets > 0, targets - 1, -1)
    of_class = functional.nll_loss(within, named, ignore_index=-1, reduction="sum") / targets.numel()
    expected = float(entropy + dice + of_class)
    assert float(supervised_loss(logits, targets, TWO)) == pytest.approx(expected, rel=1e-5)
