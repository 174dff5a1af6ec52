"""In which order scans are worth labelling: four strategies of one kind, `STRATEGIES`.

An order holds every candidate, and any beginning of it is a batch: sites take turns by the share that each is owed,
what was labelled before counted, so that a site with few scans never falls behind, whatever the size of a batch.
Hold-out sites are owed their share under every strategy, and their scans come at random: no model says which."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mlservice.clusters import near_middles
from mlservice.contract.requests import AcquireRequest, AcquireScan
from mlservice.contract.results import Choice, Why

Points = npt.NDArray[np.float64]
Place = tuple[int, Why]  # which candidate, and why it stands here

NOISE, NOISE_DECAY = 0.5, 0.7
# Predicted extent, mL: none, small, large. Each class gets a share of a batch; otherwise only large lesions are chosen.
EXTENT_BOUNDS_ML = (1.0, 50.0)
WINDOW = 3  # candidates per place of a batch, by score, among which distance decides
EVEN = 0.5  # share of a batch that is split evenly among groups; the rest goes by their size
FOREGROUND_SHARE = 2 / 3  # of `foreground_random` (nnActive): scans on which the model marks something
PLANNED_BATCHES = 4  # without a model so many batches are spread by clusters; the others come at random


@dataclass
class Pool:
    """Candidates and all that strategies look at. `values`: higher is less sure; of no use where `is_led` is false."""

    request: AcquireRequest
    random: np.random.Generator
    points: Points
    is_led: bool = False
    values: Points = field(default_factory=lambda: np.zeros(0))

    @classmethod
    def of(cls, request: AcquireRequest) -> Pool:
        """The pool of a request. Uncertainty is taken by its logarithm; a scan that no model saw counts as typical."""
        scans = request.scans
        width = max((len(scan.embedding) for scan in (*scans, *request.labelled)), default=1) or 1
        points = np.array([scan.embedding or (0.0,) * width for scan in scans], np.float64).reshape(len(scans), width)
        known = [scan.uncertainty for scan in scans if scan.uncertainty is not None]
        typical = float(np.median(known)) if known else 1.0
        unsure = [typical if scan.uncertainty is None else scan.uncertainty for scan in scans]
        values = np.log(np.maximum(np.array(unsure, np.float64), 1e-6))
        return cls(request, np.random.default_rng(request.seed), points, bool(known), values)

    def groups(self, name: Callable[[AcquireScan], str]) -> dict[str, list[int]]:
        """Candidates by group, groups in order of their names."""
        found: dict[str, list[int]] = {}
        for number, scan in enumerate(self.request.scans):
            found.setdefault(name(scan), []).append(number)
        return dict(sorted(found.items()))

    def shuffled(self, members: Sequence[int]) -> list[int]:
        return [members[n] for n in self.random.permutation(len(members))]


class Turns:
    """Whose turn it is: the group that is furthest behind what it is owed. Owed is half an even share and half one by
    size; what a group was given before counts."""

    def __init__(self, sizes: Mapping[str, int], given: Mapping[str, int] | None = None) -> None:
        self._left = {name: size for name, size in sizes.items() if size}
        self._given = {name: (given or {}).get(name, 0) for name in self._left}
        whole = sum(self._left.values()) + sum(self._given.values())
        self._share = {
            name: EVEN / len(self._left) + (1 - EVEN) * (left + self._given[name]) / whole
            for name, left in self._left.items()
        }

    def next(self) -> str | None:
        """The group of the next place; None when all are empty."""
        open_names = [name for name in self._left if self._left[name]]
        if not open_names:
            return None
        places = sum(self._given.values()) + 1
        name = max(open_names, key=lambda each: self._share[each] * places - self._given[each])
        self._left[name] -= 1
        self._given[name] += 1
        return name


def choose(request: AcquireRequest) -> dict[str, tuple[Choice, ...]]:
    """The order of every candidate by each strategy asked for, deterministic by seed. Without a model that has seen
    some candidate, strategies that need one are left out."""
    led = any(scan.uncertainty is not None for scan in request.scans)
    return {
        name: _as_choices(request, STRATEGIES[name](Pool.of(request)))
        for name in request.strategies
        if led or name not in NEED_A_MODEL
    }


def _as_choices(request: AcquireRequest, order: Sequence[Place]) -> tuple[Choice, ...]:
    known = np.sort([scan.uncertainty for scan in request.scans if scan.uncertainty is not None])
    choices = []
    for rank, (number, why) in enumerate(order):
        scan = request.scans[number]
        below = np.searchsorted(known, scan.uncertainty) if scan.uncertainty is not None else None
        share = None if below is None else round(float(below) / len(known), 4)
        choices.append(Choice(scan.id, why, 1 - rank / len(order), share))
    return tuple(choices)


def by_chance(pool: Pool) -> list[Place]:
    """Every candidate as likely as any other."""
    everything = pool.shuffled(range(len(pool.request.scans)))
    return [(n, Why.HELD_OUT if pool.request.scans[n].is_held_out else Why.RANDOM) for n in everything]


def by_foreground(pool: Pool) -> list[Place]:
    """At random, two of three among the scans on which the model marks something (nnActive)."""
    scans = pool.request.scans
    taken: set[int] = set()

    def inside(members: list[int]) -> Iterator[Place]:
        marked = iter([n for n in pool.shuffled(members) if (scans[n].extent_ml or 0) >= EXTENT_BOUNDS_ML[0]])
        others = iter(pool.shuffled(members))
        for place in range(len(members)):
            wants = math.floor((place + 1) * FOREGROUND_SHARE) > math.floor(place * FOREGROUND_SHARE)
            found = next((n for n in marked if n not in taken), None) if wants else None
            why = Why.RANDOM if found is None else Why.FOREGROUND
            number = next(n for n in others if n not in taken) if found is None else found
            taken.add(number)
            yield number, why

    return _beside_the_hold_out(pool, inside)


def by_entropy(pool: Pool) -> list[Place]:
    """The least sure first, and nothing else."""
    return _beside_the_hold_out(
        pool, lambda members: iter([(n, Why.UNCERTAIN) for n in sorted(members, key=lambda n: -pool.values[n])])
    )


def _beside_the_hold_out(pool: Pool, inside: Callable[[list[int]], Iterator[Place]]) -> list[Place]:
    """All training sites as one group beside each hold-out site."""
    groups = pool.groups(lambda scan: f"hold-out {scan.site}" if scan.is_held_out else "")
    runs = {name: _at_random(pool, members) if name else inside(members) for name, members in groups.items()}
    return _take_turns(runs, {name: len(members) for name, members in groups.items()}, {})


def _at_random(pool: Pool, members: list[int]) -> Iterator[Place]:
    return iter([(n, Why.HELD_OUT) for n in pool.shuffled(members)])


def _take_turns(runs: Mapping[str, Iterator[Place]], sizes: Mapping[str, int], given: Mapping[str, int]) -> list[Place]:
    turns, order = Turns(sizes, given), []
    while (name := turns.next()) is not None:
        order.append(next(runs[name]))
    return order


def by_all(pool: Pool) -> list[Place]:
    """Sites take turns; within a site the extents do, and a share is random. Without a model scans come that are unlike
    each other; with one the least sure (with noise that fades over the rounds), and among those of a window the one
    that is least like what was chosen before."""
    groups = pool.groups(lambda scan: scan.site)
    given: dict[str, int] = {}
    for scan in pool.request.labelled:
        given[scan.site] = given.get(scan.site, 0) + 1
    sizes = {site: len(members) for site, members in groups.items()}
    if pool.is_led:
        noise = pool.random.gumbel(size=len(pool.values)) * NOISE * NOISE_DECAY**pool.request.round
        pool.values = pool.values + noise
    distance = _Distance(pool)
    runs: dict[str, Iterator[Place]] = {}
    for site, members in groups.items():
        if pool.request.scans[members[0]].is_held_out:
            runs[site] = _at_random(pool, members)
        elif pool.is_led:
            runs[site] = _by_uncertainty(pool, members, distance)
        else:
            runs[site] = _by_clusters(pool, members, sizes, given)
    return _take_turns(runs, sizes, given)


class _Distance:
    """Squared distance of every candidate to the nearest one that was chosen or labelled."""

    def __init__(self, pool: Pool) -> None:
        self._points = pool.points
        self._nearest = np.full(len(pool.points), np.inf)
        for scan in pool.request.labelled:
            if len(scan.embedding) == self._points.shape[1]:
                self._see(np.asarray(scan.embedding))

    def choose(self, members: Sequence[int]) -> int:
        """The farthest of some candidates, which counts as chosen; the first when nothing was chosen before."""
        best = members[int(self._nearest[list(members)].argmax())]
        self.mark(best)
        return best

    def mark(self, number: int) -> None:
        self._see(self._points[number])

    def _see(self, point: Points) -> None:
        self._nearest = np.minimum(self._nearest, np.square(self._points - point).sum(axis=1))


def _by_uncertainty(pool: Pool, members: list[int], distance: _Distance) -> Iterator[Place]:
    scans, request = pool.request.scans, pool.request
    left: dict[str, list[int]] = {}
    for number in sorted(members, key=lambda n: -pool.values[n]):
        left.setdefault(extent_class(scans[number].extent_ml), []).append(number)
    share = request.size * len(members) / len(scans)  # places of this site in a batch, about
    windows = {name: max(1, round(WINDOW * share * len(rows) / len(members))) for name, rows in left.items()}
    turns = Turns({name: len(rows) for name, rows in left.items()})
    for place in range(len(members)):
        name = turns.next() or ""
        rows = left[name]
        if math.floor((place + 1) * request.random_share) > math.floor(place * request.random_share):
            number, why = rows[int(pool.random.integers(len(rows)))], Why.RANDOM
            distance.mark(number)
        else:
            number, why = distance.choose(rows[: windows[name]]), Why.UNCERTAIN
        rows.remove(number)
        yield number, why


def _by_clusters(pool: Pool, members: list[int], sizes: Mapping[str, int], given: Mapping[str, int]) -> Iterator[Place]:
    """Batch by batch: as many clusters as the site has places in a batch, of each the scan next to its middle, that of
    the largest cluster first."""
    site = pool.request.scans[members[0]].site
    turns = Turns(sizes, given)
    places = max(1, [turns.next() for _ in range(pool.request.size)].count(site))
    left = list(members)
    for _ in range(PLANNED_BATCHES):
        picked = near_middles(pool.points[left], min(places, len(left)), pool.random)
        yield from [(left[n], Why.DIVERSE) for n in picked]
        left = [number for n, number in enumerate(left) if n not in set(picked)]
        if not left:
            return
    yield from [(n, Why.RANDOM) for n in pool.shuffled(left)]


def extent_class(extent_ml: float | None) -> str:
    """none, small or large; a scan that no model saw has none."""
    return ("none", "small", "large")[sum((extent_ml or 0.0) >= bound for bound in EXTENT_BOUNDS_ML)]


Strategy = Callable[[Pool], list[Place]]
STRATEGIES: Mapping[str, Strategy] = {
    "hybrid": by_all,
    "entropy": by_entropy,
    "foreground_random": by_foreground,
    "random": by_chance,
}
NEED_A_MODEL = ("entropy", "foreground_random")
