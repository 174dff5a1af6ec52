"""NIfTI-1 files on the scan's own grid: the same voxels in the same order, the affine in RAS."""

import gzip
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt

from voxloop.volume.geometry import Geometry

# Equal input gives equal bytes: no time and no name in the gzip header.
COMPRESSION = 4
MM_AND_SECONDS = 2 | 8
SCANNER = 1


def write_image(path: Path, voxels_zyx: npt.NDArray[np.int16 | np.uint16], geometry: Geometry) -> None:
    """Write a volume (int16 HU of a CT, uint16 of an X-ray; no rescaling) as `.nii.gz`."""
    _write(path, np.ascontiguousarray(voxels_zyx, dtype=voxels_zyx.dtype.newbyteorder("<")), geometry, b"image")


def write_labels(path: Path, labels_zyx: npt.NDArray[np.uint8], geometry: Geometry) -> None:
    """Write a labelmap (uint8, erased voxels already stripped) as `.nii.gz`."""
    _write(path, np.ascontiguousarray(labels_zyx, dtype=np.uint8), geometry, b"labels")


def _write(path: Path, array_zyx: npt.NDArray[Any], geometry: Geometry, description: bytes) -> None:
    """NIfTI stores x fastest, so a C-ordered `zyx` array is already the file's order of bytes."""
    if array_zyx.shape != geometry.shape_zyx:
        raise ValueError(f"voxels of shape {array_zyx.shape} on a grid of {geometry.shape_zyx}")
    with path.open("wb") as raw, gzip.GzipFile("", "wb", COMPRESSION, raw, mtime=0) as out:
        out.write(_header(array_zyx.dtype, geometry, description))
        for slice_yx in array_zyx:
            out.write(slice_yx.tobytes())


def _header(dtype: np.dtype[Any], geometry: Geometry, description: bytes) -> bytes:
    header = nibabel.Nifti1Header(endianness="<")
    header.set_data_dtype(dtype)
    header.set_data_shape(geometry.shape_zyx[::-1])
    header["pixdim"][1:4] = geometry.spacing_mm_zyx[::-1]
    header["xyzt_units"] = MM_AND_SECONDS
    header["descrip"] = description
    header["magic"] = b"n+1"
    header["vox_offset"] = 352
    affine = geometry.ras_from_ijk()
    header.set_sform(affine, code=SCANNER)  # float32, the whole affine
    header.set_qform(affine, code=SCANNER)  # for readers that look there first; equal up to its rounding
    header.set_slope_inter(1.0, 0.0)
    return bytes(header.binaryblock) + bytes(4)  # no extensions
