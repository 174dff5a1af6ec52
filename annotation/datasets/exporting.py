"""Write a frozen release out, as one attempt of its job: complete and proven at its place, or not there at all."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.db import transaction

from annotation.datasets.exporters.folder import ScanVoxels, write_release
from annotation.datasets.keeping import check_list
from annotation.datasets.models import Export
from annotation.datasets.services import folder_name
from annotation.datasets.states import EXPORTABLE
from annotation.datasets.verify import SUMS, Verdict, verify
from annotation.masks.models import MaskRevision
from annotation.masks.store import load_labels
from annotation.scans.models import Scan
from annotation.scans.volumes import read_voxels
from voxloop.audit.services import record
from voxloop.jobs.services import Claim
from voxloop.kernel.errors import FULL, Conflict, NoSpace, NotFound
from voxloop.storage.store import Store, open_store

Report = Callable[[int, str], None]
WRITTEN, PROVEN = 80, 90  # percent of the whole after these steps


def write_export(claim: Claim) -> dict[str, Any]:
    """Write, prove and publish the export that the job names; answer where it is and its seal.

    Everything is written into a folder whose name begins with a dot, verified there, then renamed: a killed attempt
    leaves nothing that looks complete, and the next one begins anew. A bucket has no rename: SHA256SUMS goes first
    out and last in, and without it a release is not complete.
    """
    export = Export.objects.select_related("release__campaign", "created_by").get(pk=claim.job.payload["export"])
    release = export.release
    if release.state not in EXPORTABLE:
        raise Conflict(f"This release is {release.state}; it is not exported any more.", code="not_frozen")
    check_list(release)
    name = folder_name(release)
    is_folder = export.destination.startswith("file://")
    root = _path_of(export.destination) if is_folder else settings.WORK_DIR / "exports"
    with _part_folder(root, name, claim) as part:
        seal = write_release(part, release.manifest, _loader(), lambda n, said: claim.report(n * WRITTEN // 100, said))
        verdict = _prove(part, seal, claim.report)
        if is_folder:
            _publish_folder(part, root / name, export, seal, claim)
            place = (root / name).as_uri()
        else:
            _publish_bucket(part, name, export, claim)
            place = export.destination
        with transaction.atomic():
            claim.check()
            export.seal = seal
            export.save(update_fields=["seal"])
            record(
                actor=export.created_by or "worker",
                action="release.exported",
                target=release,
                new={"export": str(export.pk), "place": place, "seal": seal, "files": verdict.files},
            )
    return {
        "place": place,
        "name": name,
        "seal": seal,
        "manifest_hash": release.manifest_hash,
        "files": verdict.files,
        "scans": verdict.scans,
    }


def _loader() -> Callable[[Mapping[str, Any]], ScanVoxels]:
    """What the files of a frozen scan are made from: volume pack and revisions, both checked against their hashes."""

    def load(entry: Mapping[str, Any]) -> ScanVoxels:
        scan = Scan.objects.get(pk=entry["id"])
        if scan.state != "ready":
            raise Conflict(f"{scan.code} was withdrawn; yank this release and freeze another.", code="scan_withdrawn")
        z, y, x = scan.shape_zyx
        hu_zyx = read_voxels(scan)
        labels = {}
        for layer, claim in entry["layers"].items():
            revision = MaskRevision.objects.get(pk=claim["revision"]) if claim["revision"] else None
            labels[layer] = load_labels(revision, (z, y, x))
        return ScanVoxels(hu_zyx, labels, scan.facts.get("sop_instance_uids") if scan.series_id else None)

    return load


def _prove(part: Path, seal: str, report: Report) -> Verdict:
    """Nothing leaves that would not verify."""
    verdict = verify(
        part,
        seal=seal,
        progress=lambda done, total, what: report(WRITTEN + (PROVEN - WRITTEN) * done // total, "Proving the export"),
    )
    if not verdict.is_proven:
        fault = verdict.faults[0]
        raise Conflict(f"The export does not verify: {fault.file}: {fault.message}", code="not_proven")
    return verdict


@contextmanager
def _part_folder(root: Path, name: str, claim: Claim) -> Iterator[Path]:
    """An empty folder of this attempt; what earlier attempts left is removed, and this one's whatever happens."""
    part = root / f".part.{name}.{claim.job.pk}.{claim.fence}"
    try:
        for left in root.glob(f".part.{name}.*"):
            shutil.rmtree(left, ignore_errors=True)
        root.mkdir(parents=True, exist_ok=True)
        part.mkdir(mode=0o750)
        yield part
    except OSError as error:
        if error.errno in FULL:
            raise NoSpace("The disk is full; nothing was exported. Free some space and export again.") from error
        raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _publish_folder(part: Path, target: Path, export: Export, seal: str, claim: Claim) -> None:
    """Make it durable, then take the place of an earlier export of the same release."""
    claim.report(PROVEN, "Making it durable")
    for folder, _, files in os.walk(part):
        for path in (*(Path(folder) / file for file in files), Path(folder)):
            _sync(path)
    earlier = target.with_name(f".part.{target.name}.earlier")
    with transaction.atomic():
        claim.check()  # holds the job: an attempt that lost it cannot rename
        if target.exists():
            target.rename(earlier)
        part.rename(target)
        _sync(target.parent)
    shutil.rmtree(earlier, ignore_errors=True)


def _publish_bucket(part: Path, name: str, export: Export, claim: Claim) -> None:
    store = open_store(export.destination)
    stale = _listed(store, name)
    store.delete(f"{name}/{SUMS}")
    files = sorted(path.relative_to(part).as_posix() for path in part.rglob("*") if path.is_file())
    files.remove(SUMS)
    for done, file in enumerate(files):
        claim.report(PROVEN + (100 - PROVEN) * done // len(files), f"Sending {file}")
        store.put_named(f"{name}/{file}", part / file)
    for file in stale - set(files):
        store.delete(f"{name}/{file}")
    claim.report(99, "Sending the sums")
    store.put_named(f"{name}/{SUMS}", part / SUMS)


def _listed(store: Store, name: str) -> set[str]:
    """What an earlier export of the same release left at this place."""
    try:
        sums = store.get(f"{name}/{SUMS}").decode()
    except NotFound:
        return set()
    return {line.partition("  ")[2] for line in sums.splitlines()} - {""}


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _path_of(url: str) -> Path:
    return Path(unquote(urlsplit(url).path))
