"""Scans that stand for many: k-means on embeddings."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]


def near_middles(points: Points, count: int, random: np.random.Generator) -> list[int]:
    """`count` different points, one near the middle of each of as many clusters, that of the largest cluster first."""
    middles = k_means(points, count, random)
    gaps = _squared(points, middles)
    sizes = np.bincount(gaps.argmin(axis=1), minlength=count) if count else np.zeros(0, np.intp)
    picked: list[int] = []
    for cluster in np.argsort(-sizes, kind="stable"):
        gap = gaps[:, cluster].copy()
        gap[picked] = np.inf
        picked.append(int(gap.argmin()))
    return picked


def k_means(points: Points, count: int, random: np.random.Generator, rounds: int = 25) -> Points:
    """`count` cluster centres (k-means++ start, Lloyd's steps)."""
    if count == 0:
        return points[:0]
    centres = [points[random.integers(len(points))]]
    gap = np.square(points - centres[0]).sum(axis=1)
    for _ in range(count - 1):
        weight = gap / gap.sum() if gap.sum() > 0 else None
        centres.append(points[random.choice(len(points), p=weight)])
        gap = np.minimum(gap, np.square(points - centres[-1]).sum(axis=1))
    result = np.stack(centres)
    for _ in range(rounds):
        nearest = _squared(points, result).argmin(axis=1)
        moved = np.stack(
            [points[nearest == k].mean(axis=0) if (nearest == k).any() else result[k] for k in range(count)]
        )
        if np.allclose(moved, result):
            break
        result = moved
    return result


def _squared(points: Points, middles: Points) -> Points:
    """Squared distances, points × middles, without an array of all differences."""
    found: Points = np.square(points).sum(axis=1)[:, None] - 2 * points @ middles.T + np.square(middles).sum(axis=1)
    return np.maximum(found, 0)
