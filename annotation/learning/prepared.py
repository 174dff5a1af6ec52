"""Prepared scans that a machine keeps from one training to the next: how much, and of which scans."""

import os
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.conf import settings

from annotation.scans.models import Scan
from annotation.scans.states import ScanState

SCAN = "scan"  # the file of an entry that names its scan (`mlservice.prepared`)


@dataclass(frozen=True)
class Entry:
    """One prepared scan on this machine."""

    path: Path
    scan: str
    bytes: int
    used_at: float


def prepared_folder() -> str:
    """Where trainings keep prepared scans; "" when they do not."""
    return str(Path(settings.WORK_DIR) / "prepared") if settings.PREPARED_BYTES else ""


def forget_prepared(scans: Collection[UUID]) -> int:
    """Delete what this machine keeps of these scans; returns how many entries."""
    wanted = {str(scan) for scan in scans}
    gone = [entry for entry in _entries() if entry.scan in wanted]
    for entry in gone:
        shutil.rmtree(entry.path, ignore_errors=True)
    return len(gone)


def trim_prepared() -> int:
    """Delete entries of scans that may not be used any more, and the least recently used beyond the limit; returns how
    many. Every machine does so for itself, when it sweeps its scratch."""
    entries = sorted(_entries(), key=lambda entry: -entry.used_at)
    named = [UUID(entry.scan) for entry in entries if entry.scan]
    ready = {str(pk) for pk in Scan.objects.filter(pk__in=named, state=ScanState.READY).values_list("pk", flat=True)}
    held, gone = 0, 0
    for entry in entries:
        held += entry.bytes if entry.scan in ready else 0
        if entry.scan not in ready or held > settings.PREPARED_BYTES:
            shutil.rmtree(entry.path, ignore_errors=True)
            gone += 1
    return gone


def _entries() -> list[Entry]:
    """What is kept; a half-written entry of a killed training has no scan."""
    found = []
    folder = Path(settings.WORK_DIR) / "prepared"
    for path in folder.iterdir() if folder.is_dir() else ():
        try:
            size = sum(file.stat().st_size for file in path.iterdir())
            scan = (path / SCAN).read_text("utf-8") if not path.name.startswith(".") else ""
            found.append(Entry(path, scan, size, os.stat(path).st_mtime))
        except OSError:
            found.append(Entry(path, "", 0, 0.0))
    return found
