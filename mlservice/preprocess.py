"""Stage `preprocess`: bring a scan to the model's grid and window, and its labels to the model's channels."""

from __future__ import annotations

import dataclasses
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mlservice.contract.config import TrainingConfig
from mlservice.contract.requests import PreprocessRequest, ScanRef
from mlservice.contract.results import PreprocessResult
from mlservice.job import Job, run_stage
from mlservice.resample import resample_linear
from mlservice.scans import Labels, Mask, Volume, load_labels, load_lungs, load_volume

Image = npt.NDArray[np.float32]
Shape = tuple[int, int, int]

# Channel value of a voxel that teaches nothing: a segment with too few labels to be a class.
IGNORED = 255
LUNG_MARGIN_MM = 20.0
# A grid within 5 % of the wanted spacing is kept as it is: resampling would cost more than it gives.
SPACING_TOLERANCE = 0.05


@dataclass(frozen=True)
class Grid:
    """Where the model's grid lies in the scan: the box `start_zyx … stop_zyx` (voxels), sampled to `shape_zyx`."""

    start_zyx: Shape
    stop_zyx: Shape
    shape_zyx: Shape

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """The part of the scan that is seen."""
        z, y, x = (slice(a, b) for a, b in zip(self.start_zyx, self.stop_zyx, strict=True))
        return z, y, x

    @property
    def is_resampled(self) -> bool:
        """Whether voxels change their size."""
        return self.shape_zyx != tuple(b - a for a, b in zip(self.start_zyx, self.stop_zyx, strict=True))


def grid_for(
    config: TrainingConfig, shape_zyx: Shape, spacing_mm_zyx: tuple[float, float, float], lungs: Mask | None
) -> Grid:
    """The model's grid of one scan: the box of the lungs where known (topff2023 profiles see everything)."""
    start, stop = (0, 0, 0), shape_zyx
    if lungs is not None and not config.grid_px:
        start, stop = lung_box(lungs, spacing_mm_zyx)
    sizes = [b - a for a, b in zip(start, stop, strict=True)]
    shape = [_size(n, have, want) for n, have, want in zip(sizes, spacing_mm_zyx, config.spacing_mm_zyx, strict=True)]
    if config.grid_px:
        shape = [shape[0], config.grid_px, config.grid_px]
    return Grid(start, stop, (shape[0], shape[1], shape[2]))


def lung_box(lungs: Mask, spacing_mm_zyx: tuple[float, float, float]) -> tuple[Shape, Shape]:
    """First and last-plus-one voxel of the lungs with a margin in plane."""
    start, stop = [], []
    for axis, spacing in enumerate(spacing_mm_zyx):
        others = tuple(a for a in range(3) if a != axis)
        inside = np.flatnonzero(lungs.any(axis=others))
        margin = 0 if axis == 0 else round(LUNG_MARGIN_MM / spacing)
        start.append(max(0, int(inside[0]) - margin))
        stop.append(min(lungs.shape[axis], int(inside[-1]) + 1 + margin))
    return (start[0], start[1], start[2]), (stop[0], stop[1], stop[2])


def prepare_image(hu_zyx: Volume, config: TrainingConfig, grid: Grid) -> Image:
    """HU on the scan's grid → [0, 1] on the model's: crop, resample, window, contrast."""
    low, high = config.window_hu
    image: Image = np.asarray(hu_zyx[grid.box], dtype=np.float32)
    if grid.is_resampled:
        image = resample_linear(image, grid.shape_zyx)
    image = (np.clip(image, low, high) - low) / (high - low)
    return bcet(image) if config.contrast == "bcet" else image


def bcet(image_zyx: Image, mean: float = 110 / 255) -> Image:
    """Balance contrast enhancement (Guo 1991, used by topff2023): slice by slice, a parabola that keeps the range
    [0, 1] and brings the mean to `mean`."""
    result = np.empty_like(image_zyx)
    for z, values in enumerate(image_zyx):
        low, high, average = float(values.min()), float(values.max()), float(values.mean())
        square = float(np.square(values).mean())
        below = 2 * (high * mean - average + low * (1 - mean))
        if high - low < 1e-6 or abs(below) < 1e-9:
            result[z] = values
            continue
        b = (high**2 * mean - square + low**2 * (1 - mean)) / below
        across = (high - low) * (high + low - 2 * b)
        if abs(across) < 1e-9:
            result[z] = values
            continue
        a = 1 / across
        result[z] = np.clip(a * np.square(values - b) + (0 - a * (low - b) ** 2), 0, 1)
    return result


def prepare_labels(labels_zyx: Labels, config: TrainingConfig, grid: Grid) -> Labels:
    """Segment ids on the scan's grid → channels on the model's: 0 background, 1… classes, 255 teaches nothing."""
    table = np.full(256, IGNORED, np.uint8)
    table[0] = 0
    for channel, segment in enumerate(config.classes, start=1):
        table[segment.id] = channel
    channels = table[labels_zyx[grid.box]]
    if grid.is_resampled:
        channels = channels[np.ix_(*_nearest(channels.shape, grid.shape_zyx))]
    return np.ascontiguousarray(channels)


def prepare_scan(scan: ScanRef, job: Job, config: TrainingConfig, into: Path) -> Path:
    """Write `<into>/<scan id>/` with image.npy (float16) and labels.npy (uint8 channels); whole or not at all."""
    place = into / scan.id
    if (place / "grid.json").exists():
        return place
    volume = load_volume(scan, job)
    shape = volume.shape
    grid = grid_for(config, shape, scan.spacing_mm_zyx, load_lungs(scan, job, shape))
    place.mkdir(parents=True, exist_ok=True)
    np.save(place / "image.npy", prepare_image(volume, config, grid).astype(np.float16))
    np.save(place / "labels.npy", prepare_labels(load_labels(scan, job, shape), config, grid))
    # Written last: its presence says that the rest is whole.
    (place / "grid.json").write_text(json.dumps(dataclasses.asdict(grid)), "utf-8")
    return place


def preprocess(request: PreprocessRequest, job: Job) -> PreprocessResult:
    """Prepare every scan in `prepared/`. Raises ContractError `bad_scan`."""
    folder = job.fresh("prepared")
    for position, scan in enumerate(request.scans, start=1):
        prepare_scan(scan, job, request.config, folder)
        job.report(position, len(request.scans), f"Prepared scan {position} of {len(request.scans)}")
    return PreprocessResult("prepared", tuple(scan.id for scan in request.scans))


def _size(voxels: int, have_mm: float, want_mm: float) -> int:
    if want_mm == 0 or abs(have_mm / want_mm - 1) <= SPACING_TOLERANCE:
        return voxels
    return max(1, round(voxels * have_mm / want_mm))


def _nearest(old: tuple[int, ...], new: Shape) -> list[npt.NDArray[np.int64]]:
    return [((np.arange(n) + 0.5) * o / n).astype(np.int64) for o, n in zip(old, new, strict=True)]


if __name__ == "__main__":
    sys.exit(run_stage(PreprocessRequest, preprocess))
