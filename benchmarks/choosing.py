"""How many labels the choice of scans saves: `hybrid` against `random`, `entropy` and `foreground_random`, through
`mlservice.choosing` itself.

Pools of three sites, the third with 8 % of the scans; batches of 4 from nothing to 24 labels; the same other phantoms
of all three sites as test. The learner is a small one of voxels (`_voxel_learner`). Every pool has its own seeds; those
from 860,000 on were used for no choice: tune on seeds below 800,000 (`POOLS`)."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from benchmarks._rows import least_row, plain_row
from benchmarks._voxel_learner import Described, describe, dice, learn, look
from mlservice.choosing import choose
from mlservice.contract import ACQUIRE_STRATEGIES, AcquireRequest, AcquireScan

# First seed, scans of sites A, B and C.
POOL = (("A", 0, 27), ("B", 1000, 19), ("C", 2000, 4))
TEST = (("A", 5000, 8), ("B", 6000, 8), ("C", 7000, 8))
POOLS = (860_000, 870_000, 880_000)
TRAININGS = 2  # whose Dice is averaged in each round: one start of a network is luck
BATCH, MOST = 4, 24
MOST_LABELS = 0.6  # of those that `random` needs
MOST_FALL = 0.02  # of the rare site's Dice from one round to the next


@dataclass
class Curve:
    """Dice after each round of one strategy in one pool, over all sites and at the rare one."""

    everywhere: list[float] = field(default_factory=list)
    rare: list[float] = field(default_factory=list)


def run(pools: tuple[int, ...] = POOLS) -> Iterator[dict[str, Any]]:
    """Rows of labels needed and of the rare site's falls."""
    curves = measure(pools)
    rounds = np.arange(BATCH, MOST + 1, BATCH)
    wanted = float(np.mean([curve.everywhere[-1] for curve in curves["random"]]))
    yield plain_row("choosing", "mean Dice of random at 24 labels", wanted, "")
    needed = {}
    for name in ACQUIRE_STRATEGIES:
        mean = np.mean([curve.everywhere for curve in curves[name]], axis=0)
        needed[name] = labels_for(wanted, rounds, mean)
        yield plain_row("choosing", f"{name}: mean Dice at 24 labels", float(mean[-1]), "")
    for name in ACQUIRE_STRATEGIES:
        limit = {"hybrid": MOST_LABELS * needed["random"]}.get(name)
        yield plain_row("choosing", f"{name}: labels for the Dice of random at 24", needed[name], "labels", limit)
    yield plain_row("choosing", "hybrid: labels, against entropy", needed["hybrid"], "labels", needed["entropy"])
    for number, pool in enumerate(pools):
        mine = labels_for(curves["random"][number].everywhere[-1], rounds, curves["hybrid"][number].everywhere)
        yield plain_row("choosing", f"hybrid: labels for random's Dice at 24, pool {pool}", mine, "labels")
    for name in ACQUIRE_STRATEGIES:
        mean = np.mean([curve.rare for curve in curves[name]], axis=0)
        limit = MOST_FALL if name == "hybrid" else None
        yield plain_row("choosing", f"{name}: largest fall at the rare site, mean", fall_of(mean), "Dice", limit)
        worst = max(fall_of(curve.rare) for curve in curves[name])
        yield plain_row("choosing", f"{name}: largest fall at the rare site, any pool", worst, "Dice")
        yield least_row("choosing", f"{name}: Dice at the rare site, 24 labels", float(mean[-1]), "")


def measure(pools: tuple[int, ...]) -> dict[str, list[Curve]]:
    """The curves of every strategy in every pool, on all processors."""
    wanted = [(base + shift + n, site) for base in pools for site, shift, count in POOL for n in range(count)]
    tests = [(pools[0] + shift + n, site) for site, shift, count in TEST for n in range(count)]
    with ProcessPoolExecutor(os.cpu_count(), initializer=_one_thread) as executor:
        made = dict(zip([*wanted, *tests], executor.map(_describe, [*wanted, *tests], chunksize=4), strict=True))
        test = [made[key] for key in tests]
        jobs = []
        for base in pools:
            pool = [made[base + shift + n, site] for site, shift, count in POOL for n in range(count)]
            jobs += [(name, pool, test, base) for name in ACQUIRE_STRATEGIES]
        found = list(executor.map(_follow, jobs))
    curves: dict[str, list[Curve]] = {name: [] for name in ACQUIRE_STRATEGIES}
    for (name, *_), curve in zip(jobs, found, strict=True):
        curves[name].append(curve)
    return curves


def _follow(job: tuple[str, list[Described], list[Described], int]) -> Curve:
    """Rounds of one strategy: choose, label, learn, look at the rest. The first batch is chosen without a model."""
    strategy, pool, test, seed = job
    labelled: list[Described] = []
    said: dict[str, tuple[float, float]] = {}
    curve = Curve()
    for number in range(MOST // BATCH):
        known = {scan.id for scan in labelled}
        left = {scan.id: scan for scan in pool if scan.id not in known}
        request = AcquireRequest(
            tuple(AcquireScan(scan.id, scan.site, scan.embedding, *said.get(scan.id, ())) for scan in left.values()),
            BATCH,
            seed=seed + number,
            round=number,
            labelled=tuple(AcquireScan(scan.id, scan.site, scan.embedding) for scan in labelled),
            strategies=(strategy, "random"),
        )
        orders = choose(request)  # before a model there is only `hybrid` and `random`
        labelled += [left[place.id] for place in orders.get(strategy, orders["random"])[:BATCH]]
        networks = [learn(labelled, seed + 100 * number + n) for n in range(TRAININGS)]
        scores = [(scan.site, score) for scan in test for n in networks if (score := dice(n, scan)) is not None]
        by_site = {site: [score for where, score in scores if where == site] for site, _ in scores}
        curve.everywhere.append(float(np.mean([np.mean(each) for each in by_site.values()])))
        curve.rare.append(float(np.mean(by_site["C"])))
        said = {name: look(networks[0], scan) for name, scan in left.items()}
    return curve


def labels_for(wanted: float, rounds: Any, values: Any) -> float:
    """Labels at which a curve first reaches a Dice, between rounds by a straight line; 1.5 × the most where it never
    does."""
    if values[0] >= wanted:
        return float(rounds[0])
    for (few, low), (many, high) in itertools.pairwise(zip(rounds, values, strict=True)):
        if high >= wanted > low:
            return float(few + (many - few) * (wanted - low) / (high - low))
    return 1.5 * MOST


def fall_of(values: Any) -> float:
    """The largest fall from one round to the next; 0 where there is none."""
    return float(max(0.0, *(before - after for before, after in itertools.pairwise(values))))


def _describe(key: tuple[int, str]) -> Described:
    return describe(*key)


def _one_thread() -> None:
    torch.set_num_threads(1)
