"""Masks as `.nii.gz` files on the grid of their scan."""

import gzip
import tempfile
import zlib
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt

from annotation.intake.nifti import READABLE
from annotation.scans.models import Scan
from annotation.scans.volumes import index_damaged
from voxloop.kernel.errors import FULL, Invalid, TooLarge
from voxloop.volume.errors import FormatError
from voxloop.volume.geometry import Geometry
from voxloop.volume.labelmap import ERASED
from voxloop.volume.labelmap.chunks import Labels

HEADER_SIZES = {(348).to_bytes(4, "little"), (348).to_bytes(4, "big")}


def geometry_of(scan: Scan) -> Geometry:
    """The grid of a ready scan. Raises Damaged (`index_damaged`) when the row contradicts itself."""
    names = ("shape_zyx", "spacing_mm_zyx", "lps_from_ijk")
    try:
        return Geometry.from_json({name: getattr(scan, name) for name in names})
    except (FormatError, TypeError, ValueError) as error:
        raise index_damaged(scan) from error


def read_nifti_labels(body: bytes, geometry: Geometry) -> Labels:
    """Labels (uint8, zyx) of a `.nii.gz` that lies on the grid. Raises Invalid (`bad_mask`), TooLarge."""
    voxels = int(np.prod(geometry.shape_zyx))
    limit = voxels * 8 + 100_000
    try:
        with gzip.open(_BytesReader(body)) as stream:
            raw = stream.read(limit + 1)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise Invalid("The body is not a whole .nii.gz file.", code="bad_mask") from error
    if raw[:4] not in HEADER_SIZES:
        raise Invalid("The body is not a NIfTI-1 file.", code="bad_mask")
    if len(raw) > limit:
        raise TooLarge("The NIfTI file inflates to more than its scan can hold.", code="too_large")
    values, affine = _read(raw, tuple(reversed(geometry.shape_zyx)))
    if affine is None or not np.allclose(affine, geometry.ras_from_ijk(), atol=0.01):
        raise Invalid("The mask lies on another grid than its scan (its affine differs).", code="bad_mask")
    with np.errstate(invalid="ignore"):
        labels = values.astype(np.uint8)
    # Compared after the cast: NaN, infinity, fractions and what lies beyond a byte all differ from it.
    if not np.array_equal(labels, values) or labels.max(initial=0) >= ERASED:
        raise Invalid("The mask holds values that are no segment ids.", code="bad_mask")
    return np.ascontiguousarray(labels.transpose(2, 1, 0))


def _read(raw: bytes, shape_xyz: tuple[int, ...]) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64] | None]:
    """Voxels (xyz) and affine; what the header says is checked before a voxel is read."""
    try:
        with tempfile.TemporaryDirectory() as folder, np.errstate(all="ignore"):
            path = Path(folder) / "mask.nii"
            path.write_bytes(raw)
            image = nibabel.Nifti1Image.from_filename(path)
            shape, dtype = tuple(int(n) for n in image.shape), np.dtype(image.header.get_data_dtype())
            if shape == shape_xyz and dtype.name in READABLE:
                return np.asanyarray(image.dataobj), image.affine
    except Exception as error:  # nibabel raises many kinds for a broken header
        if isinstance(error, OSError) and error.errno in FULL:
            raise
        raise Invalid("The body is not a readable NIfTI file.", code="bad_mask") from error
    if shape != shape_xyz:
        raise Invalid(f"The mask has {list(shape)} voxels, its scan {list(shape_xyz)}.", code="bad_mask")
    raise Invalid(f"The mask holds {dtype.name} values; whole numbers of one channel are needed.", code="bad_mask")


class _BytesReader:
    """A file over bytes that gzip can read without a copy."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = memoryview(data), 0

    def read(self, size: int = -1) -> bytes:
        end = len(self.data) if size < 0 else min(len(self.data), self.at + size)
        block = bytes(self.data[self.at : end])
        self.at = end
        return block
