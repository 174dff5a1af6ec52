"""The child process that reads one mask file: `python -m annotation.masks.foreign.read FOLDER`, without Django.

Takes a `ReadRequest`, writes `FOLDER/layer.<n>` (mask messages with the numbers of labels) and returns a `ReadResult`.
Files come from outside: the process is limited in memory, time and size."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from annotation.intake.limits import Limits
from annotation.masks.foreign.dicom_seg import read_dicom_seg
from annotation.masks.foreign.found import ForeignMask
from annotation.masks.foreign.raster import read_itk, read_nifti
from annotation.masks.foreign.request import ASK, NUMBERS, ReadRequest, ReadResult
from annotation.masks.foreign.rtstruct import is_structure_set, read_rtstruct
from voxloop.child.inside import ChildFolder, run_inside
from voxloop.kernel.errors import Invalid, Refusal
from voxloop.volume.geometry import Geometry
from voxloop.volume.labelmap import encode_message, split_labelmap


def read_foreign(
    path: Path,
    grid: Geometry,
    scratch: Path,
    limits: Limits | None = None,
    *,
    may_resample: bool = False,
    threshold: float | None = None,
) -> ForeignMask:
    """A mask file of any known format on the scan's grid; the name's end tells the format. Raises Invalid, TooLarge."""
    limits, name = limits or Limits(), path.name.lower()
    if threshold is not None and not 0 < threshold <= 1:
        raise Invalid("The threshold is a share above 0 and at most 1.", code="bad_threshold")
    if name.endswith((".nii", ".nii.gz")):
        return read_nifti(path, grid, scratch, limits, may_resample=may_resample)
    if name.endswith((".nrrd", ".mha")):
        return read_itk(path, grid, limits, may_resample=may_resample)
    if name.endswith(".dcm"):
        if is_structure_set(path):
            return read_rtstruct(path, grid)
        return read_dicom_seg(path, grid, limits, threshold=threshold)
    raise Invalid(ASK, code="unknown_file")


def read(request: ReadRequest, job: ChildFolder) -> ReadResult:
    """Read the file and write its layers."""
    try:
        fields: dict[str, Any] = {n: getattr(request, n) for n in ("shape_zyx", "spacing_mm_zyx", "lps_from_ijk")}
        found = read_foreign(
            Path(request.path),
            Geometry.from_json(fields),
            job.folder,
            request.limits,
            may_resample=request.may_resample,
            threshold=request.threshold,
        )
    except Refusal as refusal:
        return ReadResult(code=refusal.code, sentence=refusal.detail)
    for n, layer in enumerate(found.layers):
        job.path(f"layer.{n}").write_bytes(encode_message(NUMBERS, layer.shape, split_labelmap(layer)))
    return ReadResult(found.format, found.software, tuple(found.labels), len(found.layers), found.is_resampled)


if __name__ == "__main__":
    sys.exit(run_inside(ReadRequest, read))
