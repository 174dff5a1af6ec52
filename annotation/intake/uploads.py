"""Uploaded files, passed through the object store from the web process to the worker that reads them. They may name a
patient (the import then refuses them), so their prefix is not registered for back-ups, and each is deleted when the
last job that needs it has ended."""

import shutil
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from voxloop.jobs.models import Job
from voxloop.jobs.scratch import of_process
from voxloop.jobs.states import JobState
from voxloop.kernel.clock import now
from voxloop.kernel.errors import FULL, Invalid, NoSpace, NotFound, StorageAway, TooLarge
from voxloop.storage.store import open_store

PREFIX = "uploads"
SUFFIXES = (".zip", ".nii.gz", ".nii")
LASTS = timedelta(hours=6)  # longer than any upload request
READERS = (Job.Kind.IMPORT_SCANS, Job.Kind.BRING_MODEL)  # jobs that read an uploaded file
ASK = "Send a zip of DICOM series or NIfTI files, or one NIfTI file (.nii or .nii.gz)."
SOURCES = {"path", "upload"}  # parameters of a job that locate its source: a path on the server, or a key of the store


def keep_upload(upload: Any, suffixes: tuple[str, ...] = SUFFIXES, ask: str = ASK) -> tuple[str, str]:
    """Store an uploaded file; returns its key and file name suffix. Raises Invalid for another file type, TooLarge,
    NoSpace, StorageAway."""
    name = Path(str(upload.name)).name.lower()
    suffix = next((suffix for suffix in suffixes if name.endswith(suffix)), None)
    if suffix is None:
        raise Invalid(ask, code="unknown_file")
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
    """Delete the uploaded file of an ended job and its path in the job's row: a folder on the server may be
    named after a patient, and the row is kept for ever."""
    if job.kind not in READERS or not SOURCES & job.payload.keys():
        return
    kept = {name: value for name, value in job.payload.items() if name not in (*SOURCES, "mask")}
    key = job.payload.get("upload")
    job.payload = kept
    job.save(update_fields=["payload"])
    if key:
        transaction.on_commit(partial(_remove_upload, key))


def _remove_upload(key: str) -> None:
    """After commit: an attempt that dies before must find the file again. Leftovers are swept."""
    with suppress(StorageAway):
        discard_unwanted_upload(key)


def discard_unwanted_upload(key: str) -> bool:
    """Remove an uploaded file unless a job still waits for the same bytes; returns whether it was removed."""
    if Job.objects.filter(
        kind__in=READERS, state__in=[JobState.QUEUED, JobState.RUNNING], payload__upload=key
    ).exists():
        return False
    open_store(settings.STORAGE_URL).delete(key)
    return True


def sweep_uploads() -> int:
    """Remove uploads of requests and workers that died, older than any request lasts; answers how many."""
    before = now() - LASTS
    entries = [entry for entry in open_store(settings.STORAGE_URL).list(PREFIX) if entry.modified < before]
    return sum(discard_unwanted_upload(entry.key) for entry in entries)


def fetch_upload(payload: Mapping[str, Any], folder: Path) -> Path:
    """A local copy of the uploaded file. Raises Invalid when it is gone."""
    folder.mkdir(parents=True)
    path = folder / f"upload{payload['suffix']}"
    try:
        open_store(settings.STORAGE_URL).fetch(payload["upload"], path)
    except NotFound as error:
        raise Invalid("The uploaded file is gone; send it again.", code="no_such_file") from error
    return path
