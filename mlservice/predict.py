"""Stage `predict`: label scans with a model; a mask, a coarse probability map and how unsure the model is."""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from monai.inferers.utils import sliding_window_inference
from scipy import ndimage
from torch import nn
from torch.nn import functional

from mlservice.contract.codec import write_json
from mlservice.contract.config import TrainingConfig
from mlservice.contract.requests import PredictRequest, ScanRef
from mlservice.contract.results import Prediction, PredictResult
from mlservice.embedding import embed
from mlservice.job import Job, run_stage
from mlservice.networks import autocast, choose_device, probabilities
from mlservice.preprocess import Image, grid_for, prepare_image
from mlservice.resample import resample_tensor
from mlservice.scans import Labels, Mask, load_lungs, load_volume, volume_ml
from mlservice.weights import load_model

Voxel = TypeVar("Voxel", bound=np.generic)

SLICES_AT_ONCE = 8
# The encoders halve a slice up to five times.
DIVISOR = 32
# A limit that follows the air leaves out consolidation against the pleura: on phantoms up to 38 % of an opacity lay
# more than 5 mm outside of it, 22 % more than 10 mm. Farther out, a small model takes the mediastinum for one.
LUNG_MARGIN_MM = 10.0
UNSURE_SHARE = 0.005  # learning.md: mean entropy of the top 0.5 % voxels
COARSE_PX = 128


@dataclass(frozen=True)
class Finding:
    """What a model says about one scan, on the scan's own grid (zyx)."""

    labels: Labels
    probability: Image  # of any finding
    uncertainty: float


def predict(request: PredictRequest, job: Job) -> PredictResult:
    """Label every scan of the request. Raises ContractError `bad_model`, `bad_scan`."""
    network, card = load_model(job.path(request.model))
    config = card.config
    device = choose_device(config)
    torch.set_num_threads(request.cpu_threads)
    network.to(device).eval()
    folder = job.fresh("predictions")
    done = []
    for position, scan in enumerate(request.scans, start=1):
        done.append(_predict_one(scan, job, network, config, device, folder))
        job.report(position, len(request.scans), f"Labelled scan {position} of {len(request.scans)}")
    return PredictResult(tuple(done))


def find(
    network: nn.Module,
    hu_zyx: npt.NDArray[np.int16],
    spacing_mm_zyx: tuple[float, float, float],
    lungs: Mask | None,
    config: TrainingConfig,
    device: torch.device,
) -> Finding:
    """Label one volume. With lungs known, nothing farther than 10 mm from them is a finding."""
    shape = (hu_zyx.shape[0], hu_zyx.shape[1], hu_zyx.shape[2])
    grid = grid_for(config, shape, spacing_mm_zyx, lungs)
    image = prepare_image(hu_zyx, config, grid)
    with torch.inference_mode():
        share, channel = _infer(network, image, config, device)
        box_shape = tuple(b - a for a, b in zip(grid.start_zyx, grid.stop_zyx, strict=True))
        if grid.is_resampled:
            share = resample_tensor(share[None, None], (box_shape[0], box_shape[1], box_shape[2]))[0, 0]
            channel = functional.interpolate(channel[None, None].float(), size=box_shape, mode="nearest-exact")[0, 0]
    any_finding = share.numpy()
    inside = _near_lungs(lungs[grid.box], spacing_mm_zyx) if lungs is not None else None
    if inside is not None:
        any_finding = any_finding * inside
    ids = np.array([0, *(segment.id for segment in config.classes)], np.uint8)
    labels = np.where(any_finding >= 0.5, ids[channel.numpy().astype(np.intp)], 0).astype(np.uint8)
    _drop_islands(labels, spacing_mm_zyx, config.min_island_ml)
    return Finding(
        labels=_paste(labels, grid.start_zyx, shape),
        probability=_paste(any_finding, grid.start_zyx, shape),
        uncertainty=mean_top_entropy(any_finding if inside is None else any_finding[inside]),
    )


def mean_top_entropy(share: npt.NDArray[np.float32], top: float = UNSURE_SHARE) -> float:
    """Mean binary entropy, in bits, of the most unsure `top` of the voxels; 0 = sure everywhere, 1 = a coin."""
    if share.size == 0:
        return 0.0
    count = max(1, math.ceil(share.size * top))
    # Entropy falls with the distance from one half: sort by that, and take logarithms of the few.
    closest = np.partition(np.abs(share.reshape(-1) - 0.5), count - 1)[:count].astype(np.float64)
    p = np.clip(0.5 + closest, 0.5, 1 - 1e-12)
    return float((-p * np.log2(p) - (1 - p) * np.log2(1 - p)).mean())


