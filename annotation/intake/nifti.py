"""NIfTI without Django: one volume in HU, and an optional mask on the same grid."""

from __future__ import annotations

import gzip
import zlib
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
from nibabel.orientations import (
    apply_orientation,
    axcodes2ornt,
    inv_ornt_aff,
    io_orientation,
    ornt2axcodes,
    ornt_transform,
)

from annotation.intake.limits import MIB, Limits
from annotation.intake.volumes import HIGHEST_HU, LOWEST_HU, PADDING_HU, FoundVolume, Origin, check_ct, hash_volume
from voxloop.kernel.errors import Invalid, TooLarge
from voxloop.kernel.uids import derive_uid
from voxloop.volume.errors import FormatError
from voxloop.volume.geometry import Geometry
from voxloop.volume.nifti import affine_mm, open_image, to_labels, unit_mm

HEADER_BYTES = MIB  # header and extensions
SAME_PLACE = 0.5  # of the smallest voxel: how far two descriptions of one grid may differ


def is_nifti(path: Path) -> bool:
    """By name: `.nii` or `.nii.gz`."""
    return path.name.lower().endswith((".nii", ".nii.gz"))


def read_nifti(path: Path, scratch: Path, limits: Limits) -> FoundVolume:
    """A CT volume in HU. Axes are permuted and flipped so that i points left, j to the back, k to the head.

    Values after `scl_slope` and `scl_inter` are rounded and kept as int16; NaN is −1024. Raises Invalid:
    `bad_nifti`, `no_orientation`, `empty_volume`, …; TooLarge.
    """
    image = open_volume(path, scratch / "volume.nii", limits)
    transform, geometry = _orient(image)
    if geometry.shape_zyx[0] < limits.least_slices:
        raise Invalid(
            f"The volume has {geometry.shape_zyx[0]} slices; a volume needs at least {limits.least_slices}.",
            code="too_few_slices",
        )
    hu = np.empty(image.shape[:3], np.int16, order="F")
    for k in range(image.shape[2]):
        values = np.asarray(image.dataobj[(slice(None), slice(None), k) + (0,) * (len(image.shape) - 3)], np.float64)
        hu[:, :, k] = np.rint(np.clip(np.nan_to_num(values, nan=PADDING_HU), LOWEST_HU, HIGHEST_HU))
    voxels_zyx = _to_zyx(hu, transform)
    overruled = check_ct(voxels_zyx, geometry, limits)
    digest = hash_volume(voxels_zyx, geometry)
    study_uid = derive_uid("study", digest)
    facts = {
        "slices": geometry.shape_zyx[0],
        "slice_thickness_mm": geometry.spacing_mm_zyx[0],
        "kernel": "",
        "manufacturer": "",
        "model": "",
        "contrast": None,
        "kvp": None,
        "sop_class_uid": "",
        "frame_of_reference_uid": derive_uid("frame", study_uid),
        "sop_instance_uids": [],
        "source": "nifti",
        "axes": "".join(ornt2axcodes(io_orientation(affine_mm(image)))),  # of the file, to give it back so
        **({"overruled": overruled} if overruled else {}),
    }
    origin = Origin(
        subject=study_uid,
        is_unnamed=True,
        study_uid=study_uid,
        series_uid=derive_uid("series", digest),
        modality="CT",
        description=f"CT, {geometry.spacing_mm_zyx[0]:g} mm",
        facts=facts,
        source_hash=digest,
    )
    return FoundVolume(voxels_zyx, geometry, origin)


def read_mask(path: Path, grid: Geometry, scratch: Path, limits: Limits) -> npt.NDArray[np.uint8]:
    """Labels (uint8, zyx) that lie on the volume's grid. Raises Invalid (`bad_nifti`, `other_grid`, `bad_mask`)."""
    image = open_volume(path, scratch / "mask.nii", limits)
    transform, geometry = _orient(image)
    if geometry.shape_zyx != grid.shape_zyx:
        raise Invalid(f"The mask has {_shape(geometry)} voxels, its volume {_shape(grid)}.", code="other_grid")
    if not geometry.is_same_grid(grid, tolerance_mm=0.05):
        raise Invalid(
            "The mask's grid differs from its volume's (position, spacing or orientation).", code="other_grid"
        )
    try:
        labels = to_labels(np.asanyarray(image.dataobj).reshape(image.shape[:3]))
    except FormatError as error:
        raise Invalid(error.message, code=error.code) from error
    return _to_zyx(labels, transform)


def _shape_of(sizes: tuple[int, ...]) -> str:
    return "×".join(map(str, sizes[:3]))


def _shape(geometry: Geometry) -> str:
    return "×".join(map(str, reversed(geometry.shape_zyx)))


