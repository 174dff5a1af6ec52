"""Arteries, veins and bronchi: trees grown generation by generation, all branches of a generation at once."""

from __future__ import annotations

import numpy as np

from voxloop.volume.phantom.body import LEFT, RIGHT, Anatomy
from voxloop.volume.phantom.grid import Field, Grid, Points

STEPS = 7
# Directions (x outwards, y, z) in which branches leave the hilum: every segment of a lung gets one.
WAYS = np.array(
    [
        [0.5, -0.45, 0.95],
        [0.7, 0.45, 0.85],
        [0.95, -0.5, 0.35],
        [1.0, 0.45, 0.2],
        [0.85, -0.75, -0.15],
        [0.8, -0.55, -0.75],
        [0.75, 0.1, -1.0],
        [0.6, 0.75, -0.8],
        [0.55, 0.9, 0.1],
    ]
)


def draw_trees(grid: Grid, anatomy: Anatomy, blood_hu: float, rng: np.random.Generator) -> Field:
    """Draw vessels and bronchi into the lungs; returns the share of vessel in each voxel."""
    hilum_z = anatomy.base_z + 112
    vessels: list[tuple[Points, Points]] = []
    walls: list[tuple[Points, Points]] = []
    for side in (RIGHT, LEFT):
        out = np.array([side, 1.0, 1.0])
        artery = np.array([side * 36.0, 4.0, hilum_z])
        vein = np.array([side * 34.0, 12.0, hilum_z - 24])
        bronchus = np.array([side * 40.0, 10.0, hilum_z - 6])
        vessels.append(_grow(grid, anatomy.depth, artery, WAYS * out, 4.2, 0.27, rng))
        vessels.append(_grow(grid, anatomy.depth, vein, WAYS[::-1] * out, 4.0, 0.27, rng))
        walls.append(_grow(grid, anatomy.depth, bronchus, WAYS * out, 3.4, 1.25, rng))
    inside = anatomy.lungs > 0
    vessel = grid.splat(*_samples(vessels, 1.0, rng)) * inside
    anatomy.hu += vessel * (blood_hu - anatomy.hu)
    wall = grid.splat(*_samples(walls, 1.0, rng)) * inside
    lumen = grid.splat(*_samples(walls, 0.72, rng)) * inside
    anatomy.hu += np.clip(wall - lumen, 0, 1) * (20 - anatomy.hu)
    anatomy.hu += lumen * (-985 - anatomy.hu)
    return vessel


def _grow(
    grid: Grid, depth: Field, start: Points, ways: Points, radius_mm: float, least_mm: float, rng: np.random.Generator
) -> tuple[Points, Points]:
    """Points along a tree, and (radius, length) that each represents, in mm."""
    tips = start + rng.normal(0, 2.5, (len(ways), 3))
    way = ways + rng.normal(0, 0.12, ways.shape)
    radius = radius_mm * rng.uniform(0.85, 1.1, len(ways))
    points: list[Points] = []
    sizes: list[Points] = []
    first = True
    while len(tips):
        length = np.clip(rng.uniform(4.5, 8.5, len(tips)) * radius**0.8, 3.5, 26) * (1.35 if first else 1)
        step = (length / STEPS)[:, None]
        alive = np.ones(len(tips), np.bool_)
        for _ in range(STEPS):
            way += rng.normal(0, 0.10, way.shape)
            way /= np.linalg.norm(way, axis=1, keepdims=True)
            ahead = tips + way * step
            free = _depth_at(grid, depth, ahead) > np.maximum(0.6, 0.3 * radius)
            if first:  # the hilum lies in the mediastinum
                free |= True
            blocked = ~free
            way[blocked] = -0.15 * way[blocked] + rng.normal(0, 0.6, (int(blocked.sum()), 3))
            alive &= free | (radius > 0.7)
            moved = free & alive
            tips[moved] = ahead[moved]
            points.append(tips[moved] - 0.5 * way[moved] * step[moved])
            sizes.append(np.c_[radius[moved], np.broadcast_to(step[:, 0], radius.shape)[moved]])
        first = False
        tips, way, radius = tips[alive], way[alive], radius[alive]
        across = np.cross(way, rng.normal(0, 1, way.shape))
        across /= np.linalg.norm(across, axis=1, keepdims=True) + 1e-9
        bend = rng.uniform(0.3, 0.62, (len(tips), 1))
        larger, smaller = rng.uniform(0.78, 0.88, len(tips)), rng.uniform(0.60, 0.80, len(tips))
        tips = np.concatenate([tips, tips])
        way = np.concatenate(
            [
                way * np.cos(0.7 * bend) + across * np.sin(0.7 * bend),
                way * np.cos(1.5 * bend) - across * np.sin(1.5 * bend),
            ]
        )
        radius = np.concatenate([radius * larger, radius * smaller])
        kept = radius > least_mm
        tips, way, radius = tips[kept], way[kept], radius[kept]
    return np.concatenate(points), np.concatenate(sizes)


def _depth_at(grid: Grid, depth: Field, points: Points) -> Points:
    index = np.rint(grid.voxel_positions(points)).astype(np.intp)
    inside = ((index >= 0) & (index < grid.shape)).all(axis=1)
    index = np.clip(index, 0, np.array(grid.shape) - 1)
    return np.where(inside, depth[tuple(index.T)], 0.0)


def _samples(trees: list[tuple[Points, Points]], scale: float, rng: np.random.Generator) -> tuple[Points, Points]:
    """Points that fill the tubes, and the volume (mm³) that each represents."""
    points = np.concatenate([p for p, _ in trees])
    radius, length = np.concatenate([s for _, s in trees]).T
    radius = radius * scale
    count = np.clip(np.ceil(1.6 * radius**2 * length), 1, 160).astype(np.intp)
    owner = np.repeat(np.arange(len(points)), count)
    spread = rng.normal(0, 1, (len(owner), 3))
    spread *= (rng.random(len(owner)) ** (1 / 3) / np.linalg.norm(spread, axis=1))[:, None]
    volume = 1.12 * np.pi * radius**2 * length / count
    return points[owner] + spread * np.maximum(radius, 0.1)[owner, None], volume[owner]
