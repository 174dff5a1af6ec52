"""The child process that reads one sheet: `python -m annotation.intake.clinical.read FOLDER`, without Django."""

from __future__ import annotations

import sys
from pathlib import Path

from annotation.intake.clinical.sheet import Sheet, read_sheet
from voxloop.child import Document
from voxloop.child.inside import ChildFolder, run_inside
from voxloop.kernel.errors import Refusal


class ReadSheet(Document, frozen=True):
    """The absolute path of a sheet."""

    path: str


class SheetRead(Document, frozen=True):
    """What was found, or the refusal (`code`, `sentence`)."""

    sheet: Sheet | None = None
    code: str = ""
    sentence: str = ""


def read(request: ReadSheet, job: ChildFolder) -> SheetRead:
    """Read the sheet."""
    del job  # nothing is written but the result
    try:
        return SheetRead(read_sheet(Path(request.path)))
    except Refusal as refusal:
        return SheetRead(code=refusal.code, sentence=refusal.detail)


if __name__ == "__main__":
    sys.exit(run_inside(ReadSheet, read))
