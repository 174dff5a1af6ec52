"""Masks as `.nii.gz` files on the grid of their scan."""

import gzip
import tempfile
from pathlib import Path

import nibabel
import numpy as np

from annotation.scans.models import Scan
from annotation.scans.volumes import index_damaged
from voxloop.kernel.errors import Invalid, TooLarge
from voxloop.volume.errors import FormatError
from voxloop.volume.geometry import Geometry
from voxloop.volume.labelmap import ERASED
from voxloop.volume.labelmap.chunks import Labels


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
    except (OSError, EOFError, ValueError) as error:
        raise Invalid("The body is not a .nii.gz file.", code="bad_mask") from error
    if len(raw) > limit:
        raise TooLarge("The NIfTI file inflates to more than its scan can hold.", code="too_large")
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "mask.nii"
            path.write_bytes(raw)
            image = nibabel.Nifti1Image.from_filename(path)
            values = np.asanyarray(image.dataobj)
            affine = image.affine
    except Exception as error:  # nibabel raises many kinds for a broken header
        raise Invalid("The body is not a readable NIfTI file.", code="bad_mask") from error
    if values.shape != tuple(reversed(geometry.shape_zyx)):
        raise Invalid(
            f"The mask has {list(values.shape)} voxels, its scan {list(reversed(geometry.shape_zyx))}.", code="bad_mask"
        )
    if affine is None or not np.allclose(affine, geometry.ras_from_ijk(), atol=0.01):
        raise Invalid("The mask lies on another grid than its scan (its affine differs).", code="bad_mask")
    labels = np.ascontiguousarray(values.transpose(2, 1, 0))
    if not np.array_equal(labels, labels.astype(np.uint8)) or labels.max(initial=0) >= ERASED:
        raise Invalid("The mask holds values that are no segment ids.", code="bad_mask")
    return labels.astype(np.uint8)


class _BytesReader:
    """A file over bytes that gzip can read without a copy."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = memoryview(data), 0

    def read(self, size: int = -1) -> bytes:
        end = len(self.data) if size < 0 else min(len(self.data), self.at + size)
        block = bytes(self.data[self.at : end])
        self.at = end
        return block
