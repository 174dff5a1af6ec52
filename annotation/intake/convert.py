"""The child process of an import: `python -m annotation.intake.convert FOLDER`, without Django, database or keys.

Takes a `ConvertRequest`, writes `FOLDER/out/<n>/{index.json, pack, preview, limit, labels}` for each accepted series,
and returns a `ConvertResult` (annotation.intake.conversion)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from annotation.intake.conversion import SET_ASIDE, Accepted, ConvertRequest, ConvertResult, Refused
from annotation.intake.dicom.divide import Aside
from annotation.intake.dicom.headers import modality_of, numbers_of
from annotation.intake.dicom.identity import IDENTIFIED_CODES
from annotation.intake.dicom.read import Slice
from annotation.intake.dicom.volume import divide_series, find_series, origin_of_refused, read_series
from annotation.intake.limits import Limits
from annotation.intake.naming import Sent, name_sent
from annotation.intake.nifti import is_nifti, read_mask, read_nifti
from annotation.intake.pictures import is_table, list_pictures, read_picture
from annotation.intake.sources import SourceFile, list_files
from annotation.intake.volumes import FoundVolume
from voxloop.child.inside import ChildFolder, run_inside
from voxloop.kernel.errors import Invalid, Refusal
from voxloop.volume.labelmap import encode_message, split_labelmap
from voxloop.volume.labelmap.chunks import Labels
from voxloop.volume.pack import pack_volume

MASK_LAYER = "import"
WHOLE = 100  # steps of progress
LARGEST_NUMBER = 100_000  # a longer Series Number may be a patient's or a date
TO_SEND = "Send a zip of DICOM series or NIfTI files, or one NIfTI file."


@dataclass
class Conversion:
    """The outcome so far, the output folder and the progress reporter."""

    job: ChildFolder
    accepted: list[Accepted] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    aside: list[Refused] = field(default_factory=list)
    not_dicom: int = 0
    unreadable: int = 0
    sent: dict[Path, Sent] = field(default_factory=dict)

    def refuse(self, refusal: Refusal) -> None:
        """Record the refusal of the whole upload."""
        self.refused.append(Refused(refusal.code, refusal.detail, 0, None))

    def refuse_series(self, refusal: Refusal, slices: Sequence[Slice]) -> None:
        """Record the refusal of one series. Of one that names a patient only where it is."""
        told = None if refusal.code in IDENTIFIED_CODES else origin_of_refused(slices)
        first = min((self.sent[item.path] for item in slices), key=lambda sent: sent.turn)
        number = numbers_of(slices[0].header, "SeriesNumber", 1)
        shown = int(number[0]) if number is not None and abs(number[0]) < LARGEST_NUMBER else None
        self.refused.append(Refused(refusal.code, refusal.detail, len(slices), told, first.folder, first.file, shown))

    def set_aside(self, aside: Aside) -> None:
        """Name files that are no part of their series' volume."""
        first = min((self.sent[item.path] for item in aside.slices), key=lambda sent: sent.turn)
        count = len(aside.slices)
        files = "file is" if count == 1 else "files are"
        told = f"{count} {files} {aside.what}: set aside, the rest of the series is judged."
        self.aside.append(Refused(SET_ASIDE, told, count, None, first.folder, first.file, None))

    def tell(self, progress: float, sentence: str) -> None:
        """Report progress in per cent of the whole."""
        self.job.report(round(progress), WHOLE, sentence)

    def stage(self, start: float, width: float, sentence: str) -> Callable[[float], None]:
        """A progress callback for a share of the whole; reports whole per cents only."""
        last = -1

        def report(share: float) -> None:
            nonlocal last
            percent = round(start + width * share)
            if percent != last:
                last = percent
                self.tell(min(99, percent), sentence)

        return report


def convert(request: ConvertRequest, job: ChildFolder) -> ConvertResult:
    """Find, screen and convert. A refused series does not stop the others."""
    source, limits = Path(request.source), request.limits
    mask = Path(request.mask) if request.mask else None
    conversion = Conversion(job)
    scratch = job.fresh("scratch")
    try:
        if source.is_file() and is_nifti(source):
            _convert_nifti(source, mask, scratch, limits, conversion)
        else:
            _convert_files(source, scratch, limits, conversion)
    except Refusal as refusal:
        conversion.refuse(refusal)
    if not conversion.accepted and not conversion.refused:
        files = conversion.not_dicom + conversion.unreadable
        reason = nothing_found(files, conversion.unreadable)
        conversion.refused.append(Refused("nothing_found", reason, files, None))
    return ConvertResult(
        tuple(conversion.accepted),
        (*conversion.refused, *conversion.aside),
        conversion.not_dicom,
        conversion.unreadable,
    )


def nothing_found(files: int, damaged: int) -> str:
    """Why nothing was found; `damaged` of the `files` files were damaged."""
    if files == 0:
        return f"There is no file in it. {TO_SEND}"
    if files == 1:
        return f"The one file in it is {'damaged' if damaged else 'not a DICOM image'}. {TO_SEND}"
    told = f", {damaged} of them damaged" if damaged else ""
    return f"None of the {files} files in it is a readable DICOM image{told}. {TO_SEND}"


