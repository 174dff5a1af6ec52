"""Resample and window a scan for the model, and map its labels to the model's channels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mlservice.contract.config import TrainingConfig
from mlservice.contract.requests import ScanRef
from mlservice.resample import resample_linear
from mlservice.scans import Labels, Mask, Volume, load_labels, load_lungs, load_volume
from voxloop.child.inside import ChildFolder
from voxloop.volume.growing import lung_limit

Image = npt.NDArray[np.float32]
Shape = tuple[int, int, int]

# Channel values of voxels of a segment with too few labels to be a class: a finding without a name for models that
# learn any finding first, ignored by the others. What lies outside the scan is ignored by all.
UNNAMED, IGNORED = 254, 255
LUNG_MARGIN_MM = 20.0
# A grid within 5 % of the wanted spacing is not resampled.
SPACING_TOLERANCE = 0.05


@dataclass(frozen=True)
class Grid:
    """Where the model's grid lies in the scan: the box `start_zyx … stop_zyx` (voxels), sampled to `shape_zyx`."""

    start_zyx: Shape
    stop_zyx: Shape
    shape_zyx: Shape

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """The box as slices."""
        z, y, x = (slice(a, b) for a, b in zip(self.start_zyx, self.stop_zyx, strict=True))
        return z, y, x

    def spacing_mm(self, spacing_mm_zyx: tuple[float, float, float]) -> npt.NDArray[np.float64]:
        """Size of its voxels, zyx, in a scan with voxels of `spacing_mm_zyx`."""
        sides = np.subtract(self.stop_zyx, self.start_zyx) * np.array(spacing_mm_zyx)
        return np.asarray(sides / np.array(self.shape_zyx), np.float64)

    @property
    def is_resampled(self) -> bool:
        """Whether the spacing changes."""
        return self.shape_zyx != tuple(b - a for a, b in zip(self.start_zyx, self.stop_zyx, strict=True))


def lungs_for(config: TrainingConfig, hu_zyx: Volume, scan: ScanRef, job: ChildFolder) -> Mask | None:
    """The lung mask of a scan's folder. Where there is none, a model that takes the lung limit as input gets the limit
    of the brush, computed from the volume: with a channel of ones it marks some hundred mL on an empty scan."""
    lungs = load_lungs(scan, job, hu_zyx.shape)
    if lungs is None and config.lung_channel:
        lungs, _ = lung_limit(np.asarray(hu_zyx), scan.spacing_mm_zyx)
    return lungs


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
    """HU on the scan's grid → [0, 1] on the model's: crop, resample, window, contrast. A brought network may see
    deviations from its own mean instead."""
    low, high = config.window_hu
    image: Image = np.asarray(hu_zyx[grid.box], dtype=np.float32)
    if grid.is_resampled:
        image = resample_linear(image, grid.shape_zyx)
    if config.mean_and_deviation_hu:
        mean, deviation = config.mean_and_deviation_hu
        return (np.clip(image, low, high) - np.float32(mean)) / np.float32(deviation)
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


def prepare_limit(lungs: Mask | None, grid: Grid) -> Image:
    """The lung limit on the model's grid, 0 … 1 (a share where voxels are merged); all ones without one."""
    if lungs is None:
        return np.ones(grid.shape_zyx, np.float32)
    inside: Image = lungs[grid.box].astype(np.float32)
    return resample_linear(inside, grid.shape_zyx) if grid.is_resampled else inside


def prepare_labels(labels_zyx: Labels, config: TrainingConfig, grid: Grid) -> Labels:
    """Segment ids on the scan's grid → channels on the model's: 0 background, 1… classes, 254 a finding without a
    class, 255 ignored."""
    table = np.full(256, UNNAMED if config.finds_any else IGNORED, np.uint8)
    table[0] = 0
    for channel, segment in enumerate(config.classes, start=1):
        table[segment.id] = channel
    channels = table[labels_zyx[grid.box]]
    if grid.is_resampled:
        channels = channels[np.ix_(*_nearest(channels.shape, grid.shape_zyx))]
    return np.ascontiguousarray(channels)


def prepare_scan(scan: ScanRef, job: ChildFolder, config: TrainingConfig, into: Path) -> Path:
    """Write `<into>/<scan id>/` with image.npy (float16), labels.npy (uint8 channels), spacing.npy (mm of the model's
    grid, zyx) and, for a model that takes the lung limit and a scan that has one, limit.npy (float16); returns that
    folder."""
    scan_folder = into / scan.id
    volume = load_volume(scan, job)
    shape = volume.shape
    lungs = lungs_for(config, volume, scan, job)
    grid = grid_for(config, shape, scan.spacing_mm_zyx, lungs)
    scan_folder.mkdir(parents=True, exist_ok=True)
    np.save(scan_folder / "image.npy", prepare_image(volume, config, grid).astype(np.float16))
    np.save(scan_folder / "spacing.npy", grid.spacing_mm(scan.spacing_mm_zyx))
    if config.lung_channel and lungs is not None:
        np.save(scan_folder / "limit.npy", prepare_limit(lungs, grid).astype(np.float16))
    np.save(scan_folder / "labels.npy", prepare_labels(load_labels(scan, job, shape), config, grid))
    return scan_folder


def _size(voxels: int, have_mm: float, want_mm: float) -> int:
    if want_mm == 0 or abs(have_mm / want_mm - 1) <= SPACING_TOLERANCE:
        return voxels
    return max(1, round(voxels * have_mm / want_mm))


def _nearest(old: tuple[int, ...], new: Shape) -> list[npt.NDArray[np.int64]]:
    return [((np.arange(n) + 0.5) * o / n).astype(np.int64) for o, n in zip(old, new, strict=True)]
