"""Write images and masks as NIfTI-1 files; open and check NIfTI files."""

import gzip
import io
from pathlib import Path
from typing import IO, Any

import nibabel
import numpy as np
import numpy.typing as npt
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, ornt_transform

from voxloop.volume.errors import FormatError
from voxloop.volume.geometry import Geometry
from voxloop.volume.labelmap import ERASED
from voxloop.volume.labelmap.chunks import Labels

READABLE = {"int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"}
# Equal input gives equal bytes: no time and no name in the gzip header.
COMPRESSION = 4
MM_AND_SECONDS = 2 | 8
MM_PER_UNIT = {1: 1000.0, 3: 0.001}  # metres, micrometres; files without a unit are in mm by custom
SCANNER = 1


def write_image(path: Path, voxels_zyx: npt.NDArray[np.int16 | np.uint16], geometry: Geometry) -> None:
    """Write a volume (int16 HU of a CT, uint16 of an X-ray; no rescaling) as `.nii.gz`."""
    with path.open("wb") as raw:
        _write(raw, np.ascontiguousarray(voxels_zyx, dtype=voxels_zyx.dtype.newbyteorder("<")), geometry, b"image")


def write_labels(path: Path, labels_zyx: Labels, geometry: Geometry) -> None:
    """Write a labelmap (uint8, erased voxels already stripped) as `.nii.gz`."""
    with path.open("wb") as raw:
        _write(raw, np.ascontiguousarray(labels_zyx, dtype=np.uint8), geometry, b"labels")


def labels_to_bytes(labels_zyx: Labels, geometry: Geometry) -> bytes:
    """The same file as `write_labels` writes, in memory."""
    raw = io.BytesIO()
    _write(raw, np.ascontiguousarray(labels_zyx, dtype=np.uint8), geometry, b"labels")
    return raw.getvalue()


def turn_axes(voxels_zyx: npt.NDArray[Any], geometry: Geometry, axes: str) -> tuple[npt.NDArray[Any], Geometry]:
    """Voxels of a grid that points left, back and head, in another order of axes: `RAS`, `PIR` … name where i, j and k
    point. Undoes what intake did to a NIfTI file; voxels are moved, none is computed."""
    transform = ornt_transform(axcodes2ornt(("L", "P", "S")), axcodes2ornt(tuple(axes)))
    turned_xyz = apply_orientation(voxels_zyx.transpose(2, 1, 0), transform)
    affine = geometry.ras_from_ijk() @ inv_ornt_aff(transform, geometry.shape_zyx[::-1])
    turned_zyx = np.ascontiguousarray(turned_xyz.transpose(2, 1, 0))
    return turned_zyx, Geometry.from_ras_affine(turned_zyx.shape, affine)


def open_image(path: Path) -> Any:
    """An image of numbers whose voxels are still on disk. Raises FormatError (`bad_nifti`); OSError of the disk."""
    try:
        image: Any = _version_of(path).from_filename(path, mmap="r")
        shape = tuple(int(n) for n in image.shape)
        dtype = np.dtype(image.header.get_data_dtype())
    except MemoryError:
        raise
    except Exception as error:  # nibabel raises many exception types for a broken header
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk, not the file
        raise FormatError("bad_nifti", "The file is not a readable NIfTI file.") from error
    if len(shape) < 3 or any(n != 1 for n in shape[3:]) or min(shape[:3]) < 1:
        said = "×".join(map(str, shape))
        raise FormatError("bad_nifti", f"The NIfTI file has the shape {said}; one volume is needed.")
    if dtype.name not in READABLE:
        kind = "colours" if dtype.fields else f"{dtype.name} values"
        raise FormatError("bad_nifti", f"The NIfTI file holds {kind}; numbers of one channel are needed.")
    return image


def _version_of(path: Path) -> Any:
    """The class of the file's version: NIfTI-2 begins with its header's size, 540, in either byte order."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as handle:
        size = handle.read(4)
    is_second = 540 in (int.from_bytes(size, "little"), int.from_bytes(size, "big"))
    return nibabel.Nifti2Image if is_second else nibabel.Nifti1Image


def affine_mm(image: Any) -> npt.NDArray[np.float64]:
    """RAS millimetres from voxel indices (4×4). nibabel leaves the unit of the header aside, ITK does not."""
    affine = np.array(image.affine, np.float64)
    affine[:3] *= unit_mm(image)
    return affine


def unit_mm(image: Any) -> float:
    """Millimetres of the header's unit of length."""
    return MM_PER_UNIT.get(int(image.header["xyzt_units"]) & 7, 1.0)


def to_labels(values: npt.NDArray[Any]) -> Labels:
    """Values as segment ids (uint8, same axes). Raises FormatError (`bad_mask`) when any is not one. Compared after the
    cast, which changes NaN, infinity, fractions and values beyond a byte."""
    with np.errstate(invalid="ignore"):
        labels = values.astype(np.uint8)
    if not np.array_equal(labels, values) or labels.max(initial=0) >= ERASED:
        raise FormatError("bad_mask", "The mask holds values that are not segment ids (whole numbers, 0 to 254).")
    return labels


def _write(raw: IO[bytes], array_zyx: npt.NDArray[Any], geometry: Geometry, description: bytes) -> None:
    """NIfTI stores x fastest, so a C-ordered `zyx` array is already in file order."""
    if array_zyx.shape != geometry.shape_zyx:
        raise ValueError(f"voxels of shape {array_zyx.shape} on a grid of {geometry.shape_zyx}")
    with gzip.GzipFile("", "wb", COMPRESSION, raw, mtime=0) as out:
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
    header.set_qform(affine, code=SCANNER)  # for readers that prefer the qform; equal up to rounding
    header.set_slope_inter(1.0, 0.0)
    return bytes(header.binaryblock) + bytes(4)  # no extensions
