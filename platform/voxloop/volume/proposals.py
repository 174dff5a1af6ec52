"""What became of the lesions that a model proposed: accepted, changed, dropped, left as they were, and what is new."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage as ndi

from voxloop.volume.labelmap import strip_erased
from voxloop.volume.labelmap.chunks import Labels

TOUCHING = np.ones((3, 3, 3), np.bool_)  # 26 neighbours, as the viewer counts lesions


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
    """What became of each lesion (26-connected, one label) of `proposed_zyx` in `labels_zyx`; 255 is background.

    `accepted_ijk`: a voxel of every lesion that the reader accepted; those outside every lesion count for none."""
    proposed, labels = strip_erased(proposed_zyx), strip_erased(labels_zyx)
    inside = _box_of((proposed > 0) | (labels > 0))
    if inside is None:
        return Fates(0, 0, 0, 0, 0)
    corner = [part.start for part in inside]
    proposed, labels = proposed[inside], labels[inside]
    parts, count = _parts_of(proposed)
    found, lesions = _parts_of(labels)

    kept = np.bincount(parts[labels > 0], minlength=count + 1)[1:] > 0
    # A lesion was changed where its own voxels differ, or where what it is joined to now goes beyond every proposal.
    touched = np.bincount(parts[(parts > 0) & (labels != proposed)], minlength=count + 1)[1:] > 0
    beyond = np.bincount(found[(found > 0) & (parts == 0)], minlength=lesions + 1) > 0
    touched[np.unique(parts[(parts > 0) & beyond[found]]) - 1] = True

    said = np.zeros(count + 1, np.bool_)
    for i, j, k in accepted_ijk:
        at = tuple(round(value) - start for value, start in zip((k, j, i), corner, strict=True))
        if all(0 <= n < size for n, size in zip(at, parts.shape, strict=True)):
            said[parts[at]] = True
    accepted = said[1:] & kept
    overlapping = np.unique(found[(found > 0) & (parts > 0)])
    return Fates(
        accepted=int(accepted.sum()),
        changed=int((kept & touched & ~accepted).sum()),
        dropped=int((~kept).sum()),
        left=int((kept & ~touched & ~accepted).sum()),
        new=lesions - len(overlapping),
    )


def _box_of(marked_zyx: np.ndarray) -> tuple[slice, slice, slice] | None:
    """The smallest box round what is marked; None where nothing is."""
    sides = []
    for axis in range(3):
        at = np.flatnonzero(marked_zyx.any(axis=tuple(n for n in range(3) if n != axis)))
        if not at.size:
            return None
        sides.append(slice(int(at[0]), int(at[-1]) + 1))
    return sides[0], sides[1], sides[2]


def _parts_of(labels_zyx: Labels) -> tuple[np.ndarray, int]:
    """Connected parts, numbered from 1 over all labels, and how many there are."""
    parts, count = np.zeros(labels_zyx.shape, np.int32), 0
    for label in np.unique(labels_zyx[labels_zyx > 0]):
        own, found = ndi.label(labels_zyx == label, TOUCHING)
        parts[own > 0] = own[own > 0] + count
        count += found
    return parts, count
