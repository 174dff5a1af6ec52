"""Room on the disks that the product writes to. Standard library only."""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MB = 1 << 20
# Free MB below which: a warning is shown; imports, trainings and exports are refused; every save is refused, so that
# the database can still run, restart and delete.
LOW_BYTES = int(os.environ.get("VOXLOOP_LOW_DISK_MB", "1024")) * MB
KEPT_BYTES = int(os.environ.get("VOXLOOP_KEPT_DISK_MB", "256")) * MB
LAST_BYTES = int(os.environ.get("VOXLOOP_LAST_DISK_MB", "64")) * MB


@dataclass(frozen=True)
class Room:
    """One file system; `name` says which of our data lies on it."""

    name: str
    free_bytes: int
    total_bytes: int

    @property
    def free_mb(self) -> int:
        """Free room in MB."""
        return self.free_bytes // MB

    @property
    def total_mb(self) -> int:
        """The size of the file system in MB."""
        return self.total_bytes // MB

    @property
    def is_low(self) -> bool:
        """Whether to warn."""
        return self.free_bytes < LOW_BYTES

    @property
    def is_kept(self) -> bool:
        """Whether the rest is reserved for saves."""
        return self.free_bytes < KEPT_BYTES

    @property
    def is_gone(self) -> bool:
        """Whether nothing may be written any more."""
        return self.free_bytes < LAST_BYTES


def rooms(folders: Iterable[tuple[str, Path]]) -> list[Room]:
    """The file systems of these folders, each once, the fullest first. For a missing folder: its parent's."""
    found: dict[int, tuple[list[str], int, int]] = {}
    for name, folder in folders:
        existing = folder
        while not existing.exists() and existing != existing.parent:
            existing = existing.parent
        try:
            device, usage = existing.stat().st_dev, shutil.disk_usage(existing)
        except OSError:
            continue
        found.setdefault(device, ([], usage.free, usage.total))[0].append(name)
    every = [Room(", ".join(names), free, total) for names, free, total in found.values()]
    return sorted(every, key=lambda room: room.free_bytes)
