"""One series to the volumes it holds. Whatever must be the same in a volume is compared: of files that differ, few are
set aside and named, many make a volume of their own, which is judged for itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from annotation.intake.dicom.headers import image_type_of, modality_of, numbers_of, text_of
from annotation.intake.dicom.read import Slice
from annotation.intake.dicom.screen import PLANAR, SECONDARY_CAPTURE, check_identities, is_localiser
from annotation.intake.dicom.stack import ORIENTATION_TOLERANCE, unit_axes
from annotation.intake.dicom.vocabulary import modality_in_words
from annotation.intake.limits import Limits
from voxloop.kernel.errors import Invalid

# Of two acquisitions one after the other, the slice spacing lies between them; rounding may let them touch.
TOUCHING_MM = 0.05


# What is compared: words, or numbers of which equal ones differ by less than 1; None: unknown.
Value = Hashable | npt.NDArray[np.float64] | None


@dataclass(frozen=True)
class Aside:
    """Files of a series that are not part of its volumes, and what they are."""

    slices: list[Slice]
    what: str


@dataclass(frozen=True)
class Division:
    """What a series holds: `volumes`, the largest first, and what was set aside."""

    volumes: list[list[Slice]]
    aside: list[Aside]


def divide(slices: Sequence[Slice], limits: Limits) -> Division:
    """Divide the files of one series UID. Raises Invalid (`not_deidentified`, …; `mixed_patient`, `mixed_study`) for
    all of them."""
    check_identities(slices)
    for keyword, code in (("PatientID", "mixed_patient"), ("StudyInstanceUID", "mixed_study")):
        count = len({text_of(item.header, keyword) for item in slices})
        if count > 1:
            what = "patients" if code == "mixed_patient" else "studies"
            raise Invalid(
                f"The files carry one series UID and belong to {count} {what}: send each with its own UID.", code=code
            )
    images, aside = _without_strangers(slices)
    modality = modality_of(images[0].header)
    if modality in PLANAR:
        return Division([[item] for item in images], aside)
    if modality != "CT":
        return Division([images], aside)  # refused as a whole
    volumes: list[list[Slice]] = [images]
    for differing in _DIFFERENCES:
        volumes = [part for volume in volumes for part in _split(volume, differing)]
    volumes = [part for volume in volumes for part in _by_acquisition(volume)]
    volumes.sort(key=len, reverse=True)
    if len(volumes[0]) < limits.least_slices:
        return Division([images], aside)  # too few, whatever they are
    small = [volume for volume in volumes if len(volume) < limits.least_slices]
    aside += [Aside(volume, _difference(volume[0], volumes[0][0])) for volume in small]
    return Division(volumes[: len(volumes) - len(small)], aside)


def _without_strangers(slices: Sequence[Slice]) -> tuple[list[Slice], list[Aside]]:
    """What is an image of the series' modality, and the rest. All of them where nothing would be left."""
    kinds = [_kind(item.header) for item in slices]
    counted = Counter(modality_of(item.header) for item, kind in zip(slices, kinds, strict=True) if not kind)
    if not counted:
        return list(slices), []
    modality = max(counted, key=lambda name: (name in ("CT", *PLANAR), counted[name]))
    images: list[Slice] = []
    aside: dict[str, list[Slice]] = {}
    for item, kind in zip(slices, kinds, strict=True):
        own = modality_of(item.header)
        what = kind or ("" if own == modality else f"of another modality, {modality_in_words(own)}")
        (aside.setdefault(what, []) if what else images).append(item)
    return images, [Aside(found, what) for what, found in aside.items()]


def _kind(header: Dataset) -> str:
    """What a file is that belongs to no volume; an empty text for an image."""
    if numbers_of(header, "Rows", 1) is None and not _is_image_class(header):
        return "no image (a report or the like)"
    if text_of(header, "SOPClassUID").startswith(SECONDARY_CAPTURE):
        return "a secondary capture (a picture of a screen, as of the dose)"
    return "a localiser (an overview)" if is_localiser(header) else ""


