#!/usr/bin/env bash
# MONAI 1.6.1 lets no gradient pass through the shortcuts of ResNet-18 and -34 where the number of channels changes.
#
# Input: the first block of layer2 of MONAI's ResNet with shortcut type A, the type of the 18 and 34 layer networks and
# of FlexibleUNet's "resnet34". The convolutions of the block are set to zero, so that its output is its shortcut alone.
# Expected: a residual network learns through its shortcuts: the derivative of the output's sum for the input is 1 at
# every second voxel, which is what the output is made of, and 0 elsewhere.
# Seen: the output follows the input (adding 1 to every voxel adds 1 to every voxel of the output that is not padding),
# but the gradient is zero everywhere: the shortcut pads a copy that is taken out of the graph. Type B (a convolution)
# passes it. Nothing is printed in training; everything before such a block learns through the convolutions only.
# Exits 0 while this is so, 1 when it changed.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check monai==1.6.1 torch==2.13.0 numpy==2.2.6
cat > probe.py <<'PY'
import sys

import monai
import torch
from monai.networks.nets.resnet import ResNet, ResNetBlock


def look(kind):
    """Change of the output when the input grows by one everywhere, and the gradient of the output's sum."""
    torch.manual_seed(0)
    network = ResNet(ResNetBlock, [1, 1, 1, 1], [4, 8, 16, 32], spatial_dims=2, n_input_channels=1,
                     shortcut_type=kind, feed_forward=False)
    block = network.layer2[0].eval()
    with torch.no_grad():
        block.conv2.weight.zero_()
    images = torch.rand((1, 4, 8, 8), requires_grad=True)
    grown = (block(images + 1) - block(images)).detach()
    block(images).sum().backward()
    return float(grown.abs().max()), float(images.grad.abs().max())


print(f"MONAI {monai.__version__}, torch {torch.__version__.partition('+')[0]}")
seen = {kind: look(kind) for kind in "AB"}
for kind, (change, gradient) in seen.items():
    print(f"type {kind}: the output changes by up to {change:.2f}, the largest gradient is {gradient:.2f}")
(change, gradient), (_, through) = seen["A"], seen["B"]
if not (abs(change - 1) < 1e-5 and gradient == 0 and through > 0):
    sys.exit("changed: the gradient passes the shortcut now, or the block is another")
print("as described: the output of type A depends on the input, and its gradient does not tell")
PY
venv/bin/python probe.py
