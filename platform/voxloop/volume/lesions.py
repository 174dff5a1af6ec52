"""How many lesions a segment has, how large the largest is, and the largest diameter."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist, squareform

Mask = npt.NDArray[np.bool_]
Points = npt.NDArray[np.float64]
Spacing = tuple[float, float, float]

NEIGHBOURS = np.ones((3, 3, 3), np.bool_)  # 26; of a single plane 8


def measure_lesions(mask_zyx: Mask, spacing_mm_zyx: Spacing) -> tuple[int, int, float]:
    """Number of connected parts, voxels of the largest, and the largest diameter of any in mm; zeros for an empty mask.

    The diameter is the longest straight line between two voxels of one part (through the patient, not within a slice),
    from centre to centre: of a ball of 20 mm and more within 1 %, of a flat end up to a voxel short; that of a single
    voxel is its longest edge. Parts are tried by the diagonal of their box, so most are never measured."""
    labelled, count = ndi.label(mask_zyx, NEIGHBOURS)
    if not count:
        return 0, 0, 0.0
    boxes = ndi.find_objects(labelled, count)
    sizes = np.bincount(labelled.reshape(-1), minlength=count + 1)[1:]
    spans = np.array([[side.stop - side.start for side in box] for box in boxes]) * np.array(spacing_mm_zyx)
    diagonals = np.linalg.norm(spans, axis=1)
    longest = 0.0
    for at in np.argsort(-diagonals):
        if diagonals[at] <= longest:
            break
        longest = max(longest, _diameter_mm(labelled[boxes[at]] == at + 1, spacing_mm_zyx))
    return int(count), int(sizes.max()), longest


def _diameter_mm(part_zyx: Mask, spacing_mm_zyx: Spacing) -> float:
    spacing = np.array(spacing_mm_zyx)
    ends = _row_ends(part_zyx) * spacing
    corners = ends[_on_hull(ends)]
    apart = squareform(pdist(corners)) if len(corners) > 1 else np.zeros((1, 1))
    one, other = np.unravel_index(int(apart.argmax()), apart.shape)
    between = float(apart[one, other])
    return between or float(spacing.max())


def _row_ends(part_zyx: Mask) -> Points:
    """First and last voxel of every row: no other can be an end of the longest line."""
    rows = part_zyx.any(axis=2)
    z, y = np.nonzero(rows)
    first = part_zyx.argmax(axis=2)[z, y]
    last = part_zyx.shape[2] - 1 - part_zyx[:, :, ::-1].argmax(axis=2)[z, y]
    found: Points = np.unique(np.r_[np.c_[z, y, first], np.c_[z, y, last]], axis=0).astype(np.float64)
    return found


def _on_hull(points: Points) -> npt.NDArray[np.intp]:
    """Indices of points on the convex hull, whatever space they span."""
    centred = points - points.mean(axis=0)
    _, strengths, axes = np.linalg.svd(centred, full_matrices=False)
    rank = int((strengths > 1e-9 * max(float(strengths[0]), 1.0)).sum())
    flat = centred @ axes[:rank].T
    if rank == 0:
        return np.array([0])
    if rank == 1:
        return np.array([flat.argmin(), flat.argmax()])
    corners: npt.NDArray[np.intp] = ConvexHull(flat).vertices
    return corners
