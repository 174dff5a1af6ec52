"""What several readers of one scan say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voxloop.volume.labelmap import strip_erased

Mask = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.uint8]
MOST_READERS = 16
_CHANGE, _ROUNDS = 1e-14, 10_000  # where ITK stops: the squared change of a rate
# What rounding makes of exactly one half is one half.
_TIE = 1e-9


@dataclass(frozen=True)
class Consensus:
    """STAPLE's answer: the probability of each voxel, and each reader's sensitivity and specificity against it; these
    are NaN where there is nothing to find or nothing to leave out."""

    probability_zyx: npt.NDArray[np.float64]
    sensitivity: tuple[float, ...]
    specificity: tuple[float, ...]

    @property
    def mask_zyx(self) -> Mask:
        """Voxels that more probably belong than not; one half does not."""
        return np.asarray(self.probability_zyx > 0.5 + _TIE)


def majority(readings_zyx: Sequence[Labels]) -> Labels:
    """The label that most readers gave each voxel; erased voxels (255) are background. Where labels tie, background
    too, nothing is marked: no reader is right by being first. Raises ValueError for fewer than two or other shapes."""
    readings = [strip_erased(one) for one in readings_zyx]
    _check(readings)
    result = np.zeros_like(readings[0])
    box = _box_of(readings)
    if box is None:
        return result
    inside = [one[box] for one in readings]
    best, votes = np.zeros_like(inside[0]), np.zeros(inside[0].shape, np.uint8)
    for label in _labels_of(inside):
        own = sum(((one == label).astype(np.uint8) for one in inside), np.zeros_like(votes))
        best = np.where(own > votes, np.uint8(label), np.where(own == votes, np.uint8(0), best)).astype(np.uint8)
        votes = np.maximum(votes, own)
    result[box] = best
    return result


def staple(masks_zyx: Sequence[Mask]) -> Consensus:
    """STAPLE of two to sixteen masks (Warfield 2004), as ITK's filter computes it: it begins with the share of
    readers who marked a voxel, and the prior is the mean of that over the grid. Voxels of one pattern of readers are
    one term of the sums, so that a whole scan costs one count.

    Where nobody marked anything the answer is nothing, where ITK gives NaN. Raises ValueError as `majority`."""
    _check(masks_zyx)
    if len(masks_zyx) > MOST_READERS:
        raise ValueError(f"STAPLE takes at most {MOST_READERS} readers")
    pattern = np.zeros(masks_zyx[0].shape, np.uint16)
    for reader, mask in enumerate(masks_zyx):
        pattern |= mask.astype(np.uint16) << np.uint16(reader)
    codes, voxels = np.unique(pattern, return_counts=True)
    marks = (codes[None, :] >> np.arange(len(masks_zyx))[:, None]) & 1 == 1
    weights, sensitivity, specificity = _expect_and_maximise(marks, voxels.astype(np.float64))
    table = np.zeros(1 << len(masks_zyx))
    table[codes] = weights
    return Consensus(table[pattern], tuple(sensitivity.tolist()), tuple(specificity.tolist()))


def staple_labels(readings_zyx: Sequence[Labels]) -> Labels:
    """STAPLE of each label by itself: a voxel gets the label that most probably belongs, where that is more than one
    half; where two are equally probable, background, as `majority` does. Erased voxels (255) are background.

    Equal to `staple` of the whole grid for each label: outside the box of everything that was marked all readers agree
    on nothing, and those voxels are counted without being looked at. Raises ValueError as `staple`."""
    readings = [strip_erased(one) for one in readings_zyx]
    _check(readings)
    if len(readings) > MOST_READERS:
        raise ValueError(f"STAPLE takes at most {MOST_READERS} readers")
    result = np.zeros_like(readings[0])
    box = _box_of(readings)
    if box is None:
        return result
    inside = [one[box] for one in readings]
    outside = result.size - inside[0].size
    best, surest = np.zeros_like(inside[0]), np.full(inside[0].shape, 0.5 + _TIE)
    for label in _labels_of(inside)[1:]:
        pattern = np.zeros(inside[0].shape, np.uint16)
        for reader, one in enumerate(inside):
            pattern |= (one == label).astype(np.uint16) << np.uint16(reader)
        counts = np.bincount(pattern.ravel(), minlength=1)
        counts[0] += outside
        codes = np.flatnonzero(counts)
        marks = (codes[None, :] >> np.arange(len(inside))[:, None]) & 1 == 1
        table = np.zeros(1 << len(inside))
        table[codes] = _expect_and_maximise(marks, counts[codes].astype(np.float64))[0]
        sure = table[pattern]
        tied = (np.abs(sure - surest) <= _TIE) & (best > 0)
        more = sure > surest + np.where(best > 0, _TIE, 0.0)
        best = np.where(more, np.uint8(label), np.where(tied, np.uint8(0), best)).astype(np.uint8)
        surest = np.maximum(surest, sure)
    result[box] = best
    return result


def _box_of(readings: Sequence[Labels]) -> tuple[slice, ...] | None:
    """The smallest box round all that was marked; None where nothing was."""
    box: list[slice] = []
    for axis in range(readings[0].ndim):
        others = tuple(n for n in range(readings[0].ndim) if n != axis)
        where = np.flatnonzero(np.logical_or.reduce([one[tuple(box)].any(axis=others) for one in readings]))
        if not where.size:
            return None
        box.append(slice(int(where[0]), int(where[-1]) + 1))
    return tuple(box)


def _labels_of(readings: Sequence[Labels]) -> list[int]:
    """Every value in any of them, 0 always."""
    counts = sum((np.bincount(one.ravel(), minlength=256) for one in readings), np.zeros(256, np.int64))
    counts[0] += 1
    return np.flatnonzero(counts).tolist()


def _expect_and_maximise(
    marks: npt.NDArray[np.bool_], voxels: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """`marks[reader, pattern]`, voxels of each pattern → the probability of each, sensitivities, specificities."""
    readers = len(marks)
    prior = float((marks * voxels).sum() / (readers * voxels.sum()))
    nothing = np.full(readers, np.nan)
    if prior == 0.0:
        return np.zeros(len(voxels)), nothing, np.ones(readers)
    if prior == 1.0:
        return np.ones(len(voxels)), np.ones(readers), nothing
    weights, before = marks.mean(0), np.full(2 * readers, np.inf)
    p, q = nothing, nothing
    for _ in range(_ROUNDS):
        inside, outside = weights * voxels, (1 - weights) * voxels
        p, q = (marks * inside).sum(1) / inside.sum(), (~marks * outside).sum(1) / outside.sum()
        yes = prior * np.where(marks, p[:, None], 1 - p[:, None]).prod(0)
        no = (1 - prior) * np.where(marks, 1 - q[:, None], q[:, None]).prod(0)
        # Where both are impossible, readers taken to be faultless contradict each other: nothing is known.
        weights = np.divide(yes, yes + no, out=np.full(len(voxels), 0.5), where=yes + no > 0)
        now = np.concatenate([p, q])
        if float(((now - before) ** 2).max()) <= _CHANGE:
            break
        before = now
    return weights, p, q


def _check(readings: Sequence[npt.NDArray[np.generic]]) -> None:
    if len(readings) < 2 or len({one.shape for one in readings}) != 1:
        raise ValueError("a consensus needs two or more readings of one shape")
