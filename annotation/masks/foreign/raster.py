"""Masks as grids of values: NIfTI by nibabel; NRRD, 3D Slicer's `.seg.nrrd` and MetaImage (`.mha`) by SimpleITK."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK

from annotation.intake.limits import Limits
from annotation.intake.nifti import open_volume
from annotation.masks.foreign.found import (
    ForeignLabel,
    ForeignMask,
    Format,
    counted,
    distinct_values,
    known_software,
    numbered,
    renumber,
    values_in,
)
from annotation.masks.foreign.placing import Affine, lay, put, resample
from voxloop.kernel.errors import Invalid, TooLarge
from voxloop.volume.geometry import LPS_TO_RAS, Geometry
from voxloop.volume.nifti import affine_mm

HEADER_BYTES = 1 << 20
# ITK turns these into LPS; of other spaces it takes the numbers as they are.
SPACES = {"left-posterior-superior", "right-anterior-superior", "left-anterior-superior", "lps", "ras", "las"}
SEGMENT = re.compile(r"Segment(\d+)_(ID|Name|LabelValue|Layer)")


@dataclass
class Grid:
    """Values as they lie in a file: arrays `ijk` (one a layer) and their affine (LPS, mm)."""

    layers_ijk: list[npt.NDArray[Any]]
    lps_from_ijk: Affine
    words: Mapping[str, str]


def read_nifti(path: Path, grid: Geometry, scratch: Path, limits: Limits, *, may_resample: bool) -> ForeignMask:
    """A NIfTI of labels. Raises Invalid, TooLarge."""
    image = open_volume(path, scratch / "mask.nii", limits)
    values = np.asanyarray(image.dataobj).reshape(image.shape[:3])
    return _values_on("nifti", Grid([values], LPS_TO_RAS @ affine_mm(image), {}), grid, may_resample)


def read_itk(path: Path, grid: Geometry, limits: Limits, *, may_resample: bool) -> ForeignMask:
    """An NRRD or MetaImage of labels, in one file. Raises Invalid (`bad_file`, `detached`, …), TooLarge."""
    is_nrrd = path.name.lower().endswith(".nrrd")
    _check_header(path, is_nrrd)
    found = _open(path, "NrrdImageIO" if is_nrrd else "MetaImageIO", limits)
    segments = _segments(found.words) if is_nrrd else []
    if segments:
        return _segments_on(found, segments, grid, may_resample)
    if len(found.layers_ijk) > 1:
        raise Invalid("The file has several values a voxel; a mask has one.", code="bad_mask")
    return _values_on("nrrd" if is_nrrd else "mha", found, grid, may_resample)


def _check_header(path: Path, is_nrrd: bool) -> None:
    """What ITK does not ask: that the voxels are in this file (it would read any other that the header names), and that
    it says how it lies in the patient."""
    with path.open("rb") as handle:
        head = handle.read(HEADER_BYTES)
    if is_nrrd:
        text = re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0].decode("latin-1")
        fields = dict(re.findall(r"(?m)^([A-Za-z ]+):(?!=)\s*(.*?)\s*$", text))
        fields = {name.strip().lower(): value for name, value in fields.items()}
        is_whole = text.startswith("NRRD000")
        is_detached = bool({"data file", "datafile"} & fields.keys())
        is_placed = fields.get("space", "").lower() in SPACES and "space directions" in fields
        units = set(re.findall(r'"([^"]*)"', fields.get("space units", "")))
        is_placed = is_placed and units <= {"mm", ""}
    else:
        text = head.split(b"ElementDataFile", 1)[0].decode("latin-1")
        is_whole = "ObjectType" in text and b"ElementDataFile" in head
        is_detached = not re.search(rb"(?m)^ElementDataFile\s*=\s*LOCAL\s*$", head)
        is_placed = bool(re.search(r"(?m)^(Offset|Position|Origin)\s*=", text))
    if not is_whole:
        raise Invalid(f"The file is not a readable {'NRRD' if is_nrrd else 'MetaImage'} file.", code="bad_file")
    if is_detached:
        raise Invalid("The voxels are in another file than the header: write both in one file.", code="detached")
    if not is_placed:
        raise Invalid("The file does not say in mm how it lies in the patient.", code="no_orientation")


def _open(path: Path, reader_name: str, limits: Limits) -> Grid:
    reader = SimpleITK.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO(reader_name)
    try:
        reader.ReadImageInformation()
        size, depth = tuple(reader.GetSize()), reader.GetNumberOfComponents()
        if reader.GetDimension() not in (3, 4) or any(n != 1 for n in size[3:]):
            raise Invalid(f"The file has {len(size)} axes; a mask has three.", code="bad_mask")
        if int(np.prod(size, dtype=np.float64)) * depth > limits.most_voxels:
            raise TooLarge(
                f"The mask has {'×'.join(map(str, size))} voxels; at most {limits.most_voxels // 1_000_000} million "
                "can be read.",
                code="volume_too_large",
            )
        image = reader.Execute()
        if image.GetDimension() == 4:
            image = image[:, :, :, 0]
    except RuntimeError as error:  # ITK has one exception for all
        if "memory" in str(error).lower():
            raise MemoryError from error
        raise Invalid("The file is damaged or not a readable mask.", code="bad_file") from error
    values = SimpleITK.GetArrayFromImage(image)  # zyx, components last
    layers = [values] if depth == 1 else [values[..., n] for n in range(depth)]
    affine = np.eye(4)
    affine[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    words = {key: image.GetMetaData(key) for key in image.GetMetaDataKeys() if key.startswith("Segment")}
    return Grid([layer.transpose(2, 1, 0) for layer in layers], affine, words)


def _segments(words: Mapping[str, str]) -> list[tuple[int, int, str]]:
    """Layer, value and name of each segment of a `.seg.nrrd`, in their order. Files before layers have one of each."""
    found: dict[int, dict[str, str]] = {}
    for key, value in words.items():
        if match := SEGMENT.fullmatch(key):
            found.setdefault(int(match[1]), {})[match[2]] = value
    try:
        return [
            (int(one.get("Layer", "0")), int(one.get("LabelValue", "1")), one.get("Name") or one.get("ID", str(n)))
            for n, one in sorted(found.items())
        ]
    except ValueError as error:
        raise Invalid("The segments of the file have no readable values.", code="bad_file") from error


def _segments_on(found: Grid, segments: list[tuple[int, int, str]], grid: Geometry, may_resample: bool) -> ForeignMask:
    numbered([value for _, value, _ in segments])
    labels, layers, is_resampled = [ForeignLabel(value, name) for _, value, name in segments], [], False
    for n, raw in enumerate(found.layers_ijk):
        values = distinct_values(raw)
        numbers = {value: at for at, (layer, value, _) in enumerate(segments, start=1) if layer == n}
        if stray := [value for value in values_in(values) if value not in numbers]:
            raise Invalid(f"The file holds the values {stray[:8]} that are none of its segments.", code="bad_mask")
        layer_zyx, was = _on_grid(renumber(values, numbers), found.lps_from_ijk, grid, may_resample, is_part=True)
        layers.append(layer_zyx)
        is_resampled = is_resampled or was
    return ForeignMask("seg_nrrd", "3D Slicer", counted(labels, layers), layers, is_resampled)


def _values_on(kind: Format, found: Grid, grid: Geometry, may_resample: bool) -> ForeignMask:
    values = distinct_values(found.layers_ijk[0])
    present = values_in(values)
    numbered(present)
    block = renumber(values, {value: n for n, value in enumerate(present, start=1)})
    layer, is_resampled = _on_grid(block, found.lps_from_ijk, grid, may_resample)
    labels = counted([ForeignLabel(value, str(value)) for value in present], [layer])
    return ForeignMask(kind, known_software(*found.words.values()), labels, [layer], is_resampled)


def _on_grid(
    block_ijk: npt.NDArray[np.uint8], affine: Affine, grid: Geometry, may_resample: bool, *, is_part: bool = False
) -> tuple[npt.NDArray[np.uint8], bool]:
    try:
        part, first = lay(block_ijk, affine, grid, is_part=is_part)
    except Invalid as refusal:
        if refusal.code != "other_grid" or not may_resample:
            raise
        return resample(block_ijk, affine, grid), True
    onto = np.zeros(grid.shape_zyx, np.uint8)
    put(part, first, onto)
    return onto, False
