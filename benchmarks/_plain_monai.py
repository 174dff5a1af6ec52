"""The peer of `bench learning`: MONAI's BasicUNet, loss and optimiser as a tutorial writes them, for the same time."""

import time
from pathlib import Path

import numpy as np
import torch
from monai.losses.dice import DiceCELoss
from monai.networks.nets.basic_unet import BasicUNet
from torch import nn

from mlservice.contract import ScanRef, TrainingConfig
from mlservice.patches import PatchSampler
from mlservice.predict import find
from mlservice.preprocess import prepare_scan
from mlservice.scans import load_lungs, load_volume
from voxloop.child.inside import ChildFolder

RATE = 1e-3


def learn(config: TrainingConfig, scans: tuple[ScanRef, ...], job: ChildFolder, cpu_seconds: float) -> nn.Module:
    """Train on the finding of `config`, on its patches and its grid, until the time is over."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    began = time.process_time()
    folders = [prepare_scan(scan, job, config, job.path("prepared")) for scan in scans]
    sampler = PatchSampler(folders, config, 0)
    network = BasicUNet(spatial_dims=2, in_channels=1, out_channels=2)
    loss, optimiser = DiceCELoss(to_onehot_y=True, softmax=True), torch.optim.Adam(network.parameters(), RATE)
    while time.process_time() - began < cpu_seconds:
        patches = sampler.draw()
        optimiser.zero_grad()
        # What lies outside a scan is background here.
        torch.autograd.backward(loss(network(patches.images), (patches.targets == 1).unsqueeze(1)))
        optimiser.step()
    return network.eval()


def label(network: nn.Module, config: TrainingConfig, scans: tuple[ScanRef, ...], job: ChildFolder) -> Path:
    """Write `predictions/<id>/labels.npy`; returns that folder."""
    folder = job.fresh("predictions")
    for scan in scans:
        volume = load_volume(scan, job)
        lungs = load_lungs(scan, job, volume.shape)
        found = find(network, volume, scan.spacing_mm_zyx, lungs, config, torch.device("cpu"))
        (folder / scan.id).mkdir()
        np.save(folder / scan.id / "labels.npy", found.labels)
    return folder
