"""A learner that takes a second: every voxel of the lungs as ten numbers, a small network, and the Dice of a scan.

It stands for the segmenter in comparisons that need hundreds of trainings. What it shows is how the choice of scans
matters to a learner of texture, not how good a mask the product makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage as ndi

from mlservice.embedding import embed
from mlservice.predict import mean_top_entropy
from voxloop.volume.amounts import voxel_ml
from voxloop.volume.growing import lung_limit
from voxloop.volume.phantom import make_phantom

SHAPE_ZYX = (24, 96, 96)
SCALES_MM = (0.0, 4.0, 8.0, 16.0)
MOST_VOXELS = 12_000  # kept of a scan, at random
STEPS, BATCH, HIDDEN, RATE = 250, 4096, 32, 0.01
FOREGROUND = 0.3  # of a batch of voxels
THRESHOLD = 0.5
LEAST_VOXELS = 60  # of a reference, on this grid about 7 mL; below it Dice is not scored

Numbers = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Described:
    """One scan for the learner: features of sampled voxels of the lungs, whether each is a finding, and the facts that
    acquisition looks at. `sampled` is the share of voxels that was kept."""

    id: str
    site: str
    features: Numbers
    truth: npt.NDArray[np.bool_]
    sampled: float
    voxel_ml: float
    embedding: tuple[float, ...]


def describe(seed: int, site: str) -> Described:
    """A phantom of a site's scanner."""
    phantom = make_phantom(seed, site, SHAPE_ZYX)
    spacing = phantom.geometry.spacing_mm_zyx
    limit, _ = lung_limit(phantom.hu_zyx, spacing)
    inside = phantom.lungs_zyx > 0 if limit is None else limit
    features = _features(phantom.hu_zyx, inside, spacing)
    truth = (phantom.findings_zyx > 0)[inside]
    order = np.random.default_rng(seed).permutation(len(truth))[:MOST_VOXELS]
    return Described(
        f"{site}{seed}",
        site,
        features[order],
        truth[order],
        len(order) / len(truth),
        voxel_ml(spacing),
        tuple(round(float(value), 5) for value in embed(phantom.hu_zyx)),
    )


def _features(hu_zyx: npt.NDArray[np.int16], inside: npt.NDArray[np.bool_], spacing: Any) -> Numbers:
    """HU at four scales, edges and unrest at two, depth below the lung's surface, height in the scan."""
    scaled = np.clip((hu_zyx.astype(np.float32) + 1000) / 1000, 0, 1.5)
    smooth = [ndi.gaussian_filter(scaled, [mm / s for s in spacing]) if mm else scaled for mm in SCALES_MM]
    unrest = [np.abs(smooth[n] - smooth[n + 1]) for n in (0, 1, 2)]
    edge = ndi.gaussian_gradient_magnitude(scaled, [6.0 / s for s in spacing])
    depth = np.minimum(ndi.distance_transform_edt(inside, sampling=spacing), 40) / 40
    height = np.broadcast_to(np.linspace(0, 1, hu_zyx.shape[0], dtype=np.float32)[:, None, None], hu_zyx.shape)
    return np.stack([each[inside] for each in (*smooth, *unrest, edge, depth, height)], axis=1).astype(np.float32)


def learn(scans: list[Described], seed: int) -> torch.nn.Module:
    """A network of two layers on the voxels of labelled scans, scans in equal shares."""
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    features = np.concatenate([scan.features for scan in scans])
    truth = np.concatenate([scan.truth for scan in scans])
    marked, others = np.flatnonzero(truth), np.flatnonzero(~truth)
    network = torch.nn.Sequential(
        torch.nn.Linear(features.shape[1], HIDDEN),
        torch.nn.ReLU(),
        torch.nn.Linear(HIDDEN, HIDDEN),
        torch.nn.ReLU(),
        torch.nn.Linear(HIDDEN, 1),
    )
    if not len(marked):
        return network
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=STEPS)
    count = round(BATCH * FOREGROUND)
    # Findings are drawn more often than they occur; the weight puts the odds right again.
    weight = torch.tensor(min(1.0, len(marked) / len(truth) / FOREGROUND) ** 0.5)
    for _ in range(STEPS):
        rows = np.concatenate([random.choice(marked, count), random.choice(others, BATCH - count)])
        said = network(torch.from_numpy(features[rows]))[:, 0]
        target = torch.from_numpy(truth[rows].astype(np.float32))
        loss = torch.nn.functional.binary_cross_entropy_with_logits(said, target, pos_weight=weight)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
    return network


def probability(network: torch.nn.Module, scan: Described) -> Numbers:
    """Of a finding, at each sampled voxel."""
    with torch.no_grad():
        found: Numbers = torch.sigmoid(network(torch.from_numpy(scan.features))[:, 0]).numpy()
    return found


def dice(network: torch.nn.Module, scan: Described) -> float | None:
    """On the sampled voxels; None where the reference is too small."""
    if scan.truth.sum() / scan.sampled < LEAST_VOXELS:
        return None
    said = probability(network, scan) >= THRESHOLD
    return float(2 * (said & scan.truth).sum() / (said.sum() + scan.truth.sum()))


def look(network: torch.nn.Module, scan: Described) -> tuple[float, float]:
    """Uncertainty and extent in mL, as `predict` tells them."""
    share = probability(network, scan)
    extent = float((share >= THRESHOLD).sum()) / scan.sampled * scan.voxel_ml
    return mean_top_entropy(share), extent
