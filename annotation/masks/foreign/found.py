"""What a mask file of another program holds: labels, and the voxels of each on the scan's grid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from voxloop.child import Document
from voxloop.kernel.errors import Invalid
from voxloop.volume.labelmap.chunks import Labels

Format = Literal[
    "nifti", "nrrd", "seg_nrrd", "mha", "dicom_seg_binary", "dicom_seg_fractional", "dicom_seg_labelmap", "rtstruct"
]
MOST_LABELS = 254  # numbers of labels fit into a byte beside 0 and 255
SMALL = 1 << 16  # values below are looked up in a table
MOST_LAYERS = 16  # labels over the same voxel; each layer is as large as the scan


class ForeignLabel(Document, frozen=True):
    """One label of a file: its `value` (a segment number in DICOM), its name there, and its voxels on the scan."""

    value: int
    name: str
    voxels: int = 0


@dataclass
class ForeignMask:
    """Labels 1 … n in the order of the file; `layers` (uint8, zyx, 0 = none) hold their numbers. Labels that overlap
    lie in different layers. `software` is one of `SOFTWARE`, or empty."""

    format: Format
    software: str
    labels: list[ForeignLabel]
    layers: list[Labels] = field(default_factory=list)
    is_resampled: bool = False


# Texts of a file are free, and may name a person: only these are told on.
SOFTWARE = ("3D Slicer", "dcmqi", "highdicom", "Voxloop", "MONAI", "TotalSegmentator", "OHIF", "ITK-SNAP")


def known_software(*texts: object) -> str:
    """The program that one of the texts names, or an empty string."""
    said = " ".join(str(text) for text in texts if text).lower()
    return next((name for name in SOFTWARE if name.lower() in said), "")


def numbered(values: list[int]) -> None:
    """Raise Invalid (`too_many_labels`) when there are more labels than a mask can have."""
    if len(values) > MOST_LABELS:
        raise Invalid(
            f"The file holds {len(values):,} different values; a mask has at most {MOST_LABELS} labels. "
            "Is it an image instead of a mask?",
            code="too_many_labels",
        )


def distinct_values(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The same array as whole numbers (unsigned where it was a fraction's type). Raises Invalid (`bad_mask`)."""
    if values.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            whole = values.astype(np.int64)
        if not np.array_equal(whole, values):
            raise Invalid("The mask holds values that are not whole numbers: write labels.", code="bad_mask")
        values = whole
    if values.dtype.kind not in "iu":
        raise Invalid("The mask holds values that are not whole numbers: write labels.", code="bad_mask")
    if values.size and values.min() < 0:
        raise Invalid("The mask holds values below 0: write labels from 1, and 0 for the background.", code="bad_mask")
    return values


def values_in(values: npt.NDArray[Any]) -> list[int]:
    """The values > 0, sorted."""
    top = int(values.max(initial=0))
    if top < SMALL:
        present = np.zeros(top + 1, np.bool_)
        for part in values.T:  # a plane at a time: an index array of the whole would be eight times as large
            present[part.ravel()] = True
        found = np.flatnonzero(present).tolist()
    else:
        found = np.unique(values).tolist()
    return [int(value) for value in found if value > 0]


def renumber(values: npt.NDArray[Any], numbers: dict[int, int]) -> Labels:
    """Each value (whole, from 0) as its number (uint8, same axes); a value without one is 0."""
    top = int(values.max(initial=0))
    if top < SMALL:
        table = np.zeros(top + 1, np.uint8)
        for value, number in numbers.items():
            if 0 <= value <= top:
                table[value] = number
        small: Labels = table[values.T].T  # files have the first axis fastest
        return small
    known = np.array(sorted(numbers), np.int64)
    to = np.array([numbers[int(value)] for value in known], np.uint8)
    result = np.zeros(values.shape, np.uint8)
    for part, out in zip(values, result, strict=True):
        at = np.searchsorted(known, part)
        at[at == len(known)] = 0
        if len(known):
            out[...] = np.where(known[at] == part, to[at], 0)
    return result


def add_label(layers: list[Labels], inside: npt.NDArray[np.bool_], number: int) -> None:
    """Put one label into the first layer where it covers no other one. Raises Invalid (`too_much_overlap`)."""
    for layer in layers:
        if not layer[inside].any():
            layer[inside] = number
            return
    if len(layers) == MOST_LAYERS:
        raise Invalid(f"More than {MOST_LAYERS} labels of the file share a voxel.", code="too_much_overlap")
    layers.append(np.where(inside, np.uint8(number), np.uint8(0)))


def counted(labels: list[ForeignLabel], layers: list[Labels]) -> list[ForeignLabel]:
    """The labels with their voxels; numbers are positions from 1."""
    voxels = np.zeros(256, np.int64)
    for layer in layers:
        for plane in layer:
            voxels += np.bincount(plane.ravel(), minlength=256)
    return [ForeignLabel(label.value, label.name, int(voxels[n])) for n, label in enumerate(labels, start=1)]


def each_number(layer: Labels) -> Iterator[int]:
    """The numbers of the labels in a layer."""
    yield from (int(n) for n in np.flatnonzero(np.bincount(layer.ravel(), minlength=256)) if n)
