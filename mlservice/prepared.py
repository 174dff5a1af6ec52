"""Prepared scans of a training, kept from one training to the next by what they were made of.

An entry of the folder of a machine is named by a hash of the scan's content, of everything in the configuration that
changes the result, and of the code that makes it. A training links the files of an entry into its own folder, so that
entries may be deleted at any time."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from functools import cache
from pathlib import Path

import mlservice
import voxloop
from mlservice.contract.config import TrainingConfig
from mlservice.contract.requests import ScanRef, TrainRequest
from mlservice.preprocess import prepare_scan
from voxloop.child.inside import ChildFolder

CODE = (
    (mlservice, "preprocess.py"),
    (mlservice, "resample.py"),
    (mlservice, "scans.py"),
    (voxloop, "volume/growing/lung_limit.py"),
)
SCAN = "scan"  # names the scan of an entry, so that an erased one's is found


def prepare_all(request: TrainRequest, job: ChildFolder) -> list[Path]:
    """The folders of `prepare_scan` for every scan of the request; those that were prepared before are taken over."""
    into = job.fresh("prepared")
    folders, taken = [], 0
    for position, scan in enumerate(request.scans, start=1):
        entry = Path(request.prepared) / entry_name(scan, request.config) if request.prepared and scan.content else None
        if entry is not None and _take(entry, into / scan.id):
            taken += 1
            folders.append(into / scan.id)
        else:
            folders.append(prepare_scan(scan, job, request.config, into))
            if entry is not None:
                _keep(folders[-1], entry, scan)
        before = f", {taken} of them before" if taken else ""
        job.report(0, request.config.steps, f"Prepared scan {position} of {len(request.scans)}{before}")
    return folders


def entry_name(scan: ScanRef, config: TrainingConfig) -> str:
    """What a prepared scan was made of, as sha256."""
    made_of = {
        "content": scan.content,
        "spacing_mm_zyx": scan.spacing_mm_zyx,
        "classes": [each.id for each in config.classes],
        "finds_any": config.finds_any,
        "window_hu": config.window_hu,
        "contrast": config.contrast,
        "grid_mm_zyx": config.spacing_mm_zyx,
        "grid_px": config.grid_px,
        "lung_channel": config.lung_channel,
        "code": _code(),
    }
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()


@cache
def _code() -> str:
    """A hash of the code that prepares."""
    bodies = ((Path(package.__path__[0]) / name).read_bytes() for package, name in CODE)
    return hashlib.sha256(b"\0".join(bodies)).hexdigest()


def _take(entry: Path, folder: Path) -> bool:
    """Link an entry's files into `folder`; False where it is not there, or goes while it is read."""
    try:
        names = [name for name in os.listdir(entry) if name.endswith(".npy")]
        folder.mkdir()
        for name in names:
            os.link(entry / name, folder / name)
        os.utime(entry)  # used last now
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        return False
    return True


def _keep(folder: Path, entry: Path, scan: ScanRef) -> None:
    """Keep prepared files; a machine that cannot goes on without."""
    spare = entry.with_name(f".{entry.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        entry.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(spare, ignore_errors=True)
        spare.mkdir()
        (spare / SCAN).write_text(scan.id, "utf-8")
        for path in folder.iterdir():
            os.link(path, spare / path.name)
        spare.rename(entry)
    shutil.rmtree(spare, ignore_errors=True)
