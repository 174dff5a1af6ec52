"""Uploaded files between the web process that takes them and the worker that imports them: both meet at the store.

They may name a patient (then the import refuses them), so they are no part of what is kept: no shelf names their
prefix, no back-up holds them, and each goes when the last job that wants it has ended.
"""

import shutil
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from voxloop.jobs.models import Job
from voxloop.jobs.scratch import of_process
from voxloop.kernel.clock import now
from voxloop.kernel.errors import FULL, Invalid, NoSpace, NotFound, StorageAway, TooLarge
from voxloop.storage.store import open_store

PREFIX = "uploads"
SUFFIXES = (".zip", ".nii.gz", ".nii")
LASTS = timedelta(hours=6)  # longer than any request from its first byte to its job
SOURCES = {"path", "upload"}  # where a job finds what it imports: a place on the server, or a key of the store


def keep_upload(upload: Any) -> tuple[str, str]:
    """Store an uploaded file; answer its key and what its name ends in.

    Raises Invalid for another kind of file, TooLarge, NoSpace, StorageAway.
    """
    name = Path(str(upload.name)).name.lower()
    suffix = next((suffix for suffix in SUFFIXES if name.endswith(suffix)), None)
    if suffix is None:
        raise Invalid(
            "Send a zip of one or more DICOM series, or one NIfTI file (.nii or .nii.gz).", code="unknown_file"
        )
    if upload.size > settings.MAX_UPLOAD_BYTES:
        raise TooLarge(f"An upload holds at most {settings.MAX_UPLOAD_BYTES >> 20} MiB.")
    folder = of_process(PREFIX)
    try:
        folder.mkdir(parents=True)
        path = folder / f"upload{suffix}"
        with path.open("wb") as handle:
            for block in upload.chunks():
                handle.write(block)
        return open_store(settings.STORAGE_URL).put_file(PREFIX, path), suffix
    except OSError as error:
        if error.errno in FULL:
            raise NoSpace from error
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def discard_upload(job: Job) -> None:
    """Remove the uploaded file of an import job that has ended, however it ended, and forget where it lay.

    A folder on the server may be called after a patient; the job's row is kept for good.
    """
    if job.kind != Job.Kind.IMPORT_SCANS or not SOURCES & job.payload.keys():
        return
    kept = {name: value for name, value in job.payload.items() if name not in (*SOURCES, "mask")}
    key = job.payload.get("upload")
    job.payload = kept
    job.save(update_fields=["payload"])
    if key:
        # The sweep of the workers takes it if the store is away just now.
        with suppress(StorageAway):
            discard_unwanted_upload(key)


def discard_unwanted_upload(key: str) -> bool:
    """Remove an uploaded file unless a job still waits for the same bytes; whether it was removed."""
    if Job.objects.filter(kind=Job.Kind.IMPORT_SCANS, state__in=["queued", "running"], payload__upload=key).exists():
        return False
    open_store(settings.STORAGE_URL).delete(key)
    return True


def sweep_uploads() -> int:
    """Remove uploads of requests and workers that died, older than any request lasts; answers how many."""
    before = now() - LASTS
    entries = [entry for entry in open_store(settings.STORAGE_URL).list(PREFIX) if entry.modified < before]
    return sum(discard_unwanted_upload(entry.key) for entry in entries)


def fetch_upload(payload: Mapping[str, Any], folder: Path) -> Path:
    """The uploaded file on this machine. Raises Invalid when it is gone."""
    folder.mkdir(parents=True)
    path = folder / f"upload{payload['suffix']}"
    try:
        open_store(settings.STORAGE_URL).fetch(payload["upload"], path)
    except NotFound as error:
        raise Invalid("The uploaded file is gone; send it again.", code="no_such_file") from error
    return path
