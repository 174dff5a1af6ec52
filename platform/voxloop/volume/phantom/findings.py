"""Findings in the lungs, as segments of the layer `findings`, and what they look like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voxloop.volume.phantom.body import Anatomy
from voxloop.volume.phantom.grid import Field, Grid

OPACITY, TREE_IN_BUD, CAVITY, NODULE, ATELECTASIS, OTHER = range(1, 7)
# Share of an opacity above which a voxel counts as part of it.
EDGE = 0.4

Labels = npt.NDArray[np.uint8]
Part = tuple[slice, slice, slice]


@dataclass
class Canvas:
    """The lungs to draw findings on, and the truth."""

    grid: Grid
    anatomy: Anatomy
    rough: Field  # bumps of ~18 mm
    fine: Field  # bumps of ~6 mm
    rng: np.random.Generator
    labels: Labels


def draw_findings(grid: Grid, anatomy: Anatomy, rng: np.random.Generator) -> Labels:
    """Draw a subject's findings into `anatomy.hu` and return their segments (at least one voxel)."""
    labels = np.zeros(grid.shape, np.uint8)
    canvas = Canvas(grid, anatomy, grid.noise(rng, 18), grid.noise(rng, 6), rng, labels)
    pattern = rng.choice(5, p=[0.48, 0.20, 0.14, 0.09, 0.09])
    if pattern == 0:
        _multifocal(canvas)
    elif pattern == 1:
        _lobar(canvas)
    elif pattern == 2:
        _few_small(canvas)
    elif pattern == 3:
        _tree_in_bud(canvas)
    else:
        _cavity(canvas)
    for chance, draw in ((0.18, _nodule), (0.14, _atelectasis), (0.08, _reticulation)):
        if rng.random() < chance:
            draw(canvas)
    if not labels.any():  # every drawn finding was too small: a subject with findings has at least one
        _opacity(canvas, _random_centre(canvas, 4, 18), np.array([14.0, 14.0, 14.0]), 320.0)
    return labels


def _multifocal(canvas: Canvas) -> None:
    """Peripheral ground glass of several sizes in both lungs, more below; in some with consolidation."""
    rng = canvas.rng
    severe = rng.random()
    for _ in range(int(rng.integers(3, 6 + round(8 * severe)))):
        size = rng.uniform(8, 18 + 24 * severe)
        radii = size * rng.uniform(0.7, 1.25, 3)
        centre = _random_centre(canvas, 2, max(6.0, 0.7 * size), low=rng.random() < 0.65)
        _opacity(canvas, centre, radii, rng.uniform(170, 400))
        if size > 14 and rng.random() < 0.35:
            _opacity(canvas, centre, radii * rng.uniform(0.35, 0.6), 900.0, solid=True)


def _lobar(canvas: Canvas) -> None:
    """Consolidation of a good part of one lobe with air bronchograms, in a rim of ground glass."""
    rng = canvas.rng
    centre = _random_centre(canvas, 8, 34, low=rng.random() < 0.7)
    radii = rng.uniform(20, 38, 3)
    lobe = int(canvas.anatomy.lobes[_index(canvas.grid, centre)])
    _opacity(canvas, centre, radii * 1.25, rng.uniform(200, 330), lobe=lobe)
    _opacity(canvas, centre, radii, 900.0, solid=True, lobe=lobe)
    if rng.random() < 0.4:
        _opacity(canvas, _random_centre(canvas, 3, 25), rng.uniform(8, 18, 3), rng.uniform(200, 380))


def _few_small(canvas: Canvas) -> None:
    """One to three small foci, easily overlooked."""
    rng = canvas.rng
    for _ in range(int(rng.integers(1, 4))):
        solid = rng.random() < 0.3
        amount = 900.0 if solid else rng.uniform(180, 420)
        _opacity(canvas, _random_centre(canvas, 2, 22), rng.uniform(5, 11, 3), amount, solid=solid)


