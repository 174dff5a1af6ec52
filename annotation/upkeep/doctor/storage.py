"""Storage: the object store, disks, shared memory, the clock of the file system."""

import os
import secrets
import shutil
import tempfile
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.conf import settings

from annotation.upkeep.doctor.result import CheckResult, fails, judged, ok, warns
from voxloop.storage.store import open_store

GB = 1_000_000_000
LITTLE_BYTES, TOO_LITTLE_BYTES = 20 * GB, 2 * GB
LEAST_SHARED_BYTES = 64_000_000
APART_S, TOO_FAR_APART_S = 2.0, 10.0


def check_storage() -> CheckResult:
    """An object is written, read, read in part, and deleted."""
    store = open_store(settings.STORAGE_URL)
    sent = secrets.token_bytes(100_000)
    start = time.monotonic()
    try:
        key = store.put("doctor", sent)
        try:
            is_whole, part, size = store.get(key) == sent, store.get(key, 10, 20), store.size(key)
        finally:
            store.delete(key)
    except Exception as error:  # disks and buckets raise different exceptions
        return fails(
            "storage",
            f"An object could not be written, read and deleted ({type(error).__name__}).",
            "Look at VOXLOOP_STORAGE, at the permissions of the folder or bucket, and at its free space.",
        )
    if not is_whole or part != sent[10:20] or size != len(sent):
        return fails(
            "storage",
            "What was read back is not what was written.",
            "Stop the installation and look at the store's own log: what it holds may be damaged.",
        )
    return ok("storage", f"An object was written, read, read in part and deleted in {time.monotonic() - start:.1f} s.")


def check_disks() -> CheckResult:
    """The state folder, the objects and the scratch of jobs have room."""
    rooms = {str(folder): shutil.disk_usage(folder).free for folder in _folders()}
    if not rooms:
        return fails("disk", "The state folder is not there.", "Make it, or set VOXLOOP_STATE to where it is.")
    folder, free = min(rooms.items(), key=lambda room: room[1])
    sentence = f"{free / GB:.1f} GB are free on the fullest disk ({folder})."
    todo = "Free space or enlarge the disk: when it is full, saves are refused."
    if free < TOO_LITTLE_BYTES:
        return fails("disk", sentence, todo)
    return warns("disk", sentence, todo) if free < LITTLE_BYTES else ok("disk", sentence)


def check_file_clock() -> CheckResult:
    """File times agree with this machine's clock: scratch is swept by age."""
    with tempfile.NamedTemporaryFile(dir=_existing(Path(settings.STATE_DIR))) as file:
        file.write(b"x")
        file.flush()
        apart = abs(os.fstat(file.fileno()).st_mtime - time.time())
    return judged(
        "file clock",
        apart,
        (APART_S, TOO_FAR_APART_S),
        f"Files are stamped {apart:.1f} s from this machine's time.",
        "Let the file server take its time from the same source as this machine.",
    )


def check_shared_memory(folder: Path = Path("/dev/shm")) -> CheckResult:  # noqa: S108 - the thing itself
    """Trainings pass arrays between processes through it."""
    todo = "Give the container more (--shm-size=1g), or mount a tmpfs there."
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        return warns("shared memory", f"{folder} is not there or cannot be written to.", todo)
    free = shutil.disk_usage(folder).free
    sentence = f"{free / 1_000_000:.0f} MB are free in {folder}."
    return ok("shared memory", sentence) if free >= LEAST_SHARED_BYTES else warns("shared memory", sentence, todo)


def _folders() -> list[Path]:
    folders = [Path(settings.STATE_DIR), Path(settings.WORK_DIR), Path(settings.EXPORT_ROOT)]
    storage = urlsplit(settings.STORAGE_URL)
    if storage.scheme == "file":
        folders.append(Path(unquote(storage.path)))
    return [folder for folder in folders if folder.exists()]


def _existing(folder: Path) -> Path:
    return next(one for one in (folder, *folder.parents) if one.exists())
