"""Group files into series, and build one volume in HU from a series."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import structs
from pydicom.dataset import Dataset

from annotation.intake.dicom.divide import Division, divide
from annotation.intake.dicom.frames import frames_of, is_enhanced
from annotation.intake.dicom.headers import modality_of, numbers_of, steps_of, text_of
from annotation.intake.dicom.origin import origin_of
from annotation.intake.dicom.pixels import decode_stored
from annotation.intake.dicom.planar import read_plane
from annotation.intake.dicom.read import Slice, is_directory, read_pixels, read_slice
from annotation.intake.dicom.screen import PLANAR, check_series, doubts_about
from annotation.intake.dicom.stack import stack_slices, unit_axes
from annotation.intake.limits import Limits
from annotation.intake.sources import SourceFile
from annotation.intake.volumes import HIGHEST_HU, LOWEST_HU, PADDING_HU, FoundVolume, Origin, check_ct, hash_volume
from voxloop.kernel.errors import Invalid
from voxloop.kernel.uids import derive_uid
from voxloop.volume.geometry import Geometry

Tell = Callable[[float], None]


@dataclass
class Finds:
    """The series among some files, and how many files were something else."""

    series: dict[tuple[str, ...], list[Slice]] = field(default_factory=dict)
    not_dicom: int = 0
    unreadable: int = 0
    directories: int = 0  # DICOMDIR: a list of the files beside it


def find_series(files: Sequence[SourceFile], limits: Limits, on_progress: Tell | None = None) -> Finds:
    """Read every header and group the files by series; by study and folder where the series UID is empty."""
    finds = Finds()
    with _quiet():
        for number, file in enumerate(files, start=1):
            try:
                item = read_slice(file.path, file.folder, limits)
                items = frames_of(item) if is_enhanced(item) else [item]
            except Invalid as refusal:
                if refusal.code == "not_dicom":
                    finds.not_dicom += 1
                else:
                    finds.unreadable += 1
                continue
            if is_directory(item):
                finds.directories += 1
                continue
            series = text_of(item.header, "SeriesInstanceUID")
            study = text_of(item.header, "StudyInstanceUID")
            key = (series,) if series else ("", study, item.folder, modality_of(item.header))
            finds.series.setdefault(key, []).extend(items)
            if on_progress:
                on_progress(number / len(files))
        finds.series = _join_singles(finds.series)
    return finds


def divide_series(slices: Sequence[Slice], limits: Limits) -> Division:
    """What the files of one series UID hold, copies dropped. Raises as `divide`."""
    with _quiet():
        return divide(_drop_copies(slices), limits)


def read_series(
    slices: Sequence[Slice], limits: Limits, on_progress: Tell | None = None, *, is_whole: bool = True
) -> FoundVolume:
    """Screen one volume of a series and build it; one that is not `is_whole`, the main one of its series, gets a series
    UID of its own. Raises Invalid or TooLarge with a stable code and one sentence."""
    with _quiet():
        modality = check_series(slices, limits)
        if modality in PLANAR:
            ordered = list(slices)
            voxels: Any
            voxels, geometry, projection = read_plane(slices[0], limits)
        else:
            ordered, geometry = _stack(slices)
            projection = None
            voxels = _decode(ordered, geometry, limits, on_progress or (lambda share: None))
    if int(voxels.min()) == int(voxels.max()):
        raise Invalid("Every pixel of the series has the same value.", code="empty_volume")
    overruled = doubts_about(ordered[0].header, modality)
    if modality == "CT":
        overruled += check_ct(voxels, geometry, limits)
    origin = origin_of(ordered, modality, hash_volume(voxels, geometry), overruled)
    if projection is not None:
        origin.facts["projection"] = projection
    if not is_whole:
        origin = structs.replace(origin, series_uid=derive_uid("part", origin.series_uid, origin.source_hash))
    return FoundVolume(voxels, geometry, origin)


def _join_singles(series: dict[tuple[str, ...], list[Slice]]) -> dict[tuple[str, ...], list[Slice]]:
    """Some software writes a series UID for every slice: single CT slices of one study, folder, frame of reference and
    series number are one series, which is judged as any other."""
    joined: dict[tuple[str, ...], list[Slice]] = {}
    for key, slices in series.items():
        header = slices[0].header
        frame = text_of(header, "FrameOfReferenceUID")
        if len(slices) == 1 and frame and modality_of(header) == "CT":
            words = [text_of(header, keyword) for keyword in ("StudyInstanceUID", "SeriesNumber", "PatientID")]
            key = ("single", frame, slices[0].folder, *words)
        joined.setdefault(key, []).extend(slices)
    return joined


def origin_of_refused(slices: Sequence[Slice]) -> Origin:
    """The stored facts of a refused series; its hash is over the bytes of its files."""
    digests = sorted(_digest(path) for path in {item.path for item in slices})
    digest = hashlib.sha256(b"refused" + b"".join(digests)).hexdigest()
    with _quiet():
        return origin_of(slices, modality_of(slices[0].header), digest)


@contextmanager
def _quiet() -> Iterator[None]:
    # pydicom warns of every odd value; relevant ones are checked explicitly.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _drop_copies(slices: Sequence[Slice]) -> list[Slice]:
    """Drop identical files; different files with one UID are kept and refused later."""
    kept: dict[tuple[str, int, tuple[int, int] | None], list[tuple[Slice, bytes | None]]] = {}
    result: list[Slice] = []
    digest_of = cache(_digest)  # an enhanced file is asked for once a frame
    for item in slices:
        name = (text_of(item.header, "SOPInstanceUID"), item.pixel_bytes, item.frame)
        if not name[0]:
            result.append(item)
            continue
        twins = kept.setdefault(name, [])
        if twins:
            digest = digest_of(item.path)
            if digest in [known or digest_of(twin.path) for twin, known in twins]:
                continue
            twins.append((item, digest))
        else:
            twins.append((item, None))
        result.append(item)
    return result


def _digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


def _stack(slices: Sequence[Slice]) -> tuple[list[Slice], Geometry]:
    columns = []
    for keyword, count, code, words in (
        ("ImagePositionPatient", 3, "no_position", "image position"),
        ("ImageOrientationPatient", 6, "no_orientation", "image orientation"),
        ("PixelSpacing", 2, "no_spacing", "pixel spacing"),
    ):
        values = [numbers_of(item.header, keyword, count) for item in slices]
        missing = sum(value is None for value in values)
        if missing:
            raise Invalid(f"{missing} of {len(slices)} slices have no {words}.", code=code)
        columns.append(np.array(values))
    positions, orientations, spacings = columns
    if spacings.min() <= 0 or spacings.max() > 100:
        raise Invalid("The pixel spacing is not possible.", code="no_spacing")
    first = slices[0].header
    tilt = numbers_of(first, "GantryDetectorTilt", 1)
    shape = (int(first.Rows), int(first.Columns))
    tilt_degrees = float(tilt[0]) if tilt is not None else 0
    # Along the normal only: the other axes may be written finer.
    normal = unit_axes(orientations[0])[2]
    step = float(np.linalg.norm(normal * steps_of([item.header for item in slices], "ImagePositionPatient", 3)))
    order, geometry = stack_slices(positions, orientations, spacings, shape, tilt_degrees, step)
    return [slices[number] for number in order], geometry


def _decode(ordered: Sequence[Slice], geometry: Geometry, limits: Limits, tell: Tell) -> npt.NDArray[np.int16]:
    """HU of every slice. Codecs release the GIL, so threads decode in parallel."""
    hu_zyx = np.empty(geometry.shape_zyx, np.int16)
    # A file of many frames is read once, before the threads begin.
    of_many = {path: read_pixels(path, limits) for path in {item.path for item in ordered if item.frame}}

    def decode(k: int) -> None:
        item = ordered[k]
        pixels = of_many[item.path] if item.frame else read_pixels(item.path, limits)
        stored = decode_stored(pixels, item.header, item.transfer_syntax, item.frame or (0, 1))
        hu_zyx[k] = to_hu(stored, item.header)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, _ in enumerate(pool.map(decode, range(len(ordered))), start=1):
            tell(done / len(ordered))
    return hu_zyx


def to_hu(stored: npt.NDArray[np.int32], header: Dataset) -> npt.NDArray[np.int16]:
    """HU by rescale slope and intercept (PS3.3 C.11.1), rounded, as int16; declared padding becomes −1024.

    Raises Invalid (`no_rescale`): values without a scale are not HU."""
    slope, intercept = numbers_of(header, "RescaleSlope", 1), numbers_of(header, "RescaleIntercept", 1)
    if slope is None or intercept is None or slope[0] <= 0:
        raise Invalid(
            "A slice does not say how to convert its values to HU (rescale slope and intercept).", code="no_rescale"
        )
    if slope[0] == 1 and float(intercept[0]).is_integer():
        hu = stored + np.int32(np.clip(intercept[0], -(1 << 24), 1 << 24))
    else:
        hu = np.rint(np.clip(stored * slope[0] + intercept[0], -(1 << 24), 1 << 24)).astype(np.int32)
    if header.get("PixelPaddingValue") is not None:
        first = padding_value(header, "PixelPaddingValue")
        last = padding_value(header, "PixelPaddingRangeLimit")
        if first is not None:
            low, high = sorted((first, first if last is None else last))
            hu[(stored >= low) & (stored <= high)] = PADDING_HU
    clipped: npt.NDArray[np.int16] = np.clip(hu, LOWEST_HU, HIGHEST_HU).astype(np.int16)
    return clipped


def padding_value(header: Dataset, keyword: str) -> int | None:
    """The padding value as a stored value: some scanners write it unsigned although their pixels are signed."""
    number = numbers_of(header, keyword, 1)
    if number is None:
        return None
    value = int(number[0])
    if header.get("PixelRepresentation") == 1 and value > 0x7FFF:
        value -= 0x10000
    return value
