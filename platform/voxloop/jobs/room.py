"""The room that is left, where the product writes; what needs much is refused before saves need the rest."""

import time
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from voxloop.kernel.errors import NoSpace
from voxloop.kernel.room import MB, Room, rooms

KEPT_SECONDS = 1.0

_found: tuple[float, list[Room]] | None = None


def watched_places() -> list[tuple[str, Path]]:
    """The folders of this machine that must not run full, by what lies in them."""
    places = [("working files", Path(settings.STATE_DIR))]
    if settings.DATABASE_FOLDER:
        places.insert(0, ("database", Path(settings.DATABASE_FOLDER)))
    storage = urlsplit(settings.STORAGE_URL)
    if storage.scheme == "file":
        places.append(("stored objects", Path(storage.path)))
    return places


def disks() -> list[Room]:
    """The file systems that are watched, the fullest first; looked at once a second at most."""
    global _found
    if _found is None or time.monotonic() - _found[0] > KEPT_SECONDS:
        _found = (time.monotonic(), rooms(watched_places()))
    return _found[1]


def require_room() -> None:
    """Raise NoSpace when what is left is kept for saves: for imports, trainings and exports."""
    if disk := next((disk for disk in disks() if disk.is_kept), None):
        raise NoSpace(
            f"Only {disk.free_bytes // MB} MB are left for {disk.name}, and they are kept for saves; "
            "free some space and try again."
        )
