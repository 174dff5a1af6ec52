"""Export a frozen release, as one attempt of its job: complete and verified at its destination, or not at all."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from annotation.datasets.archive import crc32_of
from annotation.datasets.exporters.folder import write_release
from annotation.datasets.exporters.listing import ScanVoxels
from annotation.datasets.keeping import check_list
from annotation.datasets.models import Export, Release
from annotation.datasets.services import folder_name, folder_of
from annotation.datasets.signing import open_signer
from annotation.datasets.states import EXPORTABLE
from annotation.datasets.verify import KEY, SIGNATURE, SUMS, Verdict, verify
from annotation.masks.models import MaskRevision
from annotation.masks.store import load_labels
from annotation.scans.models import Scan
from annotation.scans.states import ScanState
from annotation.scans.volumes import read_voxels, ready_volume
from voxloop.accounts.actors import SystemActor
from voxloop.audit.services import record
from voxloop.jobs.running import Claim
from voxloop.kernel.errors import FULL, Conflict, NoSpace, NotFound
from voxloop.storage.objects import Store
from voxloop.storage.store import open_store

Tell = Callable[[int, str], None]
WRITTEN, PROVEN = 80, 90  # percent of the whole after these steps


def write_export(claim: Claim) -> dict[str, Any]:
    """Write, verify and publish the job's export; returns its location and seal. Everything is written into a folder
    whose name begins with a dot, verified there, then renamed: a killed attempt leaves nothing that looks complete, and
    the next one starts over. A bucket has no rename: SHA256SUMS is deleted first and written last, and marks a complete
    release."""
    export = Export.objects.select_related("release__campaign", "created_by").get(pk=claim.job.payload["export"])
    release = export.release
    _require_exportable(release)
    check_list(release)
    name = folder_name(release)
    is_folder = export.destination.startswith("file://")
    root = folder_of(export.destination) if is_folder else settings.WORK_DIR / "exports"
    with _part_folder(root, name, claim) as part:
        seal = write_release(
            part,
            release.manifest or {},
            _loader(),
            lambda n, said: claim.report(n * WRITTEN // 100, said),
            export.formats,
            open_signer(),
        )
        verdict = _prove(part, seal, claim.report)
        files = list_files(part)
        if is_folder:
            _publish_folder(part, root / name, export, seal, claim)
        else:
            _publish_bucket(part, name, export, claim)
        with transaction.atomic():
            claim.check()
            export.seal, export.files = seal, [list(entry) for entry in files]
            export.bytes = sum(size for _, size, _ in files)
            export.save(update_fields=["seal", "files", "bytes"])
            record(
                actor=export.created_by or SystemActor.WORKER,
                action="release.exported",
                target=release,
                new={
                    "export": str(export.pk),
                    "place": location_of(export),
                    "seal": seal,
                    "files": verdict.files,
                    "signed_by": verdict.signed_by,
                },
            )
    return {
        "name": name,
        "seal": seal,
        "manifest_hash": release.manifest_hash,
        "files": verdict.files,
        "scans": verdict.scans,
        "signed_by": verdict.signed_by,
    }


def list_files(folder: Path) -> list[tuple[str, int, int]]:
    """Path, bytes and CRC-32 of every file of an export, in the order of its archive: the documents first."""
    paths = sorted((path for path in folder.rglob("*") if path.is_file()), key=lambda path: (len(path.parts), path))
    return [(path.relative_to(folder).as_posix(), path.stat().st_size, crc32_of(path)) for path in paths]


def location_of(export: Export) -> str:
    """Where an export is, as an address of the server: for the audit log and the command line, never for a page."""
    if not export.destination.startswith("file://"):
        return export.destination
    return (folder_of(export.destination) / folder_name(export.release)).as_uri()


def _loader() -> Callable[[Mapping[str, Any]], ScanVoxels]:
    """A function that loads a frozen scan's volume pack and revisions, checked against their hashes."""

    def load(entry: Mapping[str, Any]) -> ScanVoxels:
        scan = Scan.objects.get(pk=entry["id"])
        if scan.state != ScanState.READY:
            raise Conflict(f"{scan.code} was withdrawn; yank this release and freeze another.", code="scan_withdrawn")
        shape_zyx = ready_volume(scan).shape_zyx
        hu_zyx = read_voxels(scan)
        labels = {}
        for layer, claim in entry["layers"].items():
            revision = MaskRevision.objects.get(pk=claim["revision"]) if claim["revision"] else None
            labels[layer] = load_labels(revision, shape_zyx)
        return ScanVoxels(hu_zyx, labels, scan.facts.get("sop_instance_uids") if scan.series_id else None)

    return load


def _prove(part: Path, seal: str, report: Tell) -> Verdict:
    """Verify the export before it is published."""
    verdict = verify(
        part,
        seal=seal,
        progress=lambda done, total, what: report(WRITTEN + (PROVEN - WRITTEN) * done // total, "Verifying the export"),
    )
    if not verdict.is_proven:
        fault = verdict.faults[0]
        raise Conflict(f"The export does not verify: {fault.file}: {fault.message}", code="not_proven")
    return verdict


@contextmanager
def _part_folder(root: Path, name: str, claim: Claim) -> Iterator[Path]:
    """An empty folder of this attempt, always removed at the end; leftovers of earlier attempts are removed, too."""
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
    """fsync the export, then replace an earlier export of the same release."""
    claim.report(PROVEN, "Writing to disk")
    for folder, _, files in os.walk(part):
        for path in (*(Path(folder) / file for file in files), Path(folder)):
            _sync(path)
    earlier = target.with_name(f".part.{target.name}.earlier")
    with transaction.atomic():
        claim.check()  # locks the job: an attempt that lost it cannot rename
        _require_exportable(Release.objects.select_for_update().only("state").get(pk=export.release_id))
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
    for file in (stale | {SIGNATURE, KEY}) - set(files):
        store.delete(f"{name}/{file}")
    claim.report(99, "Sending the sums")
    _require_exportable(Release.objects.only("state").get(pk=export.release_id))
    store.put_named(f"{name}/{SUMS}", part / SUMS)


def _require_exportable(release: Release) -> None:
    """Before the work, and again before it is seen: a release may be yanked while it is written."""
    if release.state not in EXPORTABLE:
        raise Conflict(f"This release is {release.state}; it is not exported any more.", code="not_frozen")


def _listed(store: Store, name: str) -> set[str]:
    """Files of an earlier export of the same release at this destination."""
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
