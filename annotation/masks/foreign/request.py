"""Request and result of the process that reads a mask file. Web processes import this, and no library of images."""

from __future__ import annotations

from annotation.intake.limits import Limits
from annotation.masks.foreign.found import ForeignLabel
from voxloop.child import Document

SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".mha", ".dcm")
ASK = "Send one mask file: .nii.gz, .nii, .nrrd, .seg.nrrd, .mha, or .dcm (DICOM SEG or RTSTRUCT)."
NUMBERS = "numbers"


class ReadRequest(Document, frozen=True):
    """A mask file and the grid of its scan. `threshold`: of a fractional segmentation; None: none was asked for."""

    path: str
    shape_zyx: list[int]
    spacing_mm_zyx: list[float]
    lps_from_ijk: list[list[float]]
    limits: Limits
    may_resample: bool = False
    threshold: float | None = None


class ReadResult(Document, frozen=True):
    """What was found, or the refusal (`code`, `sentence`)."""

    format: str = ""
    software: str = ""
    labels: tuple[ForeignLabel, ...] = ()
    layers: int = 0
    is_resampled: bool = False
    code: str = ""
    sentence: str = ""
