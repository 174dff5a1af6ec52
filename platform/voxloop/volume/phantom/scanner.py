"""Scanner effects: field of view, kernel, noise, HU offset, table, padding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from voxloop.volume.phantom.grid import Field, Grid

PADDING_HU = -1024


@dataclass(frozen=True)
class ScannerProfile:
    """One site's scanner. `extent_mm_zyx` is covered whatever the matrix; figures of noise are for 1.9 mm pixels."""

    name: str
    manufacturer: str
    model: str
    kernel: str
    extent_mm_zyx: tuple[float, float, float]
    blur_mm: float  # Gaussian of the kernel in the plane
    sharpen: float  # share of edge enhancement
    noise_hu: float
    grain_mm: float  # width of the noise's correlation
    offset_hu: float
    table_bend: float  # curvature of the table; 0 = flat
    circle: bool  # reconstruction circle with padding outside


PROFILES: dict[str, ScannerProfile] = {
    "A": ScannerProfile(
        "A", "Phantom Works", "Quiet 64", "STANDARD", (268.0, 350.0, 350.0), 1.05, 0.0, 15.0, 2.4, 0.0, 0.0009, True
    ),
    "B": ScannerProfile(
        "B", "Other Imaging", "Sharp 40", "LUNG", (288.0, 366.0, 366.0), 0.55, 0.55, 34.0, 1.1, -14.0, 0.0, False
    ),
    "C": ScannerProfile(
        "C", "Third Tomography", "Low dose 16", "SOFT", (320.0, 404.0, 404.0), 1.3, 0.15, 44.0, 1.8, 11.0, 0.0016, True
    ),
    "D": ScannerProfile(
        "D", "Fourth Radiology", "Wide 80", "MEDIUM", (300.0, 380.0, 380.0), 0.8, 0.3, 24.0, 1.5, -6.0, 0.0004, True
    ),
}


def scan_body(hu: Field, grid: Grid, profile: ScannerProfile, rng: np.random.Generator) -> npt.NDArray[np.int16]:
    """Image a body (float HU, changed in place) as int16 HU."""
    plane = grid.spacing[1:]
    back = 0.5 * profile.extent_mm_zyx[1]
    top = min(back - 22, 134.0) - profile.table_bend * grid.x**2
    table = (np.abs(grid.y - top - 8) < 10) & (hu < -900)
    np.copyto(hu, np.float32(-870), where=table)
    rim = np.abs(np.abs(grid.y - top - 8) - 9) < 1.2
    np.copyto(hu, np.float32(-120), where=table & rim)
    hu = ndi.gaussian_filter(hu, (0.35, profile.blur_mm / plane[0], profile.blur_mm / plane[1]), truncate=3)
    if profile.sharpen:
        wide = ndi.uniform_filter(hu, (0, 3, 3))
        hu += profile.sharpen * (hu - wide)
    noise = rng.standard_normal(hu.shape, dtype=np.float32)
    noise = ndi.gaussian_filter(
        noise, (0.3, profile.grain_mm / 2 / plane[0], profile.grain_mm / 2 / plane[1]), truncate=3
    )
    if profile.grain_mm < 1.5:  # a sharp kernel removes low-frequency noise
        noise -= 0.6 * ndi.uniform_filter(noise, (0, 5, 5))
    noise *= profile.noise_hu / noise.std()
    thick = 0.75 + 0.5 * np.exp(-(grid.x**2 + grid.y**2) / 110.0**2)  # thicker body, more noise
    hu += noise * thick
    # Streaks between the shoulders and along the arms.
    shoulder = np.clip((grid.z - 0.33 * profile.extent_mm_zyx[0]) / 40, 0, 1)
    lines = rng.standard_normal((hu.shape[0], hu.shape[1], 1), dtype=np.float32)
    hu += 0.5 * profile.noise_hu * shoulder * ndi.gaussian_filter(lines, (0, 0.8, 0))
    hu += profile.offset_hu
    if profile.circle:
        np.copyto(hu, np.float32(PADDING_HU), where=grid.x**2 + grid.y**2 > (0.5 * profile.extent_mm_zyx[2]) ** 2)
    return np.clip(np.rint(hu), PADDING_HU, 3071).astype(np.int16)
