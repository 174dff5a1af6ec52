"""What became of the lesions that a model proposed: accepted, grown anew, changed, dropped, left, and what is new."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from voxloop.volume.labelmap import strip_erased
from voxloop.volume.labelmap.chunks import Labels

TOUCHING = np.ones((3, 3, 3), np.bool_)  # 26 neighbours, as the viewer counts lesions

Ijk = tuple[int, int, int]
Counts = npt.NDArray[np.int64]


class Fate(StrEnum):
    """What a reader did with a proposed lesion. `regrown` is one that was accepted by growing it anew."""

    ACCEPTED = "accepted"
    REGROWN = "regrown"
    CHANGED = "changed"
    DROPPED = "dropped"
    LEFT = "left"
    NEW = "new"


@dataclass(frozen=True)
class Judged:
    """One lesion: `ijk` is a voxel of it. In voxels: what was `proposed` (0 of a new one), what of that is marked still
    (`kept`), and the lesions that overlap it now (`drawn`; one that joins two proposals counts for both)."""

    fate: Fate
    ijk: Ijk
    proposed: int
    kept: int
    drawn: int


@dataclass(frozen=True)
class Fates:
    """Lesions of a proposal by what a reader did with them, and `new`: lesions that no proposed one overlaps.

    `dropped`: nothing of it is marked any more. `accepted`: the reader said so. `changed`: voxels of it were added or
    taken away, by hand. `left`: as proposed, and nobody said anything about it."""

    accepted: int
    changed: int
    dropped: int
    left: int
    new: int


def fates(proposed_zyx: Labels, labels_zyx: Labels, accepted_ijk: Iterable[tuple[float, float, float]]) -> Fates:
    """The lesions of `judge_lesions` counted; one that was grown anew is an accepted one."""
    return count_fates(judge_lesions(proposed_zyx, labels_zyx, accepted_ijk))


def count_fates(judged: Sequence[Judged]) -> Fates:
    """How many lesions had each fate."""
    of = [each.fate for each in judged]
    return Fates(
        accepted=of.count(Fate.ACCEPTED) + of.count(Fate.REGROWN),
        changed=of.count(Fate.CHANGED),
        dropped=of.count(Fate.DROPPED),
        left=of.count(Fate.LEFT),
        new=of.count(Fate.NEW),
    )


def judge_lesions(
    proposed_zyx: Labels,
    labels_zyx: Labels,
    accepted_ijk: Iterable[tuple[float, float, float]],
    regrown_ijk: Iterable[tuple[float, float, float]] = (),
) -> list[Judged]:
    """What became of each lesion (26-connected, one label) of `proposed_zyx` in `labels_zyx`, and the new ones; the
    largest proposed one first, then the largest new one. 255 is background.

    `accepted_ijk`, `regrown_ijk`: a voxel of every lesion that the reader accepted, and grew anew; those outside every
    lesion count for none."""
    proposed, labels = strip_erased(proposed_zyx), strip_erased(labels_zyx)
    inside = _box_of((proposed > 0) | (labels > 0))
    if inside is None:
        return []
    proposed, labels = proposed[inside], labels[inside]
    parts, count = _parts_of(proposed)
    found, lesions = _parts_of(labels)
    sizes, kept = _sizes(parts, count), _sizes(parts[labels > 0], count)
    drawn = _sizes(found, lesions)
    corner = (inside[0].start, inside[1].start, inside[2].start)
    touched = _touched(parts, found, parts[(parts > 0) & (labels != proposed)], count, lesions)
    regrown = _named(regrown_ijk, parts, count, corner)
    accepted = _named(accepted_ijk, parts, count, corner) | regrown
    pairs = np.unique(np.stack([parts[(parts > 0) & (found > 0)], found[(parts > 0) & (found > 0)]]), axis=1)
    joined = np.bincount(pairs[0], weights=drawn[pairs[1]], minlength=count + 1).astype(np.int64)
    places = _voxels_of(parts, count, corner)
    judged = []
    for n in range(1, count + 1):
        fate = Fate.LEFT
        if not kept[n]:
            fate = Fate.DROPPED
        elif accepted[n]:
            fate = Fate.REGROWN if regrown[n] else Fate.ACCEPTED
        elif touched[n]:
            fate = Fate.CHANGED
        judged.append(Judged(fate, places[n - 1], int(sizes[n]), int(kept[n]), int(joined[n])))
    overlapping = set(pairs[1].tolist())
    fresh = [
        Judged(Fate.NEW, ijk, 0, 0, int(drawn[n]))
        for n, ijk in enumerate(_voxels_of(found, lesions, corner), start=1)
        if n not in overlapping
    ]
    return sorted(judged, key=lambda each: -each.proposed) + sorted(fresh, key=lambda each: -each.drawn)


def _touched(
    parts: npt.NDArray[np.int32],
    found: npt.NDArray[np.int32],
    changed: npt.NDArray[np.int32],
    count: int,
    lesions: int,
) -> npt.NDArray[np.bool_]:
    """Whether each proposed lesion was changed: its own voxels differ (`changed` has its number), or what it is joined
    to now goes beyond every proposal."""
    touched = _sizes(changed, count) > 0
    beyond = _sizes(found[(found > 0) & (parts == 0)], lesions) > 0
    touched[np.unique(parts[(parts > 0) & beyond[found]])] = True
    return touched


def _sizes(numbers: npt.NDArray[np.int32], count: int) -> Counts:
    """Voxels of each number from 0 to `count`; those of 0 are not counted."""
    sizes = np.bincount(numbers.reshape(-1), minlength=count + 1)
    sizes[0] = 0
    return sizes.astype(np.int64)


def _named(
    ijk: Iterable[tuple[float, float, float]], parts: npt.NDArray[np.int32], count: int, corner: tuple[int, int, int]
) -> npt.NDArray[np.bool_]:
    """Which parts these voxels name."""
    named = np.zeros(count + 1, np.bool_)
    for i, j, k in ijk:
        at = tuple(round(value) - start for value, start in zip((k, j, i), corner, strict=True))
        if all(0 <= n < size for n, size in zip(at, parts.shape, strict=True)):
            named[parts[at]] = True
    return named


def _voxels_of(parts: npt.NDArray[np.int32], count: int, corner: tuple[int, int, int]) -> list[Ijk]:
    """A voxel in the middle of each part, in the order of its voxels."""
    marked = np.flatnonzero(parts)
    marked = marked[np.argsort(parts.reshape(-1)[marked], kind="stable")]
    sizes = _sizes(parts, count)[1:]
    middles = marked[np.cumsum(sizes) - sizes + sizes // 2]
    k, j, i = np.unravel_index(middles, parts.shape)
    return [(int(a) + corner[2], int(b) + corner[1], int(c) + corner[0]) for a, b, c in zip(i, j, k, strict=True)]


def _box_of(marked_zyx: npt.NDArray[np.bool_]) -> tuple[slice, slice, slice] | None:
    """The smallest box round what is marked; None where nothing is."""
    sides = []
    for axis in range(3):
        at = np.flatnonzero(marked_zyx.any(axis=tuple(n for n in range(3) if n != axis)))
        if not at.size:
            return None
        sides.append(slice(int(at[0]), int(at[-1]) + 1))
    return sides[0], sides[1], sides[2]


def _parts_of(labels_zyx: Labels) -> tuple[npt.NDArray[np.int32], int]:
    """Connected parts, numbered from 1 over all labels, and how many there are."""
    parts, count = np.zeros(labels_zyx.shape, np.int32), 0
    for label in np.unique(labels_zyx[labels_zyx > 0]):
        own, found = ndi.label(labels_zyx == label, TOUCHING)
        parts[own > 0] = own[own > 0] + count
        count += found
    return parts, count