def _convert_files(source: Path, scratch: Path, limits: Limits, conversion: Conversion) -> None:
    conversion.tell(0, "Reading the files")
    files = list_files(source, scratch, limits)
    conversion.sent = name_sent(files)
    images = [file for file in files if is_nifti(Path(file.name))]
    share = len(images) / max(1, len(files))  # of the progress
    for number, file in enumerate(images):
        name = f"NIfTI {number + 1} of {len(images)}"
        tell = conversion.stage(100 * share * number / len(images), 100 * share / len(images), name)
        _convert_one_nifti(file, scratch, limits, conversion, tell)
    tables = [file for file in files if is_table(file)]
    read = {file.path for table in tables for file in _convert_pictures(table, files, limits, conversion)}
    others = [file for file in files if not is_nifti(Path(file.name)) and file.path not in read]
    _convert_dicom(others, 100 * share, limits, conversion)


def _convert_one_nifti(
    file: SourceFile, scratch: Path, limits: Limits, conversion: Conversion, tell: Callable[[float], None]
) -> None:
    """One NIfTI volume of a folder or zip. A refusal names it, and does not stop the others."""
    path, plain = scratch / "one.nii", scratch / "volume.nii"
    try:
        path.symlink_to(file.path)  # unpacked files have numbers for names
        _write(read_nifti(path, scratch, limits), None, conversion, tell)
    except Refusal as refusal:
        sent = conversion.sent[file.path]
        conversion.refused.append(Refused(refusal.code, refusal.detail, 1, None, sent.folder, sent.file))
    finally:
        path.unlink(missing_ok=True)
        plain.unlink(missing_ok=True)


def _convert_pictures(
    table: SourceFile, files: list[SourceFile], limits: Limits, conversion: Conversion
) -> list[SourceFile]:
    """The X-rays of a table; returns the files that belong to it. A refusal names its line, and stops no other."""
    used = [table]
    try:
        listed = list_pictures(table, files)
    except Refusal as refusal:
        conversion.refused.append(Refused(refusal.code, refusal.detail, 1, None, conversion.sent[table.path].folder))
        return used
    for number, one in enumerate(listed, start=1):
        conversion.tell(0, f"Picture {number} of {len(listed)}")
        try:
            _write(read_picture(one, limits), None, conversion, lambda share: None)
        except Refusal as refusal:
            sent = conversion.sent[(one.file or table).path]
            conversion.refused.append(Refused(refusal.code, refusal.detail, 1, None, sent.folder, sent.file))
        if one.file is not None:
            used.append(one.file)
    return used


def _convert_dicom(files: list[SourceFile], begin: float, limits: Limits, conversion: Conversion) -> None:
    """Every DICOM series among the files; `begin` is the progress so far, in per cent."""
    rest = (100 - begin) / 100
    finds = find_series(files, limits, conversion.stage(begin, 15 * rest, "Reading headers"))
    conversion.not_dicom, conversion.unreadable = finds.not_dicom, finds.unreadable
    volumes: list[tuple[list[Slice], bool]] = []
    for slices in finds.series.values():
        try:
            division = divide_series(slices, limits)
        except Refusal as refusal:
            conversion.refuse_series(refusal, slices)
            continue
        for aside in division.aside:
            conversion.set_aside(aside)
        many = len(division.volumes) > 1 and modality_of(slices[0].header) != "CT"  # X-rays: none is the main one
        volumes += [(volume, n == 0 and not many) for n, volume in enumerate(division.volumes)]
    for number, (slices, is_whole) in enumerate(volumes, start=1):
        start, width = begin + rest * (15 + 85 * (number - 1) / len(volumes)), rest * 85 / len(volumes)
        name = f"Series {number} of {len(volumes)}"
        try:
            tell = conversion.stage(start, 0.35 * width, f"{name}: decoding")
            volume = read_series(slices, limits, tell, is_whole=is_whole)
            _write(volume, None, conversion, conversion.stage(start + 0.35 * width, 0.65 * width, f"{name}: packing"))
            del volume
        except Refusal as refusal:
            conversion.refuse_series(refusal, slices)
        except MemoryError:
            too_much = Invalid("The series needs more memory than an import may take.", code="too_much_memory")
            conversion.refuse_series(too_much, slices)


def _convert_nifti(source: Path, mask: Path | None, scratch: Path, limits: Limits, conversion: Conversion) -> None:
    conversion.tell(0, "Reading the NIfTI file")
    volume = read_nifti(source, scratch, limits)
    labels = read_mask(mask, volume.geometry, scratch, limits) if mask else None
    _write(volume, labels, conversion, conversion.stage(35, 65, "Packing"))


def _write(
    volume: FoundVolume, labels_zyx: Labels | None, conversion: Conversion, on_progress: Callable[[float], None]
) -> None:
    packed = pack_volume(volume.voxels_zyx, volume.geometry, volume.origin.modality, on_progress=on_progress)
    name = f"out/{len(conversion.accepted) + 1}"
    folder = conversion.job.fresh(name)
    parts: dict[str, bytes | None] = {
        "pack": packed.pack,
        "preview": packed.preview,
        "limit": packed.limit,
        "labels": None,
    }
    if labels_zyx is not None:
        parts["labels"] = encode_message(MASK_LAYER, volume.geometry.shape_zyx, split_labelmap(labels_zyx))
    for part, data in parts.items():
        if data is not None:
            (folder / part).write_bytes(data)
    (folder / "index.json").write_text(json.dumps(packed.index.to_json()), encoding="utf-8")
    conversion.accepted.append(Accepted(name, volume.origin, labels_zyx is not None))


if __name__ == "__main__":
    sys.exit(run_inside(ConvertRequest, convert))
