"""Job folders of the ML stages: volumes from packs, labels from revisions, models from storage."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from django.conf import settings

from annotation.learning.models import ModelVersion
from annotation.masks.models import MaskRevision
from annotation.masks.store import load_labels
from annotation.scans.models import Scan
from annotation.scans.volumes import read_index, read_voxels, ready_volume
from annotation.work.schema import Layer
from mlservice.contract import ScanRef, weights_name
from voxloop.jobs.running import Claim, GiveBack
from voxloop.jobs.scratch import earlier_attempts, of_job
from voxloop.kernel.errors import Conflict
from voxloop.storage.objects import Store
from voxloop.storage.reading import read_object
from voxloop.storage.store import open_store
from voxloop.volume.labelmap import decode_message, strip_erased

CARD = "model.json"
PART = "learning"  # of the scratch folder


@contextmanager
def job_folder(held: Claim, *, keeps: str = "") -> Iterator[Path]:
    """A folder of this attempt of a job, empty but for the file `keeps` that an earlier attempt on this machine left.

    It is deleted afterwards, but for that file when the job is given back; swept when the attempt is killed and the job
    has ended."""
    folder = of_job(PART, held)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for earlier in earlier_attempts(PART, held):
        if keeps and (earlier / keeps).is_file() and not (folder / keeps).exists():
            (folder / keeps).parent.mkdir(parents=True, exist_ok=True)
            (earlier / keeps).replace(folder / keeps)
        shutil.rmtree(earlier, ignore_errors=True)
    is_given_back = False
    try:
        yield folder
    except GiveBack:
        is_given_back = True
        raise
    finally:
        if is_given_back and keeps:
            _leave_alone(folder, folder / keeps)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _leave_alone(folder: Path, kept: Path) -> None:
    """Delete everything in a folder but one file."""
    for path in folder.rglob("*"):
        if path != kept and not path.is_dir():
            path.unlink(missing_ok=True)


def write_scan(folder: Path, scan: Scan, layer: Layer) -> ScanRef:
    """Write `<folder>/<scan id>/` with volume.npy and, where the layer's findings lie in them, lungs.npy.

    Raises Conflict.
    """
    index = read_index(scan)
    shape = index.geometry.shape_zyx
    if index.pack.dtype != "int16":
        raise Conflict(f"Scan {scan.code} holds no HU values; only CT can be used.", code="not_a_ct")
    store = open_store(settings.STORAGE_URL)
    scan_folder = folder / str(scan.pk)
    scan_folder.mkdir(parents=True)
    np.save(scan_folder / "volume.npy", read_voxels(scan))
    if scan.limit_key and layer.limit == "lungs":
        np.save(scan_folder / "lungs.npy", decode_message(read_object(store, scan.limit_key), shape).labels())
    return ScanRef(str(scan.pk), scan.site.code, str(scan_folder), index.geometry.spacing_mm_zyx)


def content_of(scan: Scan, layer: Layer, item: Mapping[str, Any]) -> str:
    """What volume, lungs and labels of an item of a frozen list are made of; equal content gives equal files."""
    limit = scan.limit_key if layer.limit == "lungs" else ""
    return f"{scan.pack_key} {limit} {item['content_hash'] or 'empty'}"


def write_labels(folder: Path, scan: Scan, revision_id: UUID | str | None, content_hash: str | None) -> None:
    """Write labels.npy of an approved revision (None: confirmed empty), erased voxels as background.

    Raises Conflict when the revision differs from the manifest."""
    revision = MaskRevision.objects.get(pk=revision_id) if revision_id else None
    if revision is not None and revision.content_hash != content_hash:
        raise Conflict(f"The mask of scan {scan.code} is not the one of the manifest.", code="manifest_broken")
    np.save(folder / str(scan.pk) / "labels.npy", strip_erased(load_labels(revision, ready_volume(scan).shape_zyx)))


def write_model(folder: Path, model: ModelVersion, store: Store) -> Path:
    """Write `<folder>/` with the weights and the card of a model version."""
    folder.mkdir(parents=True)
    (folder / _weights_of(model.config)).write_bytes(read_object(store, model.weights_key))
    (folder / CARD).write_text(json.dumps(model.config), "utf-8")
    return folder


def read_model(folder: Path, store: Store) -> tuple[str, dict[str, Any]]:
    """Store the weights of a training; returns their key and the card."""
    card: dict[str, Any] = json.loads((folder / CARD).read_text("utf-8"))
    return store.put_file("models", folder / _weights_of(card)), card


def _weights_of(card: Mapping[str, Any]) -> str:
    return weights_name(card.get("config", {}).get("network", ""))
