"""Masks as `.nii.gz` files on the grid of their scan."""

import gzip
import io
import tempfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from annotation.masks.foreign.placing import lay
from annotation.scans.models import Scan
from annotation.scans.volumes import index_damaged
from voxloop.kernel.errors import FULL, Invalid, TooLarge
from voxloop.volume.errors import FormatError
from voxloop.volume.geometry import LPS_TO_RAS, Geometry
from voxloop.volume.labelmap.chunks import Labels
from voxloop.volume.nifti import affine_mm, open_image, to_labels

SAME_GRID_MM = 0.05  # as for a mask that comes with its scan
HEADER_SIZES = {(348).to_bytes(4, "little"), (348).to_bytes(4, "big")}


def geometry_of(scan: Scan) -> Geometry:
    """The grid of a ready scan. Raises Damaged (`index_damaged`) when the row is inconsistent."""
    names = ("shape_zyx", "spacing_mm_zyx", "lps_from_ijk")
    try:
        return Geometry.from_json({name: getattr(scan, name) for name in names})
    except (FormatError, TypeError, ValueError) as error:
        raise index_damaged(scan) from error


def read_nifti_labels(body: bytes, geometry: Geometry) -> Labels:
    """Labels (uint8, zyx) of a `.nii.gz` that lies on the grid, in any order of its axes (LPS, RAS, …), as a mask that
    comes with a scan. Raises Invalid (`bad_mask`), TooLarge."""
    voxels = int(np.prod(geometry.shape_zyx))
    limit = voxels * 8 + 100_000
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as stream:
            raw = stream.read(limit + 1)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise Invalid("The body is not a whole .nii.gz file.", code="bad_mask") from error
    if raw[:4] not in HEADER_SIZES:
        raise Invalid("The body is not a NIfTI-1 file.", code="bad_mask")
    if len(raw) > limit:
        raise TooLarge("The NIfTI file inflates to more than its scan can hold.", code="too_large")
    values, affine = _read(raw, tuple(reversed(geometry.shape_zyx)))
    try:
        labels, _ = lay(to_labels(values), LPS_TO_RAS @ affine, geometry, tolerance_mm=SAME_GRID_MM)
    except (FormatError, Invalid) as error:
        raise Invalid(error.message if isinstance(error, FormatError) else error.detail, code="bad_mask") from error
    return np.ascontiguousarray(labels)


def _read(raw: bytes, shape_xyz: tuple[int, ...]) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64]]:
    """Voxels (xyz) and affine; the header is checked before voxels are read."""
    with tempfile.TemporaryDirectory() as folder, np.errstate(all="ignore"):
        path = Path(folder) / "mask.nii"
        path.write_bytes(raw)
        try:
            image = open_image(path)
        except FormatError as error:
            raise Invalid(error.message, code="bad_mask") from error
        shape = tuple(int(n) for n in image.shape)
        if sorted(shape[:3]) != sorted(shape_xyz):
            raise Invalid(f"The mask has {list(shape)} voxels, its scan {list(shape_xyz)}.", code="bad_mask")
        try:
            return np.asanyarray(image.dataobj).reshape(shape[:3]).copy(), affine_mm(image)  # deleted with its folder
        except Exception as error:  # nibabel raises many exception types for inconsistent files
            if isinstance(error, OSError) and error.errno in FULL:
                raise
            raise Invalid("The body is not a readable NIfTI file.", code="bad_mask") from error
