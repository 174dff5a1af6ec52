"""The geometry of a voxel grid: shape, spacing, and the affine from voxel index to millimetres in LPS."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from voxloop.volume.amounts import amount_of, unit_of, voxel_ml
from voxloop.volume.errors import FormatError

Row = tuple[float, float, float, float]

# Turns LPS into RAS and back: x and y change sign.
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
# Relative difference allowed between a column's length and the spacing: DICOM decimals are rounded to ~6 digits.
SPACING_TOLERANCE = 1e-3
# Cosine between two axes above which a grid counts as sheared (0.5 degrees).
SHEAR_TOLERANCE = 0.0087


@dataclass(frozen=True)
class Geometry:
    """A grid of voxels in the patient.

    `shape_zyx` counts voxels, `spacing_mm_zyx` is in mm, `lps_from_ijk` is a 4×4 row-major matrix that takes `(i, j, k,
    1)` = (x, y, z index) to mm in LPS. Raises `FormatError` when they are inconsistent."""

    shape_zyx: tuple[int, int, int]
    spacing_mm_zyx: tuple[float, float, float]
    lps_from_ijk: tuple[Row, Row, Row, Row]

    def __post_init__(self) -> None:
        if any(not 1 <= n <= 65535 for n in self.shape_zyx):
            raise FormatError("bad_geometry", f"A volume of shape {self.shape_zyx} is not possible.")
        matrix = self.affine()
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all() or tuple(matrix[3]) != (0.0, 0.0, 0.0, 1.0):
            raise FormatError("bad_geometry", "The affine is not a finite 4×4 matrix with last row 0 0 0 1.")
        if any(not math.isfinite(s) or s <= 0 for s in self.spacing_mm_zyx):
            raise FormatError("bad_geometry", f"A spacing of {self.spacing_mm_zyx} mm is not possible.")
        lengths = np.linalg.norm(matrix[:3, :3], axis=0)[::-1]
        if np.any(np.abs(lengths / self.spacing_mm_zyx - 1) > SPACING_TOLERANCE):
            raise FormatError("bad_geometry", "The affine and the spacing are inconsistent.")
        axes = matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)
        if np.abs(axes.T @ axes - np.eye(3)).max() > SHEAR_TOLERANCE:
            raise FormatError("sheared_geometry", "The axes of the grid are not at right angles to each other.")

    @classmethod
    def axial(
        cls,
        shape_zyx: tuple[int, int, int],
        spacing_mm_zyx: tuple[float, float, float],
        origin_lps_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
    ) -> Geometry:
        """An axis-aligned grid: i to the patient's left, j to the back, k to the head."""
        sz, sy, sx = spacing_mm_zyx
        x, y, z = origin_lps_mm
        rows: tuple[Row, Row, Row, Row] = (
            (sx, 0.0, 0.0, x),
            (0.0, sy, 0.0, y),
            (0.0, 0.0, sz, z),
            (0.0, 0.0, 0.0, 1.0),
        )
        return cls(shape_zyx, spacing_mm_zyx, rows)

    @classmethod
    def from_lps_affine(cls, shape_zyx: Iterable[int], lps_from_ijk: npt.ArrayLike) -> Geometry:
        """From the shape and a 4×4 affine in LPS; the spacing is the length of the columns."""
        matrix = np.asarray(lps_from_ijk, dtype=np.float64)
        if matrix.shape != (4, 4):
            raise FormatError("bad_geometry", "The affine is not a 4×4 matrix.")
        sx, sy, sz = (float(v) for v in np.linalg.norm(matrix[:3, :3], axis=0))
        z, y, x = (int(n) for n in shape_zyx)
        return cls((z, y, x), (sz, sy, sx), _rows(matrix))

    @classmethod
    def from_ras_affine(cls, shape_zyx: Iterable[int], ras_from_ijk: npt.ArrayLike) -> Geometry:
        """As `from_lps_affine`, from an affine in RAS (NIfTI)."""
        return cls.from_lps_affine(shape_zyx, LPS_TO_RAS @ np.asarray(ras_from_ijk, dtype=np.float64))

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Geometry:
        """From the fields of a volume index; other fields are ignored."""
        try:
            z, y, x = (int(n) for n in document["shape_zyx"])
            sz, sy, sx = (float(s) for s in document["spacing_mm_zyx"])
            matrix = np.asarray(document["lps_from_ijk"], dtype=np.float64)
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError("bad_geometry", "The geometry is incomplete or not made of numbers.") from error
        if matrix.shape != (4, 4):
            raise FormatError("bad_geometry", "The affine is not a 4×4 matrix.")
        return cls((z, y, x), (sz, sy, sx), _rows(matrix))

    def to_json(self) -> dict[str, Any]:
        """The three fields of the volume index."""
        return {
            "shape_zyx": list(self.shape_zyx),
            "spacing_mm_zyx": list(self.spacing_mm_zyx),
            "lps_from_ijk": [list(row) for row in self.lps_from_ijk],
        }

    def affine(self) -> npt.NDArray[np.float64]:
        """`lps_from_ijk` as a 4×4 array."""
        return np.array(self.lps_from_ijk, dtype=np.float64)

    def ras_from_ijk(self) -> npt.NDArray[np.float64]:
        """The affine of NIfTI, in RAS."""
        result: npt.NDArray[np.float64] = LPS_TO_RAS @ self.affine()
        return result

    def lps_of(self, ijk: Iterable[float]) -> tuple[float, float, float]:
        """Millimetres in LPS of a voxel index (x, y, z)."""
        x, y, z, _ = self.affine() @ [*ijk, 1.0]
        return float(x), float(y), float(z)

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in mL."""
        return voxel_ml(self.spacing_mm_zyx)

    @property
    def unit(self) -> str:
        """The unit of amounts: mL, or cm² for a single-plane image, which has no volume."""
        return unit_of(self.shape_zyx)

    def amount(self, voxels: int) -> float:
        """The amount of so many voxels in `unit`."""
        return amount_of(voxels, self.shape_zyx, self.spacing_mm_zyx)

    def is_same_grid(self, other: Geometry, tolerance_mm: float = 0.01) -> bool:
        """Whether every corner voxel of both lies within `tolerance_mm`."""
        if self.shape_zyx != other.shape_zyx:
            return False
        corners = np.array(
            [
                [i, j, k]
                for k in (0, self.shape_zyx[0] - 1)
                for j in (0, self.shape_zyx[1] - 1)
                for i in (0, self.shape_zyx[2] - 1)
            ],
            dtype=np.float64,
        )
        points = np.c_[corners, np.ones(len(corners))].T
        return bool(np.abs((self.affine() - other.affine()) @ points).max() <= tolerance_mm)


def _rows(matrix: npt.NDArray[np.float64]) -> tuple[Row, Row, Row, Row]:
    a, b, c, d = ((float(r[0]), float(r[1]), float(r[2]), float(r[3])) for r in matrix)
    return a, b, c, d
