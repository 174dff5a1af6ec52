"""The weights that a training begins with."""

from pathlib import Path

import torch

from mlservice.networks import build_network
from mlservice.train import begin_from
from mlservice.weights import load_model, named_tensors
from tests.factories.brought import own_model
from tests.ml.bodies import NODULE, OPACITY, tiny


def test_the_same_classes_take_everything(tmp_path: Path) -> None:
    folder = own_model(tmp_path / "m")
    network = build_network(tiny("demo"))
    said = begin_from(network, tiny("demo"), folder)
    ours, theirs = named_tensors(network), named_tensors(load_model(folder)[0])
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert said == f"It began with {len(ours)} of {len(ours)} tensors of the earlier model."


def test_another_class_leaves_the_output_to_chance(tmp_path: Path) -> None:
    folder = own_model(tmp_path / "m")
    config = tiny("demo", classes=(OPACITY, NODULE))
    network = build_network(config)
    begin_from(network, config, folder)
    ours, theirs = named_tensors(network), named_tensors(load_model(folder)[0])
    other = {
        name for name in ours if ours[name].shape != theirs[name].shape or not torch.equal(ours[name], theirs[name])
    }
    assert other == {"final_conv.weight", "final_conv.bias"}


def test_other_classes_of_the_same_number_do_so_too(tmp_path: Path) -> None:
    folder = own_model(tmp_path / "m")
    torch.manual_seed(9)
    config = tiny("demo", classes=(NODULE,))
    network = build_network(config)
    begin_from(network, config, folder)
    ours, theirs = named_tensors(network), named_tensors(load_model(folder)[0])
    assert not torch.equal(ours["final_conv.weight"], theirs["final_conv.weight"])
    assert torch.equal(ours["conv_0.conv_0.conv.weight"], theirs["conv_0.conv_0.conv.weight"])


def test_another_network_begins_at_random(tmp_path: Path) -> None:
    folder = own_model(tmp_path / "m")
    network = build_network(tiny("lesion-3d"))
    before = {name: tensor.clone() for name, tensor in named_tensors(network).items()}
    assert begin_from(network, tiny("lesion-3d"), folder).endswith("it began with random weights.")
    assert all(torch.equal(tensor, before[name]) for name, tensor in named_tensors(network).items())
