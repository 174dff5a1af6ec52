"""Faults of a good mask, made to measure those who review masks: each is what reviewers really meet.

Pure and seeded: the same mask, scan, kind and seed make the same fault. A fault changes at least `LEAST_ML`; where a
kind cannot apply to a mask the answer is None, never a mask that looks right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from voxloop.volume.agreement import dice
from voxloop.volume.amounts import voxel_ml

Labels = npt.NDArray[np.uint8]
Hu = npt.NDArray[np.int16] | npt.NDArray[np.uint16]
Mask = npt.NDArray[np.bool_]
Spacing = tuple[float, float, float]

LEAST_ML = 1.0  # a smaller change is no fault that anybody must see
SHIFT_MM = 5.0
MOST_LOST = 0.1  # of a mask that is moved over the edge of the scan
MOST_ALIKE = 0.3  # Dice of a mask and its mirror image; above it no side is wrong
BODY_HU = -500  # denser is body, or something marked
DENSE_HU = -300  # vessels, pleura and chest wall are denser
LEAK_SHARE = (0.15, 0.35)  # of the mask's volume
LEAK_REACH_MM = 40.0
LEAST_LEAK_ML = 1.5
MOST_CONTACTS = 8  # places of the border that are tried; a vessel may end at once
_EVERY_NEIGHBOUR = np.ones((3, 3, 3), np.bool_)


class Fault(StrEnum):
    """Kinds of faults."""

    PART_REMOVED = "part_removed"
    LESION_MISSED = "lesion_missed"
    LEAK = "leak"
    SHIFTED = "shifted"
    WRONG_SIDE = "wrong_side"
    CLASS_SWAPPED = "class_swapped"


@dataclass(frozen=True)
class Case:
    """A good mask on its scan: `labels_zyx` (0 is background, no erased voxels), `hu_zyx`, spacing in mm, and the lobes
    (0 is none), if they are known. Axis 2 is left to right, as on every axial scan."""

    labels_zyx: Labels
    hu_zyx: Hu
    spacing_mm_zyx: Spacing
    lobes_zyx: Labels | None = None


@dataclass(frozen=True)
class FaultyMask:
    """The mask with its fault, and how many mL of it differ."""

    kind: Fault
    labels_zyx: Labels
    changed_ml: float


def make_fault(kind: Fault, case: Case, seed: int) -> FaultyMask | None:
    """The mask of a case with a fault of this kind; None where it cannot apply. Raises ValueError for other shapes."""
    shapes = {part.shape for part in (case.labels_zyx, case.hu_zyx, case.lobes_zyx) if part is not None}
    if len(shapes) != 1:
        raise ValueError("a fault needs mask, scan and lobes of one grid")
    if not case.labels_zyx.any():
        return None
    made = _MAKERS[kind](case, np.random.default_rng(seed))
    if made is None or not made.any():
        return None
    changed_ml = float(np.count_nonzero(made != case.labels_zyx)) * voxel_ml(case.spacing_mm_zyx)
    return FaultyMask(kind, made, changed_ml) if changed_ml >= LEAST_ML else None


def share_restored(good_zyx: Labels, faulty_zyx: Labels, corrected_zyx: Labels) -> float:
    """Share (0 … 1) of the voxels that a fault changed and a correction gave their good value back. Raises ValueError
    where there is no fault."""
    changed = good_zyx != faulty_zyx
    if not changed.any():
        raise ValueError("both masks are equal: there is nothing to restore")
    return float(np.count_nonzero(changed & (corrected_zyx == good_zyx)) / np.count_nonzero(changed))


def _remove_part(case: Case, chance: np.random.Generator) -> Labels | None:
    """Without everything in the lobe that holds most of it; without lobes, without the largest lesion."""
    marked = case.labels_zyx > 0
    if case.lobes_zyx is not None:
        counts = np.bincount(case.lobes_zyx[marked], minlength=256)
        counts[0] = 0
        if np.count_nonzero(counts) > 1:
            return np.where(case.lobes_zyx == counts.argmax(), 0, case.labels_zyx).astype(np.uint8)
    parts, sizes = _lesions(marked)
    if len(sizes) < 2:
        return None
    return np.where(parts == sizes.argmax() + 1, 0, case.labels_zyx).astype(np.uint8)


def _miss_lesion(case: Case, chance: np.random.Generator) -> Labels | None:
    """Without one lesion of `LEAST_ML` or more that is not the largest."""
    parts, sizes = _lesions(case.labels_zyx > 0)
    large = np.flatnonzero(sizes * voxel_ml(case.spacing_mm_zyx) >= LEAST_ML)
    candidates = large[large != sizes.argmax()] if sizes.size else large
    if not candidates.size:
        return None
    return np.where(parts == chance.choice(candidates) + 1, 0, case.labels_zyx).astype(np.uint8)


def _leak(case: Case, chance: np.random.Generator) -> Labels | None:
    """With a run into dense tissue beside the mask, a vessel or the chest wall, from one place of its border."""
    one_ml = voxel_ml(case.spacing_mm_zyx)
    reach = [int(np.ceil(LEAK_REACH_MM / mm)) for mm in case.spacing_mm_zyx]
    inner = ndi.find_objects((case.labels_zyx > 0).astype(np.uint8))[0]
    box = tuple(slice(max(0, side.start - far), side.stop + far) for side, far in zip(inner, reach, strict=True))
    found = case.labels_zyx.copy()
    here = found[box]
    dense = (case.hu_zyx[box] >= DENSE_HU) & (here == 0)
    contacts = np.argwhere(ndi.binary_dilation(here > 0, _EVERY_NEIGHBOUR) & dense)
    if not len(contacts):
        return None
    wanted = max(LEAST_LEAK_ML, chance.uniform(*LEAK_SHARE) * np.count_nonzero(here) * one_ml) / one_ml
    for contact in chance.permutation(contacts)[:MOST_CONTACTS]:
        at = tuple(int(n) for n in contact)
        near = tuple(slice(max(0, n - far), n + far + 1) for n, far in zip(at, reach, strict=True))
        grown = _run(dense, at, near, wanted, case.spacing_mm_zyx)
        if np.count_nonzero(grown) * one_ml >= LEAST_ML:
            beside = here[tuple(slice(max(0, n - 1), n + 2) for n in at)]
            here[near][grown] = beside[beside > 0].min()
            return found
    return None


def _run(dense: Mask, at: tuple[int, ...], near: tuple[slice, ...], wanted: float, spacing_mm_zyx: Spacing) -> Mask:
    """Voxels of dense tissue that are reached from `at`, step by step until there are so many; of the box `near`. About
    as far in mm along each axis, and round where nothing is in the way, as a brush is: corners would tell."""
    start = np.zeros_like(dense)
    start[at] = True
    finest = min(spacing_mm_zyx)
    every = [max(1, round(mm / finest)) for mm in spacing_mm_zyx]
    still, step, grown = 0, 0, start[near]
    while still < max(every) and np.count_nonzero(grown) < wanted:
        step += 1
        axes = [step % often == 0 for often in every]
        shape = np.zeros((3, 3, 3), np.bool_)
        shape[tuple(slice(None) if moves else slice(1, 2) for moves in axes)] = True
        if step % 2:  # a diamond and a square by turns are an octagon
            shape &= ndi.generate_binary_structure(3, 1)
        more = ndi.binary_dilation(grown, shape, mask=dense[near])
        still = still + 1 if np.array_equal(more, grown) else 0
        grown = more
    return np.asarray(grown)


def _shift(case: Case, chance: np.random.Generator) -> Labels | None:
    """Moved by `SHIFT_MM`, in whole voxels, along one axis whose voxels are no longer than that."""
    steps = [round(SHIFT_MM / mm) for mm in case.spacing_mm_zyx]
    axes = [axis for axis, mm in enumerate(case.spacing_mm_zyx) if mm <= SHIFT_MM and steps[axis]]
    if not axes:
        return None
    axis = int(chance.choice(axes))
    return _moved(case.labels_zyx, axis, int(chance.choice([-1, 1])) * steps[axis])


def _mirror(case: Case, chance: np.random.Generator) -> Labels | None:
    """On the other side of the body's middle; None for a mask that is much the same on both sides."""
    body = np.argwhere((case.hu_zyx > BODY_HU).any(axis=(0, 1)))
    middle = (int(body.min()) + int(body.max())) if body.size else case.labels_zyx.shape[2] - 1
    flipped = case.labels_zyx[:, :, ::-1]
    made = _moved(flipped, 2, middle - (case.labels_zyx.shape[2] - 1))
    if made is None or dice(made > 0, case.labels_zyx > 0) > MOST_ALIKE:
        return None
    return made


