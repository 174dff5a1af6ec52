"""Read a scan's folder, strictly: shapes, types, values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from mlservice.contract.requests import ScanRef
from voxloop.child import ContractError
from voxloop.child.inside import ChildFolder
from voxloop.volume.amounts import voxel_ml

Volume = npt.NDArray[np.int16]
Labels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
ERASED = 255


def volume_ml(voxels: float, spacing_mm_zyx: tuple[float, float, float]) -> float:
    """Millilitres of that many voxels."""
    return float(voxels * voxel_ml(spacing_mm_zyx))


def load_volume(scan: ScanRef, job: ChildFolder) -> Volume:
    """HU, int16, zyx, memory-mapped. Raises ContractError `bad_scan`."""
    array = _load(job.path(scan.folder) / "volume.npy", scan)
    if array.ndim != 3 or array.dtype != np.int16 or 0 in array.shape:
        raise ContractError("bad_scan", f"The volume of scan {scan.id} is not a zyx array of int16.")
    return array.view(np.int16)


def load_labels(scan: ScanRef, job: ChildFolder, shape_zyx: tuple[int, ...]) -> Labels:
    """Segment ids, uint8, on the scan's grid. Raises ContractError `bad_scan`, also for a stray 255 (erased)."""
    labels = load_labelmap(job.path(scan.folder) / "labels.npy", scan, shape_zyx)
    if int(labels.max(initial=0)) == ERASED:
        raise ContractError("bad_scan", f"The labels of scan {scan.id} still hold erased voxels (255).")
    return labels


def load_labelmap(path: Path, scan: ScanRef, shape_zyx: tuple[int, ...]) -> Labels:
    """A uint8 array of exactly that shape. Raises ContractError `bad_scan`."""
    array = _load(path, scan)
    if array.dtype != np.uint8 or array.shape != tuple(shape_zyx):
        raise ContractError("bad_scan", f"{path.name} of scan {scan.id} is not uint8 on the grid of its volume.")
    return array.view(np.uint8)


def has_lungs(scan: ScanRef, job: ChildFolder) -> bool:
    """Whether the scan's folder holds a lung mask, of whatever size."""
    return (job.path(scan.folder) / "lungs.npy").exists()


def load_lungs(scan: ScanRef, job: ChildFolder, shape_zyx: tuple[int, ...]) -> Mask | None:
    """The lung mask; None when unknown or empty."""
    path = job.path(scan.folder) / "lungs.npy"
    if not path.exists():
        return None
    lungs: Mask = load_labelmap(path, scan, shape_zyx) > 0
    return lungs if lungs.any() else None


def _load(path: Path, scan: ScanRef) -> npt.NDArray[np.generic]:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ContractError("bad_scan", f"Scan {scan.id} has no readable {path.name}.") from error
    if not isinstance(array, np.ndarray):
        raise ContractError("bad_scan", f"{path.name} of scan {scan.id} is not one array.")
    return array
