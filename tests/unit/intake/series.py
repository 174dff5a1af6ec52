"""Small CT series on disk, valid or broken in one way."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset

from annotation.demonstration.dicom import SCANNERS, Scanner, write_ct_series
from annotation.intake.dicom.volume import divide_series, find_series, read_series
from annotation.intake.limits import Limits
from annotation.intake.sources import list_files
from annotation.intake.volumes import FoundVolume
from voxloop.volume.geometry import Geometry

SHAPE = (8, 24, 32)
GEOMETRY = Geometry.axial(SHAPE, (4.0, 1.8, 1.7), (-40.0, -35.0, 112.5))
LIMITS = Limits()


def hu(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(-1024, 3072, SHAPE).astype(np.int16)


def make_series(
    folder: Path, *, scanner: Scanner = SCANNERS["a"], subject: str = "P-0001", seed: int = 1
) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    return write_ct_series(folder, hu(seed), GEOMETRY, subject=subject, scanner=scanner)


def change(paths: list[Path], edit: Callable[[int, Dataset], None]) -> None:
    """Write every file again after `edit(number, dataset)`."""
    for number, path in enumerate(paths):
        dataset = dcmread(path)
        edit(number, dataset)
        dataset.save_as(path)


def convert(folder: Path, scratch: Path | None = None) -> list[FoundVolume]:
    """Every series of a folder or file; raises the first refusal."""
    finds = find_series(list_files(folder, scratch or folder, LIMITS), LIMITS)
    divisions = [divide_series(slices, LIMITS) for slices in finds.series.values()]
    return [read_series(volume, LIMITS, is_whole=n == 0) for one in divisions for n, volume in enumerate(one.volumes)]
