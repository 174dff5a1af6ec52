"""The millimetre grid that the phantom is drawn on: x to the left, y to the back, z to the head, 0 in the middle."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

Field = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Points = npt.NDArray[np.float64]


class Grid:
    """Open coordinate arrays (mm) of a volume, and what is drawn on it."""

    def __init__(self, shape_zyx: tuple[int, int, int], spacing_mm_zyx: tuple[float, float, float]) -> None:
        self.shape = shape_zyx
        self.spacing = spacing_mm_zyx
        axes: list[Field] = [
            ((np.arange(n) - (n - 1) / 2) * s).astype(np.float32)
            for n, s in zip(shape_zyx, spacing_mm_zyx, strict=True)
        ]
        self.z: Field = axes[0][:, None, None]
        self.y: Field = axes[1][None, :, None]
        self.x: Field = axes[2][None, None, :]

    def whole(self, part: Mask) -> Mask:
        """An open mask as one of the whole volume."""
        result: Mask = np.broadcast_to(part, self.shape)
        return result

    def noise(self, rng: np.random.Generator, length_mm: float) -> Field:
        """A smooth random field of deviation 1 whose bumps are about `length_mm` wide."""
        cell = length_mm / 1.6
        coarse = [max(4, math.ceil(n * s / cell) + 2) for n, s in zip(self.shape, self.spacing, strict=True)]
        field: Field = ndi.gaussian_filter(rng.standard_normal(coarse, dtype=np.float32), 0.9, mode="wrap")
        field /= field.std()
        for axis, (n, s) in enumerate(zip(self.shape, self.spacing, strict=True)):
            position = np.minimum(np.arange(n) * (s / cell), coarse[axis] - 1.001)
            low = position.astype(np.intp)
            share = (position - low).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
            field = field.take(low, axis) * (1 - share) + field.take(low + 1, axis) * share
        return field

    def voxel_positions(self, points_xyz: Points) -> Points:
        """Voxel positions (z, y, x; fractions) of points in mm."""
        middle = (np.array(self.shape) - 1) / 2
        result: Points = points_xyz[:, ::-1] / np.array(self.spacing) + middle
        return result

    def splat(self, points_xyz: Points, volume_mm3: Points) -> Field:
        """Share of each voxel taken by small volumes at these points, spread over their eight neighbours, at most 1."""
        position = self.voxel_positions(points_xyz)
        low = np.floor(position).astype(np.intp)
        share = position - low
        total = np.zeros(math.prod(self.shape))
        for corner in np.ndindex(2, 2, 2):
            index = low + corner
            inside = ((index >= 0) & (index < self.shape)).all(axis=1)
            weight = volume_mm3 * np.prod(np.where(corner, share, 1 - share), axis=1)
            flat = np.ravel_multi_index(tuple(index[inside].T), self.shape)
            total += np.bincount(flat, weight[inside], total.size)
        return np.minimum(total / math.prod(self.spacing), 1).astype(np.float32).reshape(self.shape)


def superellipse(dx: Field, dy: Field, a: Field | float, b: Field | float, power: float) -> Field:
    """Below 1 inside; `a`, `b` are the half axes in mm."""
    return np.asarray((np.abs(dx) / a) ** power + (np.abs(dy) / b) ** power, np.float32)


def bump(value: Field, centre: float, width: float) -> Field:
    """A smooth hill of height 1."""
    result: Field = np.exp(-(((value - centre) / width) ** 2))
    return result
