"""Body, rib cage, lungs, mediastinum and abdomen of one subject, in HU before scanner effects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from voxloop.volume.phantom.grid import Field, Grid, Mask, bump, superellipse

RIGHT, LEFT = -1, 1
AIR_HU = -1000.0


@dataclass(frozen=True)
class Subject:
    """Measures (mm, HU) in which one body differs from another."""

    lung_height: float
    cage_width: float  # half axes of the cage
    cage_depth: float
    fat: float
    muscle: float
    breast: float  # 0 = none
    heart: float  # size factor
    lung_hu: float
    contrast_hu: float  # 0 = none
    fissure_tilt: float
    fissure_height: float
    dome: float
    apex_shift: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Subject:
        """Draw a random subject."""
        fat = float(rng.gamma(4, 2.6) + 4)
        return cls(
            lung_height=float(rng.uniform(212, 252)),
            cage_width=float(rng.uniform(122, 138)),
            cage_depth=float(rng.uniform(88, 104)),
            fat=min(fat, 26.0),
            muscle=float(rng.uniform(7, 14)),
            breast=float(rng.choice([0, rng.uniform(8, 22)])),
            heart=float(rng.uniform(0.88, 1.14)),
            lung_hu=float(rng.normal(-888, 16)),
            contrast_hu=float(rng.choice([0, rng.uniform(80, 190)], p=[0.6, 0.4])),
            fissure_tilt=float(rng.uniform(0.75, 1.05)),
            fissure_height=float(rng.uniform(0.42, 0.52)),
            dome=float(rng.uniform(26, 40)),
            apex_shift=float(rng.uniform(6, 16)),
        )


@dataclass
class Anatomy:
    """The drawn body: trees and findings modify `hu`; the masks are the ground truth."""

    hu: Field
    body: Mask
    lungs: npt.NDArray[np.uint8]  # 1 right, 2 left
    lobes: npt.NDArray[np.uint8]
    fissure: Field  # 0 … 1
    base_z: float
    depth: Field  # mm below the pleura, inside the lungs


def draw_anatomy(grid: Grid, subject: Subject, rng: np.random.Generator) -> Anatomy:
    """Everything but vessels, airways and findings."""
    x, y, z = grid.x, grid.y, grid.z
    base_z = -0.5 * subject.lung_height - 4.0
    rise = np.clip((z - base_z) / subject.lung_height, -0.4, 1)  # 0 at the lung bases, 1 at the apices
    up = np.clip(rise, 0, 1)
    bumps = grid.noise(rng, 22)
    grain = grid.noise(rng, 7)

    # The rib cage narrows to the apex and leans back; its inner surface is the pleura, on which the ribs run.
    narrow: Field = np.sqrt(np.clip(1 - 0.93 * up**3.4, 0.05, 1)) - 0.05 * (1 - up) ** 2 * (rise > 0)
    wide, deep = subject.cage_width * narrow, subject.cage_depth * np.sqrt(np.clip(1 - 0.84 * up**4.2, 0.05, 1))
    middle = 3 + subject.apex_shift * up**2
    cage = superellipse(x, y - middle, wide, deep, 2.35)
    outside = subject.muscle + subject.fat
    shoulder = 26 * np.clip((rise - 0.72) / 0.28, 0, 1) ** 1.5
    hull_a = subject.cage_width + outside + 6 + shoulder - 6 * up
    hull_b = subject.cage_depth + outside + 5 - 12 * up**2
    body = superellipse(x, y - 3, hull_a, hull_b, 2.5) < 1
    if subject.breast:
        for side in (RIGHT, LEFT):
            lump = superellipse(x - side * 62, y + hull_b.max() - 30, 76.0, subject.breast + 30, 2.2)
            body = body | (lump + ((z - base_z - 92) / 58) ** 2 < 1)
    flesh = superellipse(x, y - 3, hull_a - subject.fat, hull_b - subject.fat, 2.5) < 1

    hu = np.full(grid.shape, AIR_HU, np.float32)
    np.copyto(hu, -102 + 8 * bumps, where=body)
    np.copyto(hu, 46 + 7 * grain, where=body & flesh)
    wall = flesh & (cage > 1.05)
    np.copyto(hu, -85 + 10 * grain, where=body & wall & (grain + 0.5 * bumps > 0.75))  # fat between the muscles

    lungs, dome = _lungs(grid, subject, cage, rise, base_z, bumps)
    _mediastinum(hu, grid, subject, cage, rise, base_z, bumps, grain)
    _abdomen(hu, grid, subject, cage, dome, base_z, bumps)
    _bones(hu, grid, subject, cage, wide, deep, middle, rise, body, grain)

    inside = lungs > 0
    coarse = ndi.distance_transform_edt(
        inside[:, ::2, ::2], sampling=(grid.spacing[0], *(2 * s for s in grid.spacing[1:]))
    )
    depth: Field = coarse.astype(np.float32).repeat(2, 1).repeat(2, 2)[:, : grid.shape[1], : grid.shape[2]]
    gravity = 30 * np.clip((y + 10) / 90, -1, 1)
    np.copyto(hu, subject.lung_hu + gravity + 9 * bumps + 7 * grain, where=inside)
    lobes, fissure = _lobes(grid, subject, lungs, base_z, bumps)
    return Anatomy(hu, np.ascontiguousarray(body), lungs, lobes, fissure, base_z, depth)


def _lungs(
    grid: Grid, subject: Subject, cage: Field, rise: Field, base_z: float, bumps: Field
) -> tuple[npt.NDArray[np.uint8], Field]:
    """The lungs (1 right, 2 left), and the height of the diaphragm."""
    x, y, z = grid.x, grid.y, grid.z
    dome: Field = np.asarray(base_z - 20 * np.clip((y - 5) / 80, -1, 1.2) - 6 * (np.abs(x) / 100) ** 2, np.float32)
    for side, lift in ((RIGHT, subject.dome + 8), (LEFT, subject.dome)):
        dome = dome + lift * bump(x, side * 70, 52) * bump(y, -8, 62)
    pleura = (cage < 0.885) & (z > dome + 1.5 * bumps) & (rise < 0.985)
    # Mediastinum: a wide middle with great vessels, thin in front (junction line), spine behind.
    half = 10 + (24 + 6 * bump(rise, 0.55, 0.2)) * bump(y, -2, 40) - 6 * np.clip(rise - 0.6, 0, 1)
    spine_y = subject.cage_depth * 0.66
    middle = (np.abs(x - 2) < half + 1.5 * bumps) | (superellipse(x, y - spine_y, 25.0, 24.0, 2.3) < 1)
    heart = _heart(grid, subject, base_z) + 0.05 * bumps < 1
    air = pleura & ~middle & ~heart
    air = ndi.binary_opening(air, ndi.generate_binary_structure(3, 1), iterations=1)
    soft = ndi.gaussian_filter(air.astype(np.float32), (0.5, 2.2 / grid.spacing[1], 2.2 / grid.spacing[2])) > 0.5
    soft &= ~heart
    return np.where(soft, np.where(x > 0, np.uint8(2), np.uint8(1)), np.uint8(0)), dome


def _heart(grid: Grid, subject: Subject, base_z: float) -> Field:
    """Implicit surface of the heart, below 1 inside."""
    size = subject.heart
    dx, dy, dz = grid.x - 20, grid.y + 30, grid.z - (base_z + 58)
    along = dx + 0.32 * dz * -1  # the apex points down and to the left
    result: Field = (along / (58 * size)) ** 2 + ((dy + 0.15 * dx) / (49 * size)) ** 2 + (dz / (56 * size)) ** 2
    return result


def _mediastinum(
    hu: Field, grid: Grid, subject: Subject, cage: Field, rise: Field, base_z: float, bumps: Field, grain: Field
) -> None:
    x, y, z = grid.x, grid.y, grid.z
    room = cage < 0.9
    np.copyto(hu, -92 + 8 * grain, where=room & (np.abs(x - 2) < 46))
    blood = 42 + subject.contrast_hu
    heart = _heart(grid, subject, base_z)
    np.copyto(hu, -88 + 10 * grain, where=room & (heart < 1.08))
    np.copyto(hu, 46 + 0.25 * subject.contrast_hu + 4 * grain, where=room & (heart + 0.04 * bumps < 0.92))
    for cx, cy, cz, reach in ((34.0, -34.0, 46, 22), (2, -48, 50, 22), (8, -12, 66, 20), (-22, -28, 58, 19)):
        chamber = ((x - cx) ** 2 + (y - cy) ** 2 + 0.8 * (z - base_z - cz) ** 2) / (reach * subject.heart) ** 2
        np.copyto(hu, blood + 4 * grain, where=room & (chamber + 0.1 * bumps < 1))

    root = base_z + 96  # aortic root; carina and pulmonary trunk lie above it
    spine_y = subject.cage_depth * 0.66

    def tube(cx: float | Field, cy: float | Field, r: float | Field, low: float, high: float, value: float) -> None:
        inside = ((x - cx) ** 2 + (y - cy) ** 2 < np.square(r)) & (z > low) & (z < high)
        np.copyto(hu, np.float32(value), where=inside)

    arch = base_z + 0.68 * subject.lung_height
    tube(24, spine_y - 26, 12, -999, arch, blood)
    tube(-6, -30, 15, root - 16, arch, blood)
    bow = np.abs(((x - 9) / 18) ** 2 + ((y - (spine_y - 56) / 2) / 40) ** 2 - 0.75) < 0.62
    np.copyto(hu, np.float32(blood), where=bow & (np.abs(z - arch - 4) < 12))
    tube(-26, -14, 9, root - 10, arch + 44, blood + 0.3 * subject.contrast_hu)
    for cx, cy, r in ((-16.0, -4.0, 5.5), (6, -2, 5), (20, 6, 5), (-34, -12, 7), (34, -6, 6.5)):
        tube(cx, cy, r, arch + 8, 999, blood)
    trunk = ((x - 12) / 17) ** 2 + ((y + 22) / 13) ** 2 + ((z - root - 18) / 15) ** 2 < 1
    arteries = (np.abs(x - 2) < 40) & ((y - 2 + 0.25 * np.abs(x)) ** 2 + (z - root - 20) ** 2 < 10.5**2)
    veins = (np.abs(x - 2) < 38) & ((y - 10) ** 2 + (z - root + 10) ** 2 < 12**2)
    np.copyto(hu, np.float32(blood), where=trunk | arteries | veins)
    tube(9, spine_y - 30, 6.5, -999, 999, 34)  # oesophagus
    tube(10, spine_y - 31, 2, root + 20, 999, -600)
    # Trachea to the carina, then the main bronchi; their walls are soft tissue.
    carina = root + 38
    tube(1, 8 + 4 * np.clip(rise, 0, 1), 10.5, carina, 999, 25)
    tube(1, 8 + 4 * np.clip(rise, 0, 1), 8.7, carina - 3, 999, AIR_HU + 12)
    for reach_mm, value in ((8.0, 25.0), (6.4, AIR_HU + 15)):
        for side, slope in ((RIGHT, 1.05), (LEFT, 0.72)):
            way = (x - 1) * side
            branch = (way > -2) & (way < 46) & ((y - 10) ** 2 + ((z - carina + slope * way) * 0.78) ** 2 < reach_mm**2)
            np.copyto(hu, np.float32(value), where=branch)


def _abdomen(hu: Field, grid: Grid, subject: Subject, cage: Field, dome: Field, base_z: float, bumps: Field) -> None:
    x, y, z = grid.x, grid.y, grid.z
    below = (cage < 0.9) & (z < dome - 2.5)
    spread = (np.abs(x) > 30) | (z < base_z + 6)
    np.copyto(hu, -95 + 8 * bumps, where=below & spread)
    lift = 0.35 * subject.contrast_hu
    liver = superellipse(x + 52, y + 6, 92.0, subject.cage_depth * 0.87, 2.4) + 0.07 * bumps < 1
    np.copyto(hu, 58 + lift + 5 * bumps, where=below & spread & liver & (x < 46))
    spleen = ((x - 96) / 30) ** 2 + ((y - 40) / 36) ** 2 + ((z - base_z + 22) / 40) ** 2 + 0.08 * bumps < 1
    np.copyto(hu, 50 + lift + 4 * bumps, where=below & spleen)
    stomach = ((x - 66) / 40) ** 2 + ((y + 16) / 42) ** 2 + ((z - base_z + 14) / 34) ** 2 + 0.08 * bumps < 1
    np.copyto(hu, 20 + 4 * bumps, where=below & stomach)
    np.copyto(hu, np.float32(-960), where=below & stomach & (y < -26) & (z > base_z - 40))


def _bones(
    hu: Field,
    grid: Grid,
    subject: Subject,
    cage: Field,
    wide: Field,
    deep: Field,
    middle: Field,
    rise: Field,
    body: Mask,
    grain: Field,
) -> None:
    x, y, z = grid.x, grid.y, grid.z
    spine_y = subject.cage_depth * 0.66
    level = np.mod(z + 7, 25.0)
    vertebra = superellipse(x, y - spine_y, 18.0, 14.5, 2.6)
    np.copyto(hu, 170 + 45 * grain, where=grid.whole(vertebra < 1))
    np.copyto(hu, np.float32(430), where=grid.whole((vertebra < 1) & (vertebra > 0.74)))
    np.copyto(hu, np.float32(80), where=grid.whole((vertebra < 1) & (level < 5)))
    np.copyto(hu, np.float32(20), where=grid.whole(x**2 + (y - spine_y - 23) ** 2 < 8.5**2))
    for side in (RIGHT, LEFT):
        lamina = superellipse(x - side * 10, y - spine_y - 26, 5.0, 11.0, 2.0)
        process = superellipse(x - side * 26, y - spine_y - 20, 14.0, 5.0, 2.0)
        np.copyto(hu, np.float32(380), where=grid.whole((lamina < 1) & (level > 5)))
        np.copyto(hu, np.float32(320), where=grid.whole((process < 1) & (level > 13)))
    np.copyto(
        hu, np.float32(340), where=grid.whole((superellipse(x, y - spine_y - 42, 4.0, 10.0, 2.0) < 1) & (level > 9))
    )

    # Ribs: rings on the cage, high behind and low in front, cartilage in front, cortex round marrow.
    slant = z + 0.60 * y + 0.09 * np.abs(x)
    phase = np.abs(np.mod(slant, 26.0) - 13.0)
    ring = np.abs(cage - 1.0) * 0.5 * (wide + deep) / 2.35
    rib = np.hypot(phase / 5.6, ring / 4.4)
    where = (np.abs(x) > 17) & body & (rise < 0.97) & (rise > -0.35)
    front = y - middle < -0.52 * deep
    np.copyto(
        hu,
        np.where(front, np.float32(95), np.where(rib < 0.58, 190 + 40 * grain, np.float32(520))),
        where=where & (rib < 1),
    )

    sternum = superellipse(x, y - middle + deep + 2, 19.0, 6.5, 2.6)
    bone = (rise > 0.28) & (rise < 0.82) & body
    np.copyto(hu, np.where(sternum < 0.6, 150 + 40 * grain, np.float32(360)), where=(sternum < 1) & bone)
    for side in (RIGHT, LEFT):
        out = (x * side - (subject.cage_width + 1)) * 0.78 + (y - 42) * 0.62
        along = (y - 42) * 0.78 - (x * side - (subject.cage_width + 1)) * 0.62
        blade = (np.abs(out + 0.004 * along**2) < 3.4) & (np.abs(along) < 40 + 20 * (rise - 0.6))
        np.copyto(hu, np.float32(330), where=blade & (rise > 0.45) & (rise < 1) & body & (cage > 1.12))
        clavicle = ((z - 0.16 * x * side + 0.05 * y - (subject.lung_height * 0.43)) / 6) ** 2
        clavicle = clavicle + ((y + 46 - 0.22 * x * side) / 6) ** 2
        np.copyto(hu, np.float32(400), where=(clavicle < 1) & (x * side > 16) & (x * side < 150) & body & (cage > 0.9))


def _lobes(
    grid: Grid, subject: Subject, lungs: npt.NDArray[np.uint8], base_z: float, bumps: Field
) -> tuple[npt.NDArray[np.uint8], Field]:
    """Lobes by their fissures (right: oblique and horizontal; left: oblique), and the fissures as thin sheets."""
    x, y, z = grid.x, grid.y, grid.z
    height = base_z + subject.fissure_height * subject.lung_height
    oblique = (
        z - height - subject.fissure_tilt * (y - 4) - 0.0016 * (y - 4) ** 2 + 0.10 * np.abs(x) - 3 * bumps
    ) / np.hypot(1, subject.fissure_tilt)
    horizontal = z - (height + 14) - 0.05 * y - 2.5 * bumps
    lower = oblique < 0
    right = lungs == 1
    lobes = np.where(lower, np.uint8(5), np.uint8(4))
    lobes = np.where(right, np.where(lower, np.uint8(3), np.where(horizontal < 0, np.uint8(2), np.uint8(1))), lobes)
    sheet = np.clip(1 - np.abs(oblique) / 1.6, 0, 1)
    sheet = np.maximum(sheet, np.where(right & ~lower, np.clip(1 - np.abs(horizontal) / 1.6, 0, 1), 0))
    inside = lungs > 0
    return np.where(inside, lobes, np.uint8(0)), np.where(inside, sheet, 0).astype(np.float32)