def _swap(case: Case, chance: np.random.Generator) -> Labels | None:
    """One of the two most marked classes is marked as the other one."""
    counts = np.bincount(case.labels_zyx.reshape(-1), minlength=2)
    counts[0] = 0
    one, other = np.argsort(-counts, kind="stable")[:2]
    if not counts[other]:
        return None
    if chance.random() < 0.5 and counts[one] > 0:
        one, other = other, one
    return np.where(case.labels_zyx == one, other, case.labels_zyx).astype(np.uint8)


def _moved(labels_zyx: Labels, axis: int, by: int) -> Labels | None:
    """Moved by whole voxels; None where more than `MOST_LOST` of it leaves the scan."""
    found = np.zeros_like(labels_zyx)
    length = labels_zyx.shape[axis]
    if abs(by) >= length:
        return None
    whence: list[Any] = [slice(None)] * 3
    whither: list[Any] = [slice(None)] * 3
    whence[axis] = slice(max(0, -by), length - max(0, by))
    whither[axis] = slice(max(0, by), length - max(0, -by))
    found[tuple(whither)] = labels_zyx[tuple(whence)]
    lost = 1 - np.count_nonzero(found) / np.count_nonzero(labels_zyx)
    return found if lost <= MOST_LOST else None


def _lesions(marked: Mask) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """26-neighbour parts, numbered from 1, and the voxels of each."""
    parts, count = ndi.label(marked, _EVERY_NEIGHBOUR)
    return parts, np.bincount(parts.reshape(-1), minlength=count + 1)[1:]


_MAKERS: Mapping[Fault, Callable[[Case, np.random.Generator], Labels | None]] = {
    Fault.PART_REMOVED: _remove_part,
    Fault.LESION_MISSED: _miss_lesion,
    Fault.LEAK: _leak,
    Fault.SHIFTED: _shift,
    Fault.WRONG_SIDE: _mirror,
    Fault.CLASS_SWAPPED: _swap,
}
