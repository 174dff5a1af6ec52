"""The child process of an import: `python -m annotation.intake.convert FOLDER`, without Django, database or keys.

Reads `FOLDER/request.json` `{source, mask, limits, memory_bytes, cpu_s}`, writes `FOLDER/out/<n>/{index.json, pack,
preview, limit, labels}` for each accepted series and last, in one step, `FOLDER/report.json` `{accepted: [{folder,
series, labels}], refused: [{code, reason, files, series}], not_dicom, unreadable}`. Each line on stdout is a JSON
object `{progress, message}`.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from annotation.intake.dicom.identity import IDENTIFIED_CODES
from annotation.intake.dicom.volume import find_series, origin_of_refused, read_series
from annotation.intake.limits import Limits
from annotation.intake.nifti import is_nifti, read_mask, read_nifti
from annotation.intake.sources import list_files
from annotation.intake.volumes import FoundVolume
from voxloop.kernel.errors import Invalid, Refusal
from voxloop.volume.labelmap import encode_message, split_labelmap
from voxloop.volume.labelmap.chunks import Labels
from voxloop.volume.pack import pack_volume

MOST_OPEN_FILES = 256
PR_SET_PDEATHSIG = 1
FILE_BYTES_PER_VOXEL = 8
MASK_LAYER = "import"


def limit_resources(memory_bytes: int, cpu_s: int, file_bytes: int) -> None:
    """Bound memory, CPU time, size of a file and open files of this process, for good."""
    for kind, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_NOFILE, MOST_OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))


def die_with_parent() -> None:
    """Let Linux kill this process when the worker that started it is killed: nobody would read its result."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def tell(progress: float, message: str) -> None:
    """One line for the parent."""
    print(json.dumps({"progress": round(progress), "message": message}), flush=True)  # noqa: T201 - it is the protocol


@dataclass
class Report:
    """What became of everything that was found."""

    accepted: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    not_dicom: int = 0
    unreadable: int = 0

    def refuse(self, refusal: Refusal, files: int, series: dict[str, Any] | None) -> None:
        """Note a refusal of one series, or (`series` None) of the whole. Of a series that names a patient: no more."""
        if refusal.code in IDENTIFIED_CODES:
            series = None
        self.refused.append({"code": refusal.code, "reason": refusal.detail, "files": files, "series": series})


def main(folder: Path) -> None:
    """Run one request. Refusals are part of the report; anything else ends the process with a trace."""
    die_with_parent()
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    limits = Limits.from_json(request["limits"])
    file_bytes = max(limits.most_file_bytes, limits.most_voxels * FILE_BYTES_PER_VOXEL)
    limit_resources(int(request["memory_bytes"]), int(request["cpu_s"]), file_bytes)
    report = run(Path(request["source"]), request["mask"] and Path(request["mask"]), folder, limits)
    text = json.dumps(report.__dict__, ensure_ascii=False)
    partial = folder / ".report.json"
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, folder / "report.json")


def run(source: Path, mask: Path | None, folder: Path, limits: Limits) -> Report:
    """Find, screen, convert; a series that is refused never stops the others."""
    report = Report()
    scratch = folder / "scratch"
    scratch.mkdir()
    try:
        if source.is_file() and is_nifti(source):
            _run_nifti(source, mask, folder, scratch, limits, report)
        else:
            _run_dicom(source, folder, scratch, limits, report)
    except Refusal as refusal:
        report.refuse(refusal, 0, None)
    if not report.accepted and not report.refused:
        files = report.not_dicom + report.unreadable
        damaged = f", {report.unreadable} of them damaged" if report.unreadable else ""
        report.refused.append(
            {
                "code": "nothing_found",
                "files": files,
                "series": None,
                "reason": f"None of the {files} files is a readable DICOM image{damaged}.",
            }
        )
    return report


def _run_dicom(source: Path, folder: Path, scratch: Path, limits: Limits, report: Report) -> None:
    tell(0, "Reading the files")
    files = list_files(source, scratch, limits)
    finds = find_series(files, limits, _stage(0, 15, "Reading headers"))
    report.not_dicom, report.unreadable = finds.not_dicom, finds.unreadable
    count = len(finds.series)
    for number, slices in enumerate(finds.series.values(), start=1):
        start, width = 15 + 85 * (number - 1) / count, 85 / count
        name = f"Series {number} of {count}"
        try:
            volume = read_series(slices, limits, _stage(start, 0.35 * width, f"{name}: decoding"))
            _write(volume, None, folder, report, _stage(start + 0.35 * width, 0.65 * width, f"{name}: packing"))
            del volume
        except Refusal as refusal:
            report.refuse(refusal, len(slices), origin_of_refused(slices).to_json())
        except MemoryError:
            too_much = Invalid("The series needs more memory than an import may take.", code="too_much_memory")
            report.refuse(too_much, len(slices), origin_of_refused(slices).to_json())


def _run_nifti(source: Path, mask: Path | None, folder: Path, scratch: Path, limits: Limits, report: Report) -> None:
    tell(0, "Reading the NIfTI file")
    volume = read_nifti(source, scratch, limits)
    labels = read_mask(mask, volume.geometry, scratch, limits) if mask else None
    _write(volume, labels, folder, report, _stage(35, 65, "Packing"))


def _write(
    volume: FoundVolume, labels_zyx: Labels | None, folder: Path, report: Report, on_progress: Callable[[float], None]
) -> None:
    packed = pack_volume(volume.voxels_zyx, volume.geometry, volume.origin.modality, on_progress=on_progress)
    name = f"out/{len(report.accepted) + 1}"
    place = folder / name
    place.mkdir(parents=True)
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
            (place / part).write_bytes(data)
    (place / "index.json").write_text(json.dumps(packed.index.to_json()), encoding="utf-8")
    report.accepted.append({"folder": name, "series": volume.origin.to_json(), "labels": labels_zyx is not None})


def _stage(start: float, width: float, message: str) -> Callable[[float], None]:
    """A progress callback for a share of the whole; tells whole percents only."""
    last = -1

    def report(share: float) -> None:
        nonlocal last
        percent = round(start + width * share)
        if percent != last:
            last = percent
            tell(min(99, percent), message)

    return report


if __name__ == "__main__":
    main(Path(sys.argv[1]))
