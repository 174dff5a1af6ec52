"""Saving a stroke of radius 20 voxels: the mask message compared with the .nii.gz of the whole mask by nibabel."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

from benchmarks._rows import ratio_row
from benchmarks._scans import real_chest_ct
from voxloop.volume.geometry import Geometry
from voxloop.volume.labelmap import changed_chunks, encode_message

MOST_SHARE = 1 / 50
RADIUS = 20  # voxels
STROKE = {
    "id": "00000000-0000-4000-8000-000000000000",
    "tool": "sphere",
    "segment": 1,
    "ijk": [256, 256, 150],
    "radius_mm": 14.0,
    "params": {},
    "added": 33401,
    "removed": 0,
    "at": "2026-01-01T00:00:00Z",
}


def run() -> Iterator[dict[str, Any]]:
    """Rows of bytes and milliseconds."""
    cases = {"512×512×300, mask of two lungs": _two_lungs((300, 512, 512))}
    real = real_chest_ct()
    if real:
        cases["LIDC-IDRI-0001, mask of aerated lung"] = ((real[0] > -1000) & (real[0] < -500)).astype(np.uint8)
    for name, before in cases.items():
        after = before.copy()
        z, y, x = np.ogrid[tuple(slice(-(n // 2), n - n // 2) for n in before.shape)]
        after[x**2 + y**2 + z**2 <= RADIUS**2] = 2
        start = time.perf_counter()
        message = encode_message("findings", after.shape, changed_chunks(before, after), [STROKE])
        ours = time.perf_counter() - start
        affine = Geometry.axial(after.shape, (1.0, 0.7, 0.7)).ras_from_ijk()
        start = time.perf_counter()
        whole = _gzipped(nibabel.Nifti1Image(after.transpose(2, 1, 0), affine))
        peer = time.perf_counter() - start
        yield ratio_row("save", f"{name}: bytes", len(message) / 1000, len(whole) / 1000, "kB", MOST_SHARE)
        yield ratio_row("save", f"{name}: time", 1000 * ours, 1000 * peer, "ms", 1.0)


def _two_lungs(shape: tuple[int, int, int]) -> np.ndarray:
    z, y, x = (np.linspace(-1, 1, n) for n in shape)
    z, y = z[:, None, None], y[:, None]
    sides = [(z / 0.75) ** 2 + (y / 0.55) ** 2 + ((x - side) / 0.36) ** 2 < 1 for side in (-0.42, 0.42)]
    return (sides[0] | sides[1]).astype(np.uint8)


def _gzipped(image: nibabel.Nifti1Image) -> bytes:
    """The bytes of a .nii.gz as nibabel writes a file (its default level is 1)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mask.nii.gz"
        nibabel.save(image, path)
        return path.read_bytes()
