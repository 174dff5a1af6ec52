"""Free disk space; refuses space-hungry work early, to keep the rest for saves."""

import time
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from voxloop.kernel.errors import NoSpace
from voxloop.kernel.room import MB, Room, rooms

KEPT_SECONDS = 1.0

_found: tuple[float, list[Room]] | None = None


def watched_folders() -> list[tuple[str, Path]]:
    """The folders of this machine whose disks are watched, by what they hold."""
    folders = [("working files", Path(settings.STATE_DIR))]
    if settings.DATABASE_FOLDER:
        folders.insert(0, ("database", Path(settings.DATABASE_FOLDER)))
    storage = urlsplit(settings.STORAGE_URL)
    if storage.scheme == "file":
        folders.append(("stored objects", Path(storage.path)))
    return folders


def disks() -> list[Room]:
    """The watched file systems, the fullest first; cached for a second."""
    global _found
    if _found is None or time.monotonic() - _found[0] > KEPT_SECONDS:
        _found = (time.monotonic(), rooms(watched_folders()))
    return _found[1]


def require_room() -> None:
    """Raise NoSpace for imports, trainings and exports when the remaining space is reserved for saves."""
    if disk := next((disk for disk in disks() if disk.is_kept), None):
        raise NoSpace(
            f"Only {disk.free_bytes // MB} MB are left for {disk.name}, and they are kept for saves; "
            "free some space and try again."
        )
