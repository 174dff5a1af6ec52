"""Stage `acquire`: which scans to label next. By diversity first; once a model exists, by its uncertainty, too."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from mlservice.contract.requests import AcquireRequest, AcquireScan, ScanRef
from mlservice.contract.results import AcquireResult, Choice
from mlservice.embedding import embed
from mlservice.scans import load_volume
from voxloop.child.inside import ChildFolder, run_inside

Points = npt.NDArray[np.float64]

NOISE, NOISE_DECAY = 0.5, 0.7
# Predicted extent, mL: none, small, large. Each class gets a share of a batch; otherwise only large lesions are chosen.
EXTENT_BOUNDS_ML = (1.0, 50.0)
POOL = 3  # candidates per chosen scan, by score, among which distance decides


def acquire(request: AcquireRequest, job: ChildFolder) -> AcquireResult:
    """Compute missing embeddings, and choose."""
    embeddings = []
    for position, scan in enumerate(request.scans, start=1):
        if scan.embedding:
            embeddings.append(np.asarray(scan.embedding))
        else:
            reference = ScanRef(scan.id, scan.site, scan.folder, (1.0, 1.0, 1.0))
            embeddings.append(embed(load_volume(reference, job)))
        job.report(position, len(request.scans), f"Described scan {position} of {len(request.scans)}")
    return choose(request, np.stack(embeddings) if embeddings else np.zeros((0, 1)))


def choose(request: AcquireRequest, embeddings: Points) -> AcquireResult:
    """A batch, deterministic by seed. `scores` orders all candidates: the batch first, then by usefulness, so that
    `ORDER BY score DESC LIMIT size` is the batch."""
    random = np.random.default_rng(request.seed)
    scans = request.scans
    is_led = any(scan.uncertainty is not None for scan in scans)
    repeats = _repeats(request, random) if is_led else []
    size = min(request.size - len(repeats), len(scans))
    by_chance = round(request.random_share * size) if is_led else 0
    values = _scores(scans, request.round, random) if is_led else np.zeros(len(scans))
    if is_led:
        picked = _pick_uncertain(scans, embeddings, values, size - by_chance)
        why = ["uncertain"] * len(picked)
    else:
        picked = _pick_diverse(scans, embeddings, size, random)
        why = ["diverse"] * len(picked)
    rest = [n for n in range(len(scans)) if n not in set(picked)]
    chance = [rest[n] for n in random.permutation(len(rest))[: size - len(picked)]]
    order = picked + chance
    why += ["random"] * len(chance)
    choices = [Choice(scans[n].id, reason, float(values[n])) for n, reason in zip(order, why, strict=True)]
    choices += [Choice(scan.id, "repeat", None) for scan in repeats]
    return AcquireResult(tuple(choices), _ranking(scans, values, order, random))


def _scores(scans: Sequence[AcquireScan], round_number: int, random: np.random.Generator) -> Points:
    """Log uncertainty plus Gumbel noise that decays with the rounds; a scan no model saw counts as rather uncertain."""
    known = [scan.uncertainty for scan in scans if scan.uncertainty is not None]
    typical = float(np.median(known))
    unsure = np.array([typical if scan.uncertainty is None else scan.uncertainty for scan in scans])
    noise = random.gumbel(size=len(scans)) * NOISE * NOISE_DECAY**round_number
    return np.asarray(np.log(np.maximum(unsure, 1e-6)) + noise)


def _pick_uncertain(scans: Sequence[AcquireScan], points: Points, values: Points, size: int) -> list[int]:
    chosen: list[int] = []
    for here, quota in _quotas(range(len(scans)), lambda n: scans[n].site, size):
        for group, count in _quotas(here, lambda n: _extent_class(scans[n]), quota):
            pool = sorted(group, key=lambda n: -values[n])[: POOL * count]
            for _ in range(count):
                best = pool[0] if not chosen else max(pool, key=lambda n: _distance(points, n, chosen))
                pool.remove(best)
                chosen.append(best)
    return chosen


def _pick_diverse(scans: Sequence[AcquireScan], points: Points, size: int, random: np.random.Generator) -> list[int]:
    chosen: list[int] = []
    for here, quota in _quotas(range(len(scans)), lambda n: scans[n].site, size):
        free = list(here)
        for centre in k_means(points[free], quota, random):
            best = min(free, key=lambda n: float(np.square(points[n] - centre).sum()))
            free.remove(best)
            chosen.append(best)
    return chosen


def k_means(points: Points, count: int, random: np.random.Generator, rounds: int = 25) -> Points:
    """`count` cluster centres (k-means++ start, Lloyd's steps)."""
    if count == 0:
        return points[:0]
    centres = [points[random.integers(len(points))]]
    for _ in range(count - 1):
        gap = np.min([np.square(points - centre).sum(axis=1) for centre in centres], axis=0)
        weight = gap / gap.sum() if gap.sum() > 0 else None
        centres.append(points[random.choice(len(points), p=weight)])
    result = np.stack(centres)
    for _ in range(rounds):
        nearest = np.square(points[:, None] - result[None]).sum(axis=2).argmin(axis=1)
        moved = np.stack(
            [points[nearest == k].mean(axis=0) if (nearest == k).any() else result[k] for k in range(count)]
        )
        if np.allclose(moved, result):
            break
        result = moved
    return result


def _quotas(members: Sequence[int], name: Callable[[int], str], size: int) -> list[tuple[list[int], int]]:
    """Distribute `size` scans: half evenly over the groups, half by their size, none more than it has."""
    groups: dict[str, list[int]] = {}
    for member in members:
        groups.setdefault(name(member), []).append(member)
    names = sorted(groups)
    quotas = dict.fromkeys(names, 0)
    wish = {n: size * (0.5 / len(names) + 0.5 * len(groups[n]) / len(members)) for n in names}
    for _ in range(min(size, len(members))):
        open_names = [n for n in names if quotas[n] < len(groups[n])]
        quotas[max(open_names, key=lambda n: wish[n] - quotas[n])] += 1
    return [(groups[n], quotas[n]) for n in names if quotas[n]]


def _extent_class(scan: AcquireScan) -> str:
    extent = scan.extent_ml or 0.0
    return str(sum(extent >= bound for bound in EXTENT_BOUNDS_ML))


def _distance(points: Points, candidate: int, chosen: list[int]) -> float:
    return float(np.square(points[chosen] - points[candidate]).sum(axis=1).min())


def _repeats(request: AcquireRequest, random: np.random.Generator) -> list[AcquireScan]:
    count = min(math.floor(request.repeat_share * request.size + 0.5), len(request.labelled))
    return [request.labelled[n] for n in random.permutation(len(request.labelled))[:count]]


def _ranking(
    scans: Sequence[AcquireScan], values: Points, order: list[int], random: np.random.Generator
) -> dict[str, float]:
    """Chosen scans in (1, 2], in their order; the others in [0, 1] by value, ties in random order."""
    taken = set(order)
    ties = random.random(len(scans))
    rest = sorted((n for n in range(len(scans)) if n not in taken), key=lambda n: (-values[n], ties[n]))
    scores = {scans[n].id: 2 - rank / max(1, len(order)) for rank, n in enumerate(order)}
    scores |= {scans[n].id: 1 - (rank + 1) / (len(rest) + 1) for rank, n in enumerate(rest)}
    return scores


if __name__ == "__main__":
    sys.exit(run_inside(AcquireRequest, acquire))
