"""All quantities of one approved mask, as the scan's page, the report and the exports give them.

Amounts are mL (cm² of a single-plane image), lengths mm, densities HU, weights g. The lungs come from a mask of lobes
or lungs where there is one, else from the image (`lungs.find_lungs`). Sources: `quantities`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from voxloop.volume.geometry import Geometry
from voxloop.volume.labelmap import ERASED
from voxloop.volume.lesions import measure_lesions
from voxloop.volume.lungs import LEFT, RIGHT, ZONES, find_lungs, split_sides, split_zones
from voxloop.volume.quantities import grade_of, word_of

Labels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Voxels = npt.NDArray[Any]
Counts = npt.NDArray[np.int64]

LOBES = ("right_upper_lobe", "right_middle_lobe", "right_lower_lobe", "left_upper_lobe", "left_lower_lobe")
HISTOGRAM_HU = tuple(range(-1000, 201, 50))  # edges; the first and the last bin hold what lies beyond them


@dataclass(frozen=True)
class Part:
    """A side, lobe or zone of the lungs. `grade` 0-5 of a lobe (`topff2023`), null of any other part."""

    key: str
    lung: float
    opacity: float
    percent: float
    grade: int | None = None


@dataclass(frozen=True)
class SegmentAmount:
    """One segment: amount, mean HU (null on an X-ray and where nothing is drawn), connected parts (26 neighbours), the
    amount of the largest, and the largest diameter of any in mm."""

    segment: int
    voxels: int
    amount: float
    mean_hu: float | None
    lesions: int
    largest: float
    diameter_mm: float


@dataclass(frozen=True)
class Quantities:
    """`unit` mL or cm². `lungs_from`: "lobes", "lungs" (a mask), "image" or "" (unknown: then no share of the lungs).

    `parts` are the right and the left side, then lobes, else zones. `score` 0-25 and `severity` only with lobes.
    `histogram` counts voxels of the opacities by `HISTOGRAM_HU`; empty on an X-ray, as are `weight_g` and HU null."""

    unit: str
    lungs_from: str
    lungs: float | None
    opacity: float
    percent: float | None
    weight_g: float | None
    mean_hu: float | None
    lesions: int
    diameter_mm: float
    score: int | None
    severity: str | None
    parts: Sequence[Part]
    segments: Sequence[SegmentAmount]
    histogram: Sequence[int]
    worst_slice: int | None  # the axial slice with most opacity


@dataclass(frozen=True)
class Regions:
    """Which part of the lungs a voxel is in. `keys` of the values 1…n of `labels_zyx`; `sides_zyx` as `lungs`."""

    source: str
    labels_zyx: Labels
    sides_zyx: Labels
    keys: Sequence[str]


def find_regions(
    geometry: Geometry,
    *,
    anatomy_zyx: Labels | None = None,
    anatomy_keys: Mapping[int, str] | None = None,
    voxels_zyx: Voxels | None = None,
    limit_zyx: Mask | None = None,
    labels_zyx: Labels | None = None,
) -> Regions:
    """The parts of the lungs on the scan's grid: from `anatomy_zyx` with lobes or lungs under `anatomy_keys` (value to
    key), else from the HU within the lung limit, where every marked voxel of `labels_zyx` counts as lung.

    Raises ValueError without either."""
    if anatomy_zyx is not None and anatomy_keys:
        box = _box_of([anatomy_zyx])
        found = _of_anatomy(anatomy_zyx[box], anatomy_keys, _cut(geometry, box))
    elif voxels_zyx is not None and limit_zyx is not None and labels_zyx is not None:
        marked = (labels_zyx > 0) & (labels_zyx != ERASED)
        box = _box_of([limit_zyx, marked])
        found = _of_image(voxels_zyx[box], limit_zyx[box], marked[box], _cut(geometry, box))
    else:
        raise ValueError("regions need a mask of the anatomy, or voxels with a lung limit")
    whole = [np.zeros(geometry.shape_zyx, np.uint8) for _ in range(2)]
    whole[0][box], whole[1][box] = found.labels_zyx, found.sides_zyx
    return Regions(found.source, whole[0], whole[1], found.keys)


def measure_mask(
    labels_zyx: Labels,
    voxels_zyx: Voxels,
    geometry: Geometry,
    *,
    segments: Iterable[int],
    opacities: Iterable[int],
    regions: Regions | None = None,
) -> Quantities:
    """Measure a labelmap (uint8, zyx, 255 = erased counts as background) on its scan (HU, or any unit of an X-ray).

    `opacities` are the segments that count as opacity. Without `regions` no share of the lungs is given."""
    box = _box_of([labels_zyx] if regions is None else [labels_zyx, regions.labels_zyx])
    labels, voxels = labels_zyx[box], voxels_zyx[box]
    chosen = np.zeros(256, np.bool_)
    chosen[list(opacities)] = True
    chosen[[0, ERASED]] = False
    opacity = chosen[labels]
    lungs, inner, parts = _of_regions(regions, opacity, geometry, box) if regions else (None, 0.0, [])
    lobes = [part for part in parts if part.key in LOBES]
    score = sum(part.grade or 0 for part in lobes) if lobes else None
    has_hu = geometry.unit == "mL"
    hu = voxels[opacity]
    boxes = ndi.find_objects(labels, 254)
    amounts = [
        _amount_of(value, labels[boxes[value - 1]], voxels[boxes[value - 1]], geometry)
        if boxes[value - 1]
        else SegmentAmount(value, 0, 0.0, None, 0, 0.0, 0.0)
        for value in sorted(segments)
    ]
    by_slice = opacity.sum(axis=(1, 2))
    marked = [one for one in amounts if chosen[one.segment]]
    return Quantities(
        unit=geometry.unit,
        lungs_from=regions.source if regions else "",
        lungs=lungs,
        opacity=geometry.amount(int(hu.size)),
        percent=100 * inner / lungs if lungs else None,
        weight_g=_weight_g(hu, geometry) if has_hu else None,
        mean_hu=float(hu.mean(dtype=np.float64)) if has_hu and hu.size else None,
        lesions=sum(one.lesions for one in marked),
        diameter_mm=max((one.diameter_mm for one in marked), default=0.0),
        score=score,
        severity=None if score is None else word_of(score),
        parts=parts,
        segments=amounts,
        histogram=_histogram(hu) if has_hu else [],
        worst_slice=int(by_slice.argmax()) + box[0].start if by_slice.any() else None,
    )


def _of_regions(
    regions: Regions, opacity: Mask, geometry: Geometry, box: tuple[slice, slice, slice]
) -> tuple[float, float, list[Part]]:
    """The amount of the lungs, of the opacity in them, and of their parts, within the box."""
    labels = regions.labels_zyx[box]
    lungs = geometry.amount(int(np.count_nonzero(labels)))
    inner = geometry.amount(int(np.count_nonzero(opacity & (labels > 0))))
    whole, involved = _count(regions.sides_zyx[box], opacity, 3)
    parts = [_part("right", whole, involved, RIGHT, geometry), _part("left", whole, involved, LEFT, geometry)]
    whole, involved = _count(labels, opacity, len(regions.keys) + 1)
    for value, key in enumerate(regions.keys, start=1):
        if key:
            parts.append(_part(key, whole, involved, value, geometry))
    return lungs, inner, parts


def _box_of(masks: Sequence[Voxels]) -> tuple[slice, slice, slice]:
    """The smallest box round everything; the whole grid where nothing is."""
    whole = masks[0].shape
    sides = []
    for axis, (others, n) in enumerate(zip(((1, 2), (0, 2), (0, 1)), whole, strict=True)):
        at = np.flatnonzero(np.logical_or.reduce([mask.any(axis=others) for mask in masks]))
        sides.append(slice(int(at[0]), int(at[-1]) + 1) if at.size else slice(0, n))
        if axis == 0 and at.size:  # the other axes need only these slices
            masks = [mask[sides[0]] for mask in masks]
    return sides[0], sides[1], sides[2]


def _cut(geometry: Geometry, box: tuple[slice, slice, slice]) -> Geometry:
    """The geometry of a box of the grid."""
    matrix = geometry.affine()
    matrix[:3, 3] = geometry.lps_of([side.start for side in reversed(box)])
    return Geometry.from_lps_affine([side.stop - side.start for side in box], matrix)


def _of_anatomy(anatomy: Labels, keys: Mapping[int, str], geometry: Geometry) -> Regions:
    """Lobes are numbered 1-5 as `LOBES`; lung outside every lobe is 6."""
    number = np.zeros(256, np.uint8)
    for value, key in keys.items():
        number[value] = LOBES.index(key) + 1 if key in LOBES else 6
    labels: Labels = number[anatomy]
    has_lobes = bool(((labels > 0) & (labels < 6)).any())
    sides = split_sides(labels > 0, geometry)
    if has_lobes:
        sides = np.where((labels > 0) & (labels < 6), np.where(labels < 4, np.uint8(RIGHT), np.uint8(LEFT)), sides)
    if has_lobes:
        return Regions("lobes", labels, sides, (*LOBES, ""))
    return Regions("lungs", split_zones(sides, geometry), sides, ZONES)


def _of_image(voxels: Voxels, limit: Mask, marked: Mask, geometry: Geometry) -> Regions:
    sides = split_sides(find_lungs(voxels, limit, marked, geometry), geometry)
    return Regions("image", split_zones(sides, geometry), sides, ZONES)


def _count(parts: Labels, opacity: Mask, most: int) -> tuple[Counts, Counts]:
    """Voxels of each part, and of the opacity in it."""
    whole = np.array([np.count_nonzero(parts == value) for value in range(most)])  # `bincount` copies it to int64
    return whole, np.bincount(parts[opacity], minlength=most)


def _part(key: str, whole: Counts, involved: Counts, value: int, geometry: Geometry) -> Part:
    of_part, of_opacity = int(whole[value]), int(involved[value])
    percent = 100 * of_opacity / of_part if of_part else 0.0
    grade = grade_of(percent) if key in LOBES else None
    return Part(key, geometry.amount(of_part), geometry.amount(of_opacity), percent, grade)


def _amount_of(value: int, labels: Labels, voxels: Voxels, geometry: Geometry) -> SegmentAmount:
    mask = labels == value
    count = int(np.count_nonzero(mask))
    lesions, largest, diameter_mm = measure_lesions(mask, geometry.spacing_mm_zyx)
    mean = float(voxels[mask].mean(dtype=np.float64)) if geometry.unit == "mL" else None
    return SegmentAmount(value, count, geometry.amount(count), mean, lesions, geometry.amount(largest), diameter_mm)


def _weight_g(hu: Voxels, geometry: Geometry) -> float:
    """As `quantities.weight_g`, of the HU of the opacity's voxels."""
    return float(np.clip(hu.astype(np.float64) + 1000, 0, None).sum()) / 1000 * geometry.voxel_ml


def _histogram(hu: Voxels) -> list[int]:
    edges = np.array(HISTOGRAM_HU)
    at = np.clip(np.searchsorted(edges, hu, side="right") - 1, 0, len(edges) - 2)
    return [int(count) for count in np.bincount(at, minlength=len(edges) - 1)]
