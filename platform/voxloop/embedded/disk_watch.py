"""Watch free disk space and report once when it runs out."""

import time
from pathlib import Path

from voxloop.embedded.messages import say
from voxloop.kernel.room import MB, rooms


class DiskWatch:
    """Reports each change once: a disk is nearly full, is full, has room again."""

    EVERY_SECONDS = 1.0

    def __init__(self, folders: list[tuple[str, Path]]) -> None:
        self.folders = folders
        self._next = 0.0
        self._said: dict[str, int] = {}

    def look(self) -> bool:
        """Check the disks if a check is due; returns whether it was."""
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + self.EVERY_SECONDS
        for room in rooms(self.folders):
            grade = room.is_low + room.is_kept + room.is_gone
            words = (
                "has room again: everything goes on",
                "fills up",
                "is nearly full: imports, trainings and exports are refused",
                "is full: nothing can be saved until there is room",
            )[grade]
            if grade != self._said.get(room.name, 0):
                say(f"The disk of {room.name} {words} ({room.free_bytes // MB} MB free).")
            self._said[room.name] = grade
        return True