def _tree_in_bud(canvas: Canvas) -> None:
    """Clusters of buds of 2-3.5 mm on short twigs."""
    rng, grid = canvas.rng, canvas.grid
    for _ in range(int(rng.integers(1, 4))):
        centre = np.array(_random_centre(canvas, 4, 16, low=rng.random() < 0.5))
        points, sizes = [], []
        for _ in range(int(rng.integers(18, 42))):
            bud = centre + rng.normal(0, 9, 3)
            twig = centre + (bud - centre) * rng.uniform(0.55, 0.75)
            for share in np.linspace(0, 1, 7):
                points.append(twig + share * (bud - twig))
                sizes.append(4.0 + 10 * share)
            points.append(bud)
            sizes.append(float(rng.uniform(30, 110)))
        owner = np.repeat(np.arange(len(points)), 12)
        spread = rng.normal(0, 1.1, (len(owner), 3))
        share = grid.splat(np.array(points)[owner] + spread, np.array(sizes)[owner] / 12) * (canvas.anatomy.lungs > 0)
        hu = canvas.anatomy.hu
        hu += np.minimum(1.6 * share, 1) * np.maximum(20 - hu, 0)
        canvas.labels[(share > 0.10) & (canvas.labels == 0)] = TREE_IN_BUD
    if rng.random() < 0.5:
        _opacity(canvas, _random_centre(canvas, 3, 20), rng.uniform(6, 13, 3), rng.uniform(250, 420))


def _cavity(canvas: Canvas) -> None:
    """A thick-walled cavity, upper lobes preferred, with some ground glass round it."""
    rng = canvas.rng
    centre = _random_centre(canvas, 10, 26, low=False)
    outer = rng.uniform(11, 21)
    radii = outer * rng.uniform(0.88, 1.12, 3)
    _opacity(canvas, centre, radii * 1.5, rng.uniform(160, 260))
    part, reach = _reach(canvas, centre, radii, 0.10)
    inside = canvas.anatomy.lungs[part] > 0
    share = np.clip((1.06 - reach) / 0.12, 0, 1) * inside
    hollow = np.clip(((1 - rng.uniform(4.5, 7) / outer) - reach) / 0.12, 0, 1) * inside
    hu = canvas.anatomy.hu[part]
    hu += share * (35 - hu)
    hu += hollow * (-940 - hu)
    canvas.labels[part][share > EDGE] = CAVITY


def _nodule(canvas: Canvas) -> None:
    """A solid nodule or mass, not infectious; some with spicules, a few calcified."""
    rng = canvas.rng
    size = rng.uniform(4.5, 9) if rng.random() < 0.7 else rng.uniform(12, 20)
    centre = _random_centre(canvas, 4, 34)
    radii = size * rng.uniform(0.88, 1.12, 3)
    part, reach = _reach(canvas, centre, radii, rng.uniform(0.04, 0.16))
    share = np.clip((1.08 - reach) / 0.16, 0, 1) * (canvas.anatomy.lungs[part] > 0)
    hu = canvas.anatomy.hu[part]
    hu += share * (rng.choice([35.0, 45.0, 260.0], p=[0.5, 0.4, 0.1]) - hu)
    canvas.labels[part][share > EDGE] = NODULE


def _atelectasis(canvas: Canvas) -> None:
    """Dependent collapse above the diaphragm at the back, or a band."""
    rng, grid, anatomy = canvas.rng, canvas.grid, canvas.anatomy
    side = int(rng.integers(1, 3))
    inside = anatomy.lungs == side
    if rng.random() < 0.6:
        reach = rng.uniform(14, 26)
        near = (anatomy.depth < 0.45 * reach) & (grid.y > 30) & (grid.z < anatomy.base_z + 1.3 * reach)
        share = np.where(near & inside, np.clip(1.15 - anatomy.depth / (0.5 * reach) + 0.25 * canvas.rough, 0, 1), 0)
        tissue = 25.0
    else:
        tilt, height = rng.uniform(-0.25, 0.25, 2), anatomy.base_z + rng.uniform(35, 70)
        sheet = grid.z - height - tilt[0] * grid.x - tilt[1] * grid.y - 3 * canvas.rough
        span = (grid.y > rng.uniform(-10, 15)) & (anatomy.depth < 32)
        share = np.clip(1.4 - np.abs(sheet) / rng.uniform(2.4, 3.6), 0, 1) * inside * span
        tissue = -80.0
    anatomy.hu += (share * np.maximum(tissue - anatomy.hu, 0)).astype(np.float32)
    canvas.labels[(share > EDGE) & (canvas.labels == 0)] = ATELECTASIS


