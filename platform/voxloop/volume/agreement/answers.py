"""Agreement on answers: classes that several readers gave the same scans."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Weights = Literal["none", "linear", "quadratic"]
Level = Literal["nominal", "ordinal", "interval"]


def cohen_kappa(
    first: Sequence[Hashable],
    second: Sequence[Hashable],
    scale: Sequence[Hashable] = (),
    weights: Weights = "none",
) -> float:
    """Cohen's kappa of two readers' classes for the same scans (`blain2020`): 1 = agree, 0 = as by chance.

    `scale`: all classes in their order, those that nobody used too; weighted kappa needs it, as the distance of two
    classes is that of their places on it. Two readers who gave only one and the same class agree (1). Raises
    ValueError without scans, for a class that is not on the scale, and for weights without a scale."""
    if len(first) != len(second) or not first:
        raise ValueError("kappa needs two equally long lists of at least one class")
    if weights != "none" and not scale:
        raise ValueError("weighted kappa needs the scale: every class in its order")
    places = {one: place for place, one in enumerate(scale or dict.fromkeys([*first, *second]))}
    if unknown := [one for one in (*first, *second) if one not in places]:
        raise ValueError(f"{unknown[0]!r} is not on the scale")
    seen = np.zeros((len(places), len(places)))
    for one, other in zip(first, second, strict=True):
        seen[places[one], places[other]] += 1
    chance = np.outer(seen.sum(1), seen.sum(0)) / seen.sum()
    apart = np.abs(np.subtract.outer(np.arange(len(places)), np.arange(len(places)))).astype(np.float64)
    cost = {"none": (apart > 0).astype(np.float64), "linear": apart, "quadratic": apart**2}[weights]
    expected = float((cost * chance).sum())
    return 1.0 if expected == 0 else 1 - float((cost * seen).sum()) / expected


def fleiss_kappa(counts: npt.ArrayLike) -> float:
    """Fleiss' kappa: `counts[scan, class]` readers gave the scan this class, equally many readers for every scan.

    All in one class agree (1). Raises ValueError for fewer than two readers or unequal numbers."""
    table = np.asarray(counts, np.float64)
    if table.ndim != 2 or not table.size:
        raise ValueError("Fleiss' kappa needs a table of scans and classes")
    readers = table.sum(1)
    if readers[0] < 2 or not (readers == readers[0]).all():
        raise ValueError("Fleiss' kappa needs equally many readers, two or more, for every scan")
    count = float(readers[0])
    observed = float((((table**2).sum(1) - count) / (count * (count - 1))).mean())
    chance = float(((table.sum(0) / table.sum()) ** 2).sum())
    return 1.0 if chance == 1 else (observed - chance) / (1 - chance)


def krippendorff_alpha(codes: npt.ArrayLike, level: Level = "nominal") -> float:
    """Krippendorff's alpha: `codes[reader, scan]` is the place of the class on its scale, NaN where a reader has not
    read the scan. Scans with fewer than two readers do not count.

    Everything in one class agrees (1). Raises ValueError where no scan has two readers."""
    table = np.asarray(codes, np.float64)
    values = np.unique(table[~np.isnan(table)])
    counts = np.array([(table == value).sum(0) for value in values], np.float64).T
    counts = counts[counts.sum(1) >= 2] if values.size else counts
    if not counts.size or not counts.sum():
        raise ValueError("Krippendorff's alpha needs a scan with two readers")
    pairs = counts.sum(1)[:, None, None] - 1
    own = np.eye(values.size) * counts[:, None, :]
    seen = ((counts[:, :, None] * counts[:, None, :] - own) / pairs).sum(0)
    totals = seen.sum(0)
    chance = (np.outer(totals, totals) - np.diag(totals)) / (totals.sum() - 1)
    cost = _distance(level, values, totals)
    expected = float((cost * chance).sum())
    return 1.0 if expected == 0 else 1 - float((cost * seen).sum()) / expected


def _distance(level: Level, values: Floats, totals: Floats) -> Floats:
    """Squared distances of the values; for ordinal ones by how often those between were used."""
    if level == "nominal":
        return 1 - np.eye(values.size)
    if level == "interval":
        return np.asarray(np.subtract.outer(values, values) ** 2)
    rank = np.cumsum(totals) - totals / 2
    return np.asarray(np.subtract.outer(rank, rank) ** 2)
