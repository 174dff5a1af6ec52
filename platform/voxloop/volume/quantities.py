"""Quantities of a mask: volumes, lesions, extent and weight (`yoo2020`), the lobar score (`topff2023`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from voxloop.volume.amounts import voxel_ml
from voxloop.volume.labelmap import ERASED

Labels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
HU = npt.NDArray[np.int16]
Spacing = tuple[float, float, float]

LOBES = (1, 2, 3, 4, 5)
# Upper end of each grade in % of the lobe; grade 0 is a lobe without any opacity (Pan et al., after topff2023).
GRADES = ((5.0, 1), (25.0, 2), (50.0, 3), (75.0, 4), (100.0, 5))


@dataclass(frozen=True)
class Lesion:
    """One connected (26-neighbour) part of a segment."""

    segment: int
    volume_ml: float
    mean_hu: float
    slices: tuple[int, int]  # first and last slice it is seen on
    centroid_ijk: tuple[float, float, float]


@dataclass(frozen=True)
class LobarScore:
    """Grade 0-5 of each lobe, their sum 0-25, and its severity."""

    share_percent: tuple[float, ...]
    grades: tuple[int, ...]

    @property
    def total(self) -> int:
        """0 … 25."""
        return sum(self.grades)

    @property
    def word(self) -> str:
        """none, mild (1-5), moderate (6-14), severe (15-25)."""
        return word_of(self.total)


def segment_volumes_ml(labels_zyx: Labels, spacing_mm_zyx: Spacing) -> dict[int, float]:
    """mL of every segment present; erased voxels count as background."""
    counts = np.bincount(labels_zyx.reshape(-1), minlength=256)
    return {int(s): int(counts[s]) * voxel_ml(spacing_mm_zyx) for s in np.flatnonzero(counts) if s not in (0, ERASED)}


def find_lesions(labels_zyx: Labels, hu_zyx: HU, spacing_mm_zyx: Spacing) -> list[Lesion]:
    """Every connected part of every segment, the largest first."""
    lesions: list[Lesion] = []
    for segment in segment_volumes_ml(labels_zyx, spacing_mm_zyx):
        labelled, count = ndi.label(labels_zyx == segment, np.ones((3, 3, 3)))
        for number, box in enumerate(ndi.find_objects(labelled, count), start=1):
            voxels = np.argwhere(labelled[box] == number) + [part.start for part in box]
            z, y, x = (float(v) for v in voxels.mean(axis=0))
            lesions.append(
                Lesion(
                    segment,
                    len(voxels) * voxel_ml(spacing_mm_zyx),
                    float(hu_zyx[tuple(voxels.T)].mean()),
                    (int(voxels[0, 0]), int(voxels[-1, 0])),
                    (x, y, z),
                )
            )
    return sorted(lesions, key=lambda lesion: (-lesion.volume_ml, lesion.segment, lesion.centroid_ijk))


def opacity_of(labels_zyx: Labels, segments: Iterable[int]) -> Mask:
    """Mask of the voxels of any of these segments."""
    chosen = np.zeros(256, np.bool_)
    chosen[list(segments)] = True
    result: Mask = chosen[labels_zyx]
    return result


def extent_percent(opacity_zyx: Mask, lungs_zyx: Mask) -> float:
    """100 × opacity inside the lungs / lungs (`yoo2020`); 0 without lungs."""
    lungs = int(np.count_nonzero(lungs_zyx))
    return 100 * int(np.count_nonzero(opacity_zyx & lungs_zyx)) / lungs if lungs else 0.0


def weight_g(opacity_zyx: Mask, hu_zyx: HU, spacing_mm_zyx: Spacing) -> float:
    """Sum of voxel volume × density with (HU + 1000) / 1000 g/mL, never below that of air (`yoo2020`)."""
    density = np.clip(hu_zyx[opacity_zyx].astype(np.float64) + 1000, 0, None) / 1000
    return float(density.sum()) * voxel_ml(spacing_mm_zyx)


def lobar_score(opacity_zyx: Mask, lobes_zyx: Labels) -> LobarScore:
    """Share of opacity and grade of each lobe, in the order 1-5; a missing lobe has grade 0."""
    whole = np.bincount(lobes_zyx.reshape(-1), minlength=256)
    involved = np.bincount(lobes_zyx[opacity_zyx], minlength=256)
    shares = tuple(100 * int(involved[lobe]) / int(whole[lobe]) if whole[lobe] else 0.0 for lobe in LOBES)
    return LobarScore(shares, tuple(grade_of(share) for share in shares))


def word_of(score: int) -> str:
    """Severity of a score of 0-25: none, mild (1-5), moderate (6-14), severe (15-25)."""
    return "none" if score == 0 else "mild" if score <= 5 else "moderate" if score <= 14 else "severe"


def grade_of(share_percent: float) -> int:
    """Grade 0-5 of a lobe by its share of opacity in %."""
    if share_percent == 0:
        return 0
    if share_percent < GRADES[0][0]:
        return 1
    return next(grade for limit, grade in GRADES[1:] if share_percent <= limit)
