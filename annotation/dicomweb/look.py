"""The child process that looks at files sent by STOW-RS: who they say they are, and whether they may come in at all.

The import screens them again, series by series; this only lets the answer name each instance."""

from __future__ import annotations

import sys
from pathlib import Path

from annotation.dicomweb.request import Looked, LookRequest, LookResult
from annotation.intake.dicom.headers import uid_of
from annotation.intake.dicom.read import is_directory, read_slice
from annotation.intake.dicom.screen import check_identities
from annotation.intake.limits import Limits
from voxloop.child.inside import ChildFolder, run_inside
from voxloop.kernel.errors import Invalid, Refusal


def look(request: LookRequest, job: ChildFolder) -> LookResult:
    """Look at every file, in the order of the request."""
    return LookResult(tuple(_look_at(Path(path)) for path in request.paths))


def _look_at(path: Path) -> Looked:
    told = Looked(path.name)
    try:
        item = read_slice(path, "", Limits())
        told = Looked(
            path.name,
            uid_of(item.header, "SOPClassUID"),
            uid_of(item.header, "SOPInstanceUID"),
            uid_of(item.header, "StudyInstanceUID"),
            uid_of(item.header, "SeriesInstanceUID"),
        )
        if is_directory(item) or not told.uid or not told.class_uid:
            raise Invalid("A file is no DICOM instance with a UID.", code="no_instance")
        check_identities([item])
    except Refusal as refusal:
        return told.refuse(refusal.code, refusal.detail)
    return told


if __name__ == "__main__":
    sys.exit(run_inside(LookRequest, look))
