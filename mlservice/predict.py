"""Stage `predict`: label scans with a model; a mask, a coarse probability map and the model's uncertainty."""

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
from scipy import ndimage
from torch import nn
from torch.nn import functional

from mlservice.contract.config import TrainingConfig
from mlservice.contract.requests import PredictRequest, ScanRef
from mlservice.contract.results import Prediction, PredictResult
from mlservice.embedding import embed
from mlservice.inference import infer, near_lungs
from mlservice.networks import choose_device, put_on_device
from mlservice.preprocess import Image, grid_for, lungs_for, prepare_image, prepare_limit
from mlservice.resample import resample_tensor
from mlservice.scans import Labels, Mask, load_volume, volume_ml
from mlservice.weights import load_model
from voxloop.child import write_json
from voxloop.child.inside import ChildFolder, run_inside

Voxel = TypeVar("Voxel", bound=np.generic)

UNSURE_SHARE = 0.005  # mean entropy of the top 0.5 % voxels
COARSE_PX = 128


@dataclass(frozen=True)
class ModelOutput:
    """A model's output for one scan, on the scan's own grid (zyx)."""

    labels: Labels
    probability: Image  # of any finding
    uncertainty: float


def predict(request: PredictRequest, job: ChildFolder) -> PredictResult:
    """Label every scan of the request. Raises ContractError `bad_model`, `bad_scan`."""
    torch.set_num_threads(request.cpu_threads)
    network, card = load_model(job.path(request.model))
    config = card.config
    device = choose_device(config)
    torch.set_num_threads(request.cpu_threads)
    put_on_device(network, config, device).eval()
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
) -> ModelOutput:
    """Label one volume. With lungs known, nothing farther than 10 mm from them is a finding. Without them, a model that
    takes the lung limit as input finds nothing: it has never seen a scan without one."""
    shape = (hu_zyx.shape[0], hu_zyx.shape[1], hu_zyx.shape[2])
    if lungs is None and config.lung_channel:
        return ModelOutput(np.zeros(shape, np.uint8), np.zeros(shape, np.float32), 0.0)
    grid = grid_for(config, shape, spacing_mm_zyx, lungs)
    channels = [prepare_image(hu_zyx, config, grid)]
    if config.lung_channel:
        channels.append(prepare_limit(lungs, grid))
    with torch.inference_mode():
        share, channel = infer(network, np.stack(channels), config, device)
        box_shape = tuple(b - a for a, b in zip(grid.start_zyx, grid.stop_zyx, strict=True))
        if grid.is_resampled:
            share = resample_tensor(share[None, None], (box_shape[0], box_shape[1], box_shape[2]))[0, 0]
            channel = functional.interpolate(channel[None, None].float(), size=box_shape, mode="nearest-exact")[0, 0]
    any_finding = share.numpy()
    inside = near_lungs(lungs[grid.box], spacing_mm_zyx) if lungs is not None else None
    if inside is not None:
        any_finding = any_finding * inside
    ids = np.array([0, *(segment.id for segment in config.classes)], np.uint8)
    labels = np.where(any_finding >= config.threshold, ids[channel.numpy().astype(np.intp)], 0).astype(np.uint8)
    drop_islands(labels, spacing_mm_zyx, config.min_island_ml, any_finding >= config.sure)
    return ModelOutput(
        labels=_paste(labels, grid.start_zyx, shape),
        probability=_paste(any_finding, grid.start_zyx, shape),
        uncertainty=mean_top_entropy(any_finding if inside is None else any_finding[inside]),
    )


def mean_top_entropy(share: npt.NDArray[np.float32], top: float = UNSURE_SHARE) -> float:
    """Mean binary entropy, in bits, of the share `top` of most uncertain voxels; 0 = certain everywhere, 1 = p is
    0.5."""
    if share.size == 0:
        return 0.0
    count = max(1, math.ceil(share.size * top))
    # Entropy falls with the distance from 0.5: select by that, and compute logarithms of the few only.
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
    scan: ScanRef, job: ChildFolder, network: nn.Module, config: TrainingConfig, device: torch.device, folder: Path
) -> Prediction:
    began = time.monotonic()
    volume = load_volume(scan, job)
    found = find(network, volume, scan.spacing_mm_zyx, lungs_for(config, volume, scan, job), config, device)
    coarse, step = coarsen(found.probability)
    scan_folder = folder / scan.id
    scan_folder.mkdir()
    np.save(scan_folder / "labels.npy", found.labels)
    np.save(scan_folder / "probability.npy", coarse)
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
    # Written last, but before the progress line: the caller may then store this scan's mask while others are processed.
    write_json(scan_folder / "prediction.json", prediction)
    return prediction


def drop_islands(labels: Labels, spacing_mm_zyx: tuple[float, float, float], least_ml: float, sure: Mask) -> None:
    """Clear, in place, what is connected in 3D (by faces, whatever its class) and has less than `least_ml` of voxels
    that are `sure`."""
    islands, count = ndimage.label(labels > 0)
    if count == 0:
        return
    sizes = np.bincount(islands[sure], minlength=count + 1)
    small = sizes * volume_ml(1, spacing_mm_zyx) < least_ml
    small[0] = False
    labels[small[islands]] = 0


def _paste(box: npt.NDArray[Voxel], start: tuple[int, int, int], shape: tuple[int, int, int]) -> npt.NDArray[Voxel]:
    whole = np.zeros(shape, box.dtype)
    whole[tuple(slice(a, a + n) for a, n in zip(start, box.shape, strict=True))] = box
    return whole


if __name__ == "__main__":
    sys.exit(run_inside(PredictRequest, predict))