def coarsen(share_zyx: Image) -> tuple[Labels, tuple[int, int, int]]:
    """Block means as uint8 (255 = certain), at most 128 voxels in plane, and the step of a block."""
    step = (1, max(1, math.ceil(share_zyx.shape[1] / COARSE_PX)), max(1, math.ceil(share_zyx.shape[2] / COARSE_PX)))
    result = share_zyx
    for axis in (1, 2):
        starts = np.arange(0, share_zyx.shape[axis], step[axis])
        sizes = np.diff([*starts, share_zyx.shape[axis]])
        shape = [1, 1, 1]
        shape[axis] = len(starts)
        result = (np.add.reduceat(result, starts, axis=axis) / sizes.reshape(shape)).astype(np.float32)
    return np.rint(result * 255).astype(np.uint8), step


def _predict_one(
    scan: ScanRef, job: Job, network: nn.Module, config: TrainingConfig, device: torch.device, folder: Path
) -> Prediction:
    began = time.monotonic()
    volume = load_volume(scan, job)
    shape = (volume.shape[0], volume.shape[1], volume.shape[2])
    found = find(network, volume, scan.spacing_mm_zyx, load_lungs(scan, job, shape), config, device)
    coarse, step = coarsen(found.probability)
    place = folder / scan.id
    place.mkdir()
    np.save(place / "labels.npy", found.labels)
    np.save(place / "probability.npy", coarse)
    voxels = np.bincount(found.labels.reshape(-1), minlength=256)
    prediction = Prediction(
        id=scan.id,
        folder=f"{folder.name}/{scan.id}",
        step_zyx=step,
        uncertainty=found.uncertainty,
        extent_ml=volume_ml(float(voxels[1:].sum()), scan.spacing_mm_zyx),
        extent_ml_by_class={s.key: volume_ml(float(voxels[s.id]), scan.spacing_mm_zyx) for s in config.classes},
        embedding=tuple(round(float(value), 5) for value in embed(volume)),
        seconds=round(time.monotonic() - began, 3),
    )
    # Last, and before the progress line: a caller may take this scan's mask while the others are still worked on.
    write_json(place / "prediction.json", prediction)
    return prediction


def _infer(
    network: nn.Module, image_zyx: Image, config: TrainingConfig, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Probability of any finding and the likeliest class's channel, both on the model's grid, on the CPU."""
    with autocast(config, device):
        if not config.is_flat:
            volume = torch.from_numpy(image_zyx)[None, None].to(device)
            # The window moves by the patch of the training, Gaussian weights over the overlap (learning.md).
            scores = sliding_window_inference(
                volume,
                config.patch_zyx,
                1,
                lambda x: probabilities(network(x), config),
                overlap=config.overlap,
                mode="gaussian",
            )
            return _split(scores[0])
        shares, channels = [], []
        for start in range(0, len(image_zyx), SLICES_AT_ONCE):
            slices = torch.from_numpy(image_zyx[start : start + SLICES_AT_ONCE])[:, None].to(device)
            height, width = slices.shape[2:]
            pad = (0, -width % DIVISOR, 0, -height % DIVISOR)
            scores = probabilities(network(functional.pad(slices, pad)), config)[..., :height, :width]
            share, channel = _split(scores.movedim(1, 0))
            shares.append(share)
            channels.append(channel)
    return torch.cat(shares), torch.cat(channels)


def _split(scores: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return (1 - scores[0]).float().cpu(), (scores[1:].argmax(dim=0) + 1).to(torch.uint8).cpu()


def _near_lungs(lungs: Mask, spacing_mm_zyx: tuple[float, float, float]) -> Mask:
    steps = round(LUNG_MARGIN_MM / spacing_mm_zyx[1])
    if steps < 1:
        return lungs
    cross = np.array([[[0, 1, 0], [1, 1, 1], [0, 1, 0]]], dtype=bool)
    result: Mask = ndimage.binary_dilation(lungs, cross, iterations=steps)
    return result


def _drop_islands(labels: Labels, spacing_mm_zyx: tuple[float, float, float], least_ml: float) -> None:
    islands, count = ndimage.label(labels > 0)
    if count == 0:
        return
    sizes = np.bincount(islands.reshape(-1))
    small = sizes * volume_ml(1, spacing_mm_zyx) < least_ml
    small[0] = False
    labels[small[islands]] = 0


def _paste(box: npt.NDArray[Voxel], start: tuple[int, int, int], shape: tuple[int, int, int]) -> npt.NDArray[Voxel]:
    whole = np.zeros(shape, box.dtype)
    whole[tuple(slice(a, a + n) for a, n in zip(start, box.shape, strict=True))] = box
    return whole


if __name__ == "__main__":
    sys.exit(run_stage(PredictRequest, predict))
