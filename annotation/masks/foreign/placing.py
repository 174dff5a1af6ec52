"""Blocks of voxels laid on the grid of a scan: another order of axes is turned, another grid refused or resampled."""

from __future__ import annotations

from itertools import product
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from voxloop.kernel.errors import Invalid
from voxloop.volume.geometry import LPS_TO_RAS, Geometry
from voxloop.volume.labelmap.chunks import Labels

TOLERANCE = 1e-3  # of a voxel, or mm: how far a corner may lie from where it should

Affine = npt.NDArray[np.float64]


def lay(
    block_ijk: npt.NDArray[Any],
    lps_from_ijk: Affine,
    grid: Geometry,
    *,
    is_part: bool = False,
    tolerance_mm: float = TOLERANCE,
) -> tuple[npt.NDArray[Any], tuple[int, int, int]]:
    """The block in the order of the grid (zyx), and the index (zyx) of its first voxel there.

    Axes may be swapped and flipped, nothing else: every corner lies within `tolerance_mm`, or 1e-3 of a voxel, of a
    voxel of the grid. `is_part`: the block may be smaller than the grid and may stand out of it. Raises Invalid
    (`other_grid`)."""
    shape = np.array(block_ijk.shape[:3])
    if not np.isfinite(lps_from_ijk).all() or abs(np.linalg.det(lps_from_ijk[:3, :3])) < 1e-12:
        raise Invalid("The mask does not say how it lies in the patient.", code="no_orientation")
    to_grid = np.linalg.inv(grid.affine()) @ lps_from_ijk
    turn = np.zeros((3, 3))
    targets = np.abs(to_grid[:3, :3]).argmax(axis=0)
    turn[targets, range(3)] = np.sign(to_grid[targets, range(3)])
    first = np.rint(to_grid[:3, 3])
    corners = np.array(
        [[n - 1 if far else 0 for n, far in zip(shape, one, strict=True)] for one in product((0, 1), repeat=3)]
    ).T
    apart = to_grid[:3, :3] @ corners + to_grid[:3, 3:] - (turn @ corners + first[:, None])
    in_mm = np.linalg.norm(grid.affine()[:3, :3] @ apart, axis=0).max()
    begin = (turn @ corners + first[:, None]).min(axis=1)
    is_here = len(set(targets.tolist())) == 3 and (np.abs(apart).max() <= TOLERANCE or in_mm <= tolerance_mm)
    turned = shape[np.argsort(targets)]
    if not is_here or not (is_part or (not begin.any() and tuple(turned[::-1]) == grid.shape_zyx)):
        raise Invalid(_two_grids(shape, lps_from_ijk, grid), code="other_grid")
    flipped = block_ijk[tuple(slice(None, None, -1) if turn[targets[n], n] < 0 else slice(None) for n in range(3))]
    x, y, z = (int(n) for n in begin)
    return flipped.transpose(np.argsort(targets)).transpose(2, 1, 0), (z, y, x)


def put(part_zyx: npt.NDArray[Any], first_zyx: tuple[int, int, int], onto_zyx: npt.NDArray[Any]) -> None:
    """Write a part into the voxels of the scan. Raises Invalid (`outside_scan`) when something of it lies beside."""
    here, there = [], []
    for n, first, whole in zip(part_zyx.shape, first_zyx, onto_zyx.shape, strict=True):
        low, high = max(0, -first), min(n, whole - first)
        here.append(slice(low, max(low, high)))
        there.append(slice(first + low, first + max(low, high)))
    inside = part_zyx[tuple(here)]
    if np.count_nonzero(part_zyx) != np.count_nonzero(inside):
        raise Invalid("A part of the mask lies outside of its scan.", code="outside_scan")
    onto_zyx[tuple(there)] = np.where(inside != 0, inside, onto_zyx[tuple(there)])


def resample(block_ijk: Labels, lps_from_ijk: Affine, grid: Geometry) -> Labels:
    """The value of the nearest voxel at each voxel of the grid (zyx); 0 beside the block."""
    from_grid = np.linalg.inv(lps_from_ijk) @ grid.affine()
    shape_xyz = tuple(reversed(grid.shape_zyx))
    found = ndi.affine_transform(
        block_ijk, from_grid[:3, :3], from_grid[:3, 3], shape_xyz, order=0, mode="grid-constant", prefilter=False
    )
    return np.ascontiguousarray(found.transpose(2, 1, 0))


def _two_grids(shape: npt.NDArray[Any], lps_from_ijk: Affine, grid: Geometry) -> str:
    return (
        f"The mask lies on another grid than its scan: the mask has {_told(shape, lps_from_ijk)}; the scan has "
        f"{_told(reversed(grid.shape_zyx), grid.affine())}."
    )


def _told(shape: Any, lps_from_ijk: Affine) -> str:
    spacing = np.linalg.norm(lps_from_ijk[:3, :3], axis=0)
    axes = "".join(str(code) for code in nibabel.aff2axcodes(LPS_TO_RAS @ lps_from_ijk))
    return (
        f"{'×'.join(str(int(n)) for n in shape)} voxels of {'×'.join(f'{mm:.6g}' for mm in spacing)} mm, the first at "
        f"({', '.join(f'{mm + 0.0:.4f}' for mm in lps_from_ijk[:3, 3])}) mm in LPS, axes towards {axes}"
    )