def _reticulation(canvas: Canvas) -> None:
    """Fibrosis: a subpleural net at the bases."""
    grid, anatomy, rng = canvas.grid, canvas.anatomy, canvas.rng
    rind = np.clip(1.3 - anatomy.depth / rng.uniform(6, 10) + 0.25 * canvas.rough, 0, 1) * (anatomy.lungs > 0)
    share = rind * (grid.z < anatomy.base_z + rng.uniform(35, 65)) * (grid.y > -20)
    net = np.clip(1.3 - 2.0 * np.abs(canvas.fine), 0, 1)
    anatomy.hu += (share * (110 + 430 * net)).astype(np.float32)
    canvas.labels[(share > 0.5) & (canvas.labels == 0)] = OTHER


def _opacity(
    canvas: Canvas,
    centre: tuple[float, float, float],
    radii_xyz: npt.NDArray[np.float64],
    amount_hu: float,
    *,
    solid: bool = False,
    lobe: int | None = None,
) -> None:
    """Ground glass (adds `amount_hu`, vessels stay visible) or consolidation (`solid`; bronchi stay air)."""
    part, reach = _reach(canvas, centre, radii_xyz, 0.20)
    inside = canvas.anatomy.lungs[part] > 0
    if lobe:
        inside &= canvas.anatomy.lobes[part] == lobe
    share = np.clip((1.15 - reach) / (0.14 if solid else 0.30), 0, 1) * inside
    hu = canvas.anatomy.hu[part]
    fine = canvas.fine[part]
    if solid:
        hu += share * np.where(hu < -940, 0, np.maximum(28 + 14 * fine - hu, 0))
    else:
        paving = 55 * np.clip(1.2 - 2.2 * np.abs(fine), 0, 1)
        hu += share * np.clip((-40 - hu) / 500, 0, 1) * (amount_hu + 34 * canvas.rough[part] + 18 * fine + paving)
    labels = canvas.labels[part]
    labels[(share > EDGE) & (labels == 0)] = OPACITY


def _reach(
    canvas: Canvas, centre: tuple[float, float, float], radii_xyz: npt.NDArray[np.float64], rough: float
) -> tuple[Part, Field]:
    """The box around a centre, and its roughened ellipsoid distance (1 = on the surface)."""
    grid = canvas.grid
    middle = grid.voxel_positions(np.array([centre]))[0]
    room = 1.7 * radii_xyz[::-1] / np.array(grid.spacing) + 2
    z, y, x = (
        slice(max(0, int(m - r)), min(n, int(m + r) + 1)) for m, r, n in zip(middle, room, grid.shape, strict=True)
    )
    squares = (
        ((grid.x[:, :, x] - centre[0]) / radii_xyz[0]) ** 2
        + ((grid.y[:, y] - centre[1]) / radii_xyz[1]) ** 2
        + ((grid.z[z] - centre[2]) / radii_xyz[2]) ** 2
    )
    part = (z, y, x)
    reach = np.sqrt(squares) + rough * canvas.rough[part] + 0.4 * rough * canvas.fine[part]
    return part, reach.astype(np.float32)


def _random_centre(
    canvas: Canvas, least_mm: float, most_mm: float, low: bool | None = None
) -> tuple[float, float, float]:
    """A random centre between these depths below the pleura; `low` prefers the lower half at the back."""
    anatomy, grid = canvas.anatomy, canvas.grid
    index = np.argwhere((anatomy.depth > least_mm) & (anatomy.depth < most_mm) & (anatomy.lungs > 0))
    if not len(index):
        index = np.argwhere(anatomy.lungs > 0)
    tries = index[canvas.rng.integers(0, len(index), 6)]
    if low is not None:
        order = grid.z[tries[:, 0], 0, 0] - (0.8 * grid.y[0, tries[:, 1], 0] if low else 0)
        k, j, i = tries[int(order.argmin() if low else order.argmax())]
    else:
        k, j, i = tries[0]
    return float(grid.x[0, 0, i]), float(grid.y[0, j, 0]), float(grid.z[k, 0, 0])


def _index(grid: Grid, centre: tuple[float, float, float]) -> tuple[int, int, int]:
    z, y, x = np.rint(grid.voxel_positions(np.array([centre]))[0]).astype(int)
    return int(z), int(y), int(x)