def _is_image_class(header: Dataset) -> bool:
    """Whether the file claims to be an image that can be annotated, damaged or not."""
    return modality_of(header) in ("CT", *PLANAR)


def _vector(keyword: str, count: int, tolerance: float) -> Callable[[Slice], npt.NDArray[np.float64] | None]:
    def read(item: Slice) -> npt.NDArray[np.float64] | None:
        found = numbers_of(item.header, keyword, count)
        return None if found is None else found / tolerance

    return read


def _word(keyword: str) -> Callable[[Slice], Hashable]:
    return lambda item: text_of(item.header, keyword) or None


def _size(item: Slice) -> Hashable:
    sides = [numbers_of(item.header, keyword, 1) for keyword in ("Rows", "Columns")]
    return None if any(side is None for side in sides) else tuple(int(side[0]) for side in sides if side is not None)


@dataclass(frozen=True)
class Difference:
    """Something that is the same in all slices of a volume. `read` gives words or numbers, of which equal ones differ
    by less than 1; None is unknown and differs from nothing."""

    words: str
    read: Callable[[Slice], Value]


def _differ(a: Value, b: Value) -> bool:
    if a is None or b is None:
        return False
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return bool(np.abs(a - b).max() > 1)
    return a != b


_DIFFERENCES = (
    Difference("in another orientation", _vector("ImageOrientationPatient", 6, ORIENTATION_TOLERANCE)),
    Difference("of another size", _size),
    Difference("with other pixels (spacing)", _vector("PixelSpacing", 2, 1e-3)),
    Difference("of another type (original, derived, axial …)", lambda item: image_type_of(item.header)[:3] or None),
    Difference("in another frame of reference", _word("FrameOfReferenceUID")),
    Difference("of another reconstruction (kernel)", _word("ConvolutionKernel")),
    Difference("of another point in time", _word("TemporalPositionIdentifier")),
    Difference("of another phase of the heart", _word("NominalPercentageOfCardiacPhase")),
)


def _split(volume: list[Slice], difference: Difference) -> list[list[Slice]]:
    """Slices that are alike, together. What is unknown stays with the most, which are then judged together."""
    parts: list[tuple[Value, list[Slice]]] = []  # with the value of the first slice
    unknown: list[Slice] = []
    for item in volume:
        value = difference.read(item)
        if value is None:
            unknown.append(item)
            continue
        part = next((part for first, part in parts if not _differ(first, value)), None)
        if part is None:
            parts.append((value, [item]))
        else:
            part.append(item)
    if not parts:
        return [volume]
    volumes = [part for _, part in parts]
    max(volumes, key=len).extend(unknown)
    return volumes


def _by_acquisition(volume: list[Slice]) -> list[list[Slice]]:
    """Acquisitions that lie one after the other are one volume (steps of a table); those that cover the same range are
    one each."""
    numbers = [numbers_of(item.header, "AcquisitionNumber", 1) for item in volume]
    positions = [numbers_of(item.header, "ImagePositionPatient", 3) for item in volume]
    orientation = numbers_of(volume[0].header, "ImageOrientationPatient", 6)
    if orientation is None or any(found is None for found in (*numbers, *positions)):
        return [volume]
    try:
        along = np.array(positions) @ unit_axes(orientation)[2]
    except Invalid:
        return [volume]
    parts: dict[int, list[int]] = {}
    for index, number in enumerate(numbers):
        parts.setdefault(int(number[0]) if number is not None else 0, []).append(index)
    ranges = sorted((float(along[part].min()), float(along[part].max())) for part in parts.values())
    if all(after[0] > before[1] - TOUCHING_MM for before, after in pairwise(ranges)):
        return [volume]
    return [[volume[index] for index in part] for part in parts.values()]


def _difference(odd: Slice, usual: Slice) -> str:
    return next(
        (one.words for one in _DIFFERENCES if _differ(one.read(odd), one.read(usual))), "of another acquisition"
    )
