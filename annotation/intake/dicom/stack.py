"""Slice positions to a volume's grid: one spacing, one orientation, no gap, no tilt; or a refusal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from voxloop.kernel.errors import Invalid
from voxloop.volume.errors import FormatError
from voxloop.volume.geometry import Geometry

SAME_PLACE_MM = 0.01
ORIENTATION_TOLERANCE = 1e-3  # of a direction cosine; decimal strings carry 6 digits
SPACING_SHARE = 0.01  # distances between slices may differ by this share of the median …
SPACING_TOLERANCE_MM = 0.02  # … or by this, whichever is more: some scanners round positions to 0.01 mm
PLACE_SHARE = 0.1  # share of the spacing by which a slice may deviate from an even stack
ROUNDING_SHARE = 0.2  # of the spacing: to what step positions may be rounded
SHIFT_TOLERANCE_DEGREES = 0.3  # angle of the stack's axis to the slices' normal: less than a voxel over a chest


def unit_axes(orientation: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Rows of the result: direction of a row, of a column, and their normal, in LPS. Raises Invalid
    (`bad_orientation`)."""
    row, column = orientation[:3], orientation[3:]
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if any(abs(length - 1) > 0.01 for length in lengths) or abs(row @ column) > 0.01:
        raise Invalid("The image orientation is not two unit vectors at a right angle.", code="bad_orientation")
    row, column = row / lengths[0], column / lengths[1]
    return np.stack([row, column, np.cross(row, column)])


def stack_slices(
    positions_mm: npt.NDArray[np.float64],
    orientations: npt.NDArray[np.float64],
    spacings_mm: npt.NDArray[np.float64],
    shape_yx: tuple[int, int],
    tilt_degrees: float = 0.0,
    step_mm: float = 0.0,
) -> tuple[list[int], Geometry]:
    """The order of the slices along their normal, and the grid.

    `positions_mm` (n, 3) in LPS, `orientations` (n, 6), `spacings_mm` (n, 2: between rows, between columns), `step_mm`:
    the last decimal in which positions are written; rounding to it is no missing slice. Raises
    Invalid: `mixed_orientation`, `mixed_spacing`, `bad_orientation`, `same_place`, `gantry_tilt`, `uneven_spacing`.
    Messages count slices from 1 in that order."""
    odd = np.abs(orientations - orientations[0]).max(axis=1) > ORIENTATION_TOLERANCE
    if odd.any():
        raise Invalid(
            f"{int(odd.sum())} of {len(odd)} slices have another orientation than the first one.",
            code="mixed_orientation",
        )
    odd = np.abs(spacings_mm / spacings_mm[0] - 1).max(axis=1) > ORIENTATION_TOLERANCE
    if odd.any():
        other = spacings_mm[int(np.argmax(odd))]
        raise Invalid(
            f"Pixels are {_pair(spacings_mm[0])} mm in one slice and {_pair(other)} mm in another.",
            code="mixed_spacing",
        )
    axes = unit_axes(orientations[0])
    along = positions_mm @ axes[2]
    order = [int(n) for n in np.argsort(along, kind="stable")]
    gaps = np.diff(along[order])
    spacing_z = _check_gaps(gaps, step_mm)
    first, last = positions_mm[order[0]], positions_mm[order[-1]]
    _check_tilt(positions_mm[order], axes, spacing_z, tilt_degrees)
    matrix = np.eye(4)
    matrix[:3, 0] = axes[0] * spacings_mm[0][1]
    matrix[:3, 1] = axes[1] * spacings_mm[0][0]
    matrix[:3, 2] = (last - first) / (len(order) - 1)
    matrix[:3, 3] = first
    try:
        return order, Geometry.from_lps_affine((len(order), *shape_yx), matrix)
    except FormatError as error:
        raise Invalid(error.message, code=error.code) from error


def _check_tilt(
    ordered_mm: npt.NDArray[np.float64], axes: npt.NDArray[np.float64], spacing_z: float, tilt_degrees: float
) -> None:
    steps = np.diff(ordered_mm, axis=0)
    shift_mm = float(np.median(np.hypot(steps @ axes[0], steps @ axes[1])))
    if np.degrees(np.arctan2(shift_mm, spacing_z)) > SHIFT_TOLERANCE_DEGREES:
        said = f" (its tilt was {abs(tilt_degrees):.1f}°)" if abs(tilt_degrees) > 0.1 else ""
        raise Invalid(
            f"Each slice is shifted by {shift_mm:.2f} mm from the previous one, as by a tilted gantry{said}: "
            "the stack is sheared. Send a reconstruction without tilt.",
            code="gantry_tilt",
        )
    # A single slice off the axis means a mixed series, not a tilt.
    even = ordered_mm[0] + np.linspace(0, 1, len(ordered_mm))[:, None] * (ordered_mm[-1] - ordered_mm[0])
    off = np.linalg.norm((ordered_mm - even) @ axes[:2].T, axis=1)
    worst = int(np.argmax(off))
    if off[worst] > max(PLACE_SHARE * spacing_z, SPACING_TOLERANCE_MM):
        raise Invalid(f"Slice {worst + 1} is shifted sideways by {off[worst]:.2f} mm.", code="uneven_position")


def _check_gaps(gaps_mm: npt.NDArray[np.float64], step_mm: float) -> float:
    """The spacing between slices in mm."""
    if (gaps_mm < SAME_PLACE_MM).any():
        at, count = int(np.argmax(gaps_mm < SAME_PLACE_MM)) + 1, int((gaps_mm < SAME_PLACE_MM).sum())
        raise Invalid(
            f"Slices {at} and {at + 1} lie at the same position, {count} such pairs in all: "
            "the series holds more than one volume. Send each as a series of its own.",
            code="same_place",
        )
    usual = float(np.median(gaps_mm))
    # Coarser rounding could hide a slice that is missing.
    rounding = step_mm if step_mm <= ROUNDING_SHARE * usual else 0.0
    wrong = np.abs(gaps_mm - usual) > max(SPACING_SHARE * usual, SPACING_TOLERANCE_MM, 1.01 * rounding)
    if wrong.any():
        at = int(np.argmax(np.abs(gaps_mm - usual)))
        count = int(wrong.sum())
        more = f", and {count - 1} more distances differ" if count > 1 else ""
        raise Invalid(
            f"Slices {at + 1} and {at + 2} lie {gaps_mm[at]:.1f} mm apart, the others {usual:.1f} mm{more}: "
            "slices are missing or the series was mixed. Send the series whole.",
            code="uneven_spacing",
        )
    mean = float(gaps_mm.mean())
    drift = float(np.abs(np.concatenate([[0.0], np.cumsum(gaps_mm)]) - mean * np.arange(len(gaps_mm) + 1)).max())
    if drift > max(PLACE_SHARE * mean, 1.01 * rounding):
        raise Invalid(
            f"The distance between slices changes along the series: one lies {drift:.2f} mm off its place.",
            code="uneven_spacing",
        )
    return mean


def _pair(spacing_mm: Sequence[float] | npt.NDArray[np.float64]) -> str:
    return f"{spacing_mm[0]:.3f}×{spacing_mm[1]:.3f}"
