"""A reader that knows the truth, and corrects a mask by what the viewer offers: one key a proposed lesion, the growing
brush, the plain brush, the eraser. What counts is how often it acts; a key and a stroke are one act each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from voxloop.volume.edits import Edits, compare
from voxloop.volume.growing import erase, grow, paint

TOUCHING = np.ones((3, 3, 3), np.bool_)
INVENTED = 0.1  # an island with less of it in a finding is dropped
LEAST_ML = 0.5  # an error that is smaller is left
TOLERANCE_MM = 3.0  # an error of an edge that is thinner is left
RADII_MM = (4.0, 60.0)
MOST_ACTS = 150

Mask = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.uint8]
Spacing = tuple[float, float, float]


@dataclass(frozen=True)
class Case:
    """A scan to read (zyx): HU, where findings are, the brush's limit and the HU of normal lung."""

    hu: npt.NDArray[np.int16]
    truth: Mask
    spacing_mm: Spacing
    limit: Mask | None
    background_hu: int


@dataclass(frozen=True)
class Read:
    """What the reader did: acts, and how far the mask is from where it began, in voxels."""

    acts: int
    edits: Edits
    dice: float


@dataclass(frozen=True)
class _Error:
    """A part of the mask that is wrong: its innermost voxel, and the radii of the circles inside and around it."""

    middle: tuple[int, int, int]
    inner_mm: float
    outer_mm: float


def read(case: Case, proposed: Labels | None) -> Read:
    """Read a scan, from a model's mask or from blank."""
    start = np.zeros(case.hu.shape, np.uint8) if proposed is None else (proposed > 0).astype(np.uint8)
    labels = start.copy()
    acts = _go_through(labels, case.truth)
    for correct in (_erase, _add):
        while acts < MOST_ACTS:
            wrong = (labels == 1) & ~case.truth if correct is _erase else case.truth & (labels != 1)
            errors = _errors(wrong, case.spacing_mm)
            before = int((labels == 1).sum())
            for error in errors[: MOST_ACTS - acts]:
                correct(case, labels, error)
                acts += 1
            if not errors or int((labels == 1).sum()) == before:
                break
    return Read(acts, compare(start, labels), compare(case.truth.astype(np.uint8), labels).dice)


def _go_through(labels: Labels, truth: Mask) -> int:
    """One key a proposed lesion: what touches no finding is dropped, the others are accepted."""
    islands, count = ndimage.label(labels > 0, TOUCHING)
    sizes = np.bincount(islands.reshape(-1), minlength=count + 1)
    hits = np.bincount(islands[truth], minlength=count + 1)
    dropped = hits < INVENTED * sizes
    dropped[0] = False
    labels[dropped[islands]] = 0
    return int(count)


def _errors(wrong: Mask, spacing_mm: Spacing) -> list[_Error]:
    """The connected errors that a reader sees, the largest first."""
    parts, count = ndimage.label(wrong)
    sizes = np.bincount(parts.reshape(-1), minlength=count + 1)[1:] * (np.prod(spacing_mm) / 1000)
    boxes = ndimage.find_objects(parts)
    found = []
    for number in np.argsort(-sizes):
        if sizes[number] < LEAST_ML:
            break
        part = np.pad(parts[boxes[number]] == number + 1, 1)
        depth = ndimage.distance_transform_edt(part, spacing_mm)
        at = np.unravel_index(int(depth.argmax()), depth.shape)
        if depth[at] < TOLERANCE_MM:
            continue
        away = (np.argwhere(part) - at) * np.array(spacing_mm)
        middle = [int(n) - 1 + box.start for n, box in zip(at, boxes[number], strict=True)]
        outer = float(np.sqrt(np.square(away).sum(axis=1).max()))
        found.append(_Error((middle[0], middle[1], middle[2]), float(depth[at]), outer))
    return found


def _erase(case: Case, labels: Labels, error: _Error) -> None:
    erase(labels, case.spacing_mm, error.middle, min(error.inner_mm, RADII_MM[1]))


def _add(case: Case, labels: Labels, error: _Error) -> None:
    """The growing brush, round the error; where it would paint more of what is no finding, the plain one inside it."""
    radius = min(max(error.outer_mm, RADII_MM[0]), RADII_MM[1])
    for reach in (radius, max(error.inner_mm * 1.5, RADII_MM[0])):
        grown = grow(
            case.hu,
            case.spacing_mm,
            labels,
            1,
            error.middle,
            reach,
            limit_zyx=case.limit,
            background_hu=case.background_hu,
        )
        right = int((grown.added & case.truth[grown.box]).sum())
        if right > 4 * (int(grown.added.sum()) - right):
            grown.apply(labels, 1)
            return
    paint(labels, case.spacing_mm, 1, error.middle, max(error.inner_mm, RADII_MM[0]))
