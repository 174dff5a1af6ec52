"""The shortcuts of ResNet-34: MONAI's values, and gradients that pass through them."""

from functools import partial

import torch
from monai.networks.nets.flexible_unet import FlexibleUNet

from mlservice.networks import Shortcut, build_network, describe_network
from tests.ml.bodies import tiny


def shortcuts_of(network: torch.nn.Module) -> list[Shortcut]:
    return [module for module in network.modules() if isinstance(module, Shortcut)]


def test_shortcuts_give_what_monai_gives_and_pass_gradients() -> None:
    config = tiny("lesion-2d")
    kind, arguments = describe_network(config)
    assert kind is FlexibleUNet
    theirs = [getattr(module, "downsample", None) for module in kind(**arguments).modules()]
    before = [shortcut for shortcut in theirs if isinstance(shortcut, partial)]
    after = shortcuts_of(build_network(config))
    for old, new, channels in zip(before, after, (64, 128, 256), strict=True):
        images = torch.rand((2, channels, 8, 6), requires_grad=True)
        assert torch.equal(old(images), new(images))
        new(images).sum().backward()
        assert images.grad is not None
        assert torch.equal(images.grad[:, :, ::2, ::2], torch.ones((2, channels, 4, 3)))
        assert images.grad.sum() == 2 * channels * 4 * 3, "what is left out has no gradient"


def test_weights_have_the_names_of_monai() -> None:
    config = tiny("lesion-2d")
    kind, arguments = describe_network(config)
    assert set(build_network(config).state_dict()) == set(kind(**arguments).state_dict())
