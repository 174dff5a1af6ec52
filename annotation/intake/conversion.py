"""Request and result of the converting process."""

from __future__ import annotations

from annotation.intake.limits import Limits
from annotation.intake.volumes import Origin
from voxloop.child import Document

SET_ASIDE = "set_aside"  # code of files that are part of no volume, beside a series that was judged


class ConvertRequest(Document, frozen=True):
    """A folder, a zip or one file to convert, with an optional mask for a single NIfTI."""

    source: str  # absolute path
    mask: str | None
    limits: Limits


class Accepted(Document, frozen=True):
    """A series that was converted; `folder` (relative) holds index.json, pack, preview, and limit and labels if any."""

    folder: str
    series: Origin
    labels: bool


class Refused(Document, frozen=True):
    """A refused series; `series` is None for the whole upload, or a series that names a patient. `folder` and `file`
    (the first of its `files`) are named as sent (`annotation.intake.naming`), `number` is the Series Number."""

    code: str
    reason: str
    files: int
    series: Origin | None
    folder: str = ""
    file: str = ""
    number: int | None = None


class ConvertResult(Document, frozen=True):
    """The outcome for everything that was found."""

    accepted: tuple[Accepted, ...]
    refused: tuple[Refused, ...]
    not_dicom: int
    unreadable: int
