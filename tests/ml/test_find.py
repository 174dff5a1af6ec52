"""From a network's output to marks: threshold, islands, precision; with a network whose output is known."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

from mlservice.average import Average
from mlservice.contract import Segment, TrainingConfig
from mlservice.networks import probabilities, settle_precision
from mlservice.predict import ModelOutput, find
from tests.ml.bodies import tiny

SPACING = (5.0, 2.0, 2.0)  # 20 mm³ a voxel: 150 voxels are 3 mL
SHAPE = (8, 64, 64)
EVERYWHERE = np.ones(SHAPE, bool)
TWO = (Segment(3, "a"), Segment(7, "b"))


class Echo(nn.Module):
    """The probability of any finding is the first input channel; of the classes, the first is likelier where the second
    channel is half or more."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        share = inputs[:, :1].clamp(1e-4, 1 - 1e-4)
        first = torch.where(inputs[:, -1:] >= 0.5, 0.8, 0.2)
        return torch.cat([(1 - share).logit(), first.log(), (1 - first).log()], dim=1)


def settings(**changes: Any) -> TrainingConfig:
    return tiny("demo", classes=TWO, spacing_mm_zyx=(0.0, 2.0, 2.0), **{"threshold": 0.6, "sure": 0.0, **changes})


def found(share: npt.NDArray[np.float64], lungs: Any = EVERYWHERE, **changes: Any) -> ModelOutput:
    """What `find` marks where the network gives these probabilities."""
    hu = np.round(-1250 + 1500 * share).astype(np.int16)
    return find(Echo(), hu, SPACING, lungs, settings(**changes), torch.device("cpu"))


def test_the_threshold_of_the_card_decides() -> None:
    share = np.full(SHAPE, 0.1)
    share[:, :20, :20], share[:, 30:50, 30:50] = 0.55, 0.65
    assert (found(share).labels > 0).sum() == 8 * 20 * 20
    assert (found(share, threshold=0.5).labels > 0).sum() == 2 * 8 * 20 * 20
    assert not found(share, threshold=0.7).labels.any()
    assert found(share).probability[0, 0, 0] == pytest.approx(0.55, abs=1e-3)


def test_probabilities_of_background_and_classes_are_one() -> None:
    torch.manual_seed(2)
    for loss in ("finding_class", "dice_ce"):
        config = settings(loss=loss, haze_share=0.0, consolidation_share=0.0)
        shares = probabilities(torch.randn(2, 3, 4, 4), config)
        assert float(shares.min()) > 0
        assert torch.allclose(shares.sum(dim=1), torch.ones(2, 4, 4))


def test_islands_are_measured_in_ml_and_hang_together_in_3d() -> None:
    share = np.full(SHAPE, 0.01)
    share[0, 0:12, 0:12] = 0.9  # 144 voxels, 2.88 mL
    share[0, 20:33, 0:12] = 0.9  # 156 voxels, 3.12 mL
    share[0:2, 40:50, 0:9] = 0.9  # 90 in each of two slices that touch
    share[3, 0:10, 30:39] = 0.9  # 90 in each of two slices that do not
    share[5, 0:10, 30:39] = 0.9
    labels = found(share).labels > 0
    assert labels[0, 20:33, 0:12].all()
    assert labels[0:2, 40:50, 0:9].all()
    assert labels.sum() == 156 + 180
    assert (found(share, min_island_ml=0.0).labels > 0).sum() == 144 + 156 + 180 + 180
    assert (found(share, min_island_ml=3.2).labels > 0).sum() == 180


def test_the_network_gets_the_lung_limit() -> None:
    share = np.full(SHAPE, 0.9)
    lungs = np.zeros(SHAPE, bool)
    lungs[:, 20:44, 20:44] = True
    labels = found(share, lungs).labels
    assert (labels[lungs] == 3).all()
    assert set(np.unique(labels[~lungs])) == {0, 7}
    assert (found(share).labels == 3).all()


def test_a_model_that_learned_within_lungs_marks_nothing_where_none_are_known() -> None:
    share = np.full(SHAPE, 0.9)
    nothing = found(share, None)
    assert not nothing.labels.any()
    assert not nothing.probability.any()
    assert nothing.labels.shape == nothing.probability.shape == SHAPE
    assert nothing.uncertainty == 0
    alone = found(share, None, lung_channel=False, paste_share=0.0, haze_share=0.0, consolidation_share=0.0)
    assert alone.labels.all()


def test_precision_is_settled_by_the_processor() -> None:
    cpu = torch.device("cpu")
    able = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    assert settle_precision(settings(precision="auto"), cpu) == ("bf16" if able else "fp32")
    assert settle_precision(settings(precision="fp32"), cpu) == "fp32"
    assert settle_precision(settings(precision="bf16"), cpu) == "bf16"


def test_the_average_follows_the_weights_slowly() -> None:
    network = nn.BatchNorm1d(1)
    average = Average(network, 0.9)
    with torch.no_grad():
        network.weight.fill_(2.0)
    average.add(network)
    assert float(average.state["weight"]) == pytest.approx(1 + 10 / 11)  # the first steps are forgotten fast
    for _ in range(200):
        average.add(network)
    with torch.no_grad():
        network.weight.fill_(3.0)
    average.add(network)
    assert float(average.state["weight"]) == pytest.approx(2.1, abs=1e-3)
    assert float(network.weight.detach()) == 3.0