def open_volume(path: Path, plain: Path, limits: Limits) -> Any:
    """The image with its voxels still on disk, after checking its header and the length of its file."""
    path = _inflate(path, plain, limits)
    try:
        image = open_image(path)
        offset = int(image.dataobj.offset)  # nibabel's header object has lost it
        has_orientation = int(image.header["qform_code"]) > 0 or int(image.header["sform_code"]) > 0
    except FormatError as error:
        raise Invalid(error.message, code=error.code) from error
    shape, dtype = tuple(int(n) for n in image.shape), np.dtype(image.header.get_data_dtype())
    voxels = int(np.prod(shape, dtype=np.int64))
    if voxels > limits.most_voxels or max(shape) > limits.most_slices * 2:
        raise TooLarge(
            f"The volume has {_shape_of(shape)} voxels; at most {limits.most_voxels // 1_000_000} million, and "
            f"{limits.most_slices * 2:,} along one axis, can be converted.",
            code="volume_too_large",
        )
    if path.stat().st_size < offset + voxels * dtype.itemsize:
        raise Invalid("The NIfTI file is truncated: it holds fewer voxels than it declares.", code="bad_nifti")
    if not has_orientation:
        raise Invalid("The NIfTI file does not say how it lies in the patient (qform, sform).", code="no_orientation")
    _check_one_place(image)
    return image


def _check_one_place(image: Any) -> None:
    """Readers disagree on which of the two forms counts when both are set: SimpleITK takes the qform for some codes,
    nibabel always the sform."""
    qform, sform = image.get_qform(coded=True)[0], image.get_sform(coded=True)[0]
    if qform is None or sform is None:
        return
    sides = [(0, int(n) - 1) for n in image.shape[:3]]
    corners = np.array([[*corner, 1] for corner in product(*sides)], np.float64).T
    apart = np.linalg.norm(((qform - sform) @ corners)[:3], axis=0).max() * unit_mm(image)
    if not np.isfinite(apart) or apart > SAME_PLACE * float(np.min(image.header.get_zooms()[:3])) * unit_mm(image):
        raise Invalid(
            f"The NIfTI file says in two ways how it lies in the patient, {apart:.1f} mm apart (qform and sform): "
            "write both alike, or only one.",
            code="two_places",
        )


def _inflate(path: Path, plain: Path, limits: Limits) -> Path:
    """Unpack a `.nii.gz` to disk, so that slices can be read without loading all of it; a `.nii` is returned as it
    is. Unpacked is what the header at its beginning promises, and no more."""
    with path.open("rb") as handle:
        if handle.read(2) != b"\x1f\x8b":
            return path
    try:
        with gzip.open(path) as packed, plain.open("xb") as handle:
            head = packed.read(HEADER_BYTES)
            left = _promised(head, limits) - len(head)
            handle.write(head)
            while block := packed.read(MIB):
                left -= len(block)
                if left < 0:
                    raise TooLarge("The .nii.gz file inflates to more than its header promises.", code="archive_ratio")
                handle.write(block)
    except (EOFError, ValueError, zlib.error, gzip.BadGzipFile) as error:
        raise Invalid("The .nii.gz file is damaged or truncated.", code="bad_nifti") from error
    return plain


def _promised(head: bytes, limits: Limits) -> int:
    """Bytes of a file by its header, with a margin; of one that cannot be read here, as much as a scan may hold."""
    most = limits.most_voxels * 8 + HEADER_BYTES
    with suppress(Exception):  # nibabel raises many types for a broken header; it is refused when the file is opened
        header: Any = nibabel.Nifti1Header(head[: nibabel.Nifti1Header.sizeof_hdr])
        voxels = int(np.prod([max(1, int(n)) for n in header.get_data_shape()], dtype=np.float64))
        offset = int(header["vox_offset"])
        return min(most, offset + voxels * int(header.get_data_dtype().itemsize) + HEADER_BYTES)
    return most


def _orient(image: Any) -> tuple[npt.NDArray[np.float64], Geometry]:
    """The permutation and flips that align the axes to left, back, head; and the resulting grid."""
    try:
        affine = affine_mm(image)
        if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
            raise FormatError("bad_geometry", "The affine of the NIfTI file is not a possible one.")
        transform = ornt_transform(io_orientation(affine), axcodes2ornt(("L", "P", "S")))
        if np.isnan(transform).any():
            raise FormatError("bad_geometry", "The axes of the NIfTI file cannot be told apart.")
        moved = affine @ inv_ornt_aff(transform, image.shape[:3])
        shape_xyz = [0, 0, 0]
        for source, (target, _) in enumerate(transform):
            shape_xyz[int(target)] = int(image.shape[source])
        return transform, Geometry.from_ras_affine(reversed(shape_xyz), moved)
    except FormatError as error:
        raise Invalid(error.message, code=error.code) from error
    except (ValueError, np.linalg.LinAlgError) as error:
        raise Invalid("The affine of the NIfTI file is not a possible one.", code="bad_geometry") from error


def _to_zyx(voxels_xyz: npt.NDArray[Any], transform: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
    return np.ascontiguousarray(apply_orientation(voxels_xyz, transform).transpose(2, 1, 0))
