"""Export a frozen release, as one attempt of its job: complete and verified at its destination, or not at all."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from annotation.datasets.archive import crc32_of
from annotation.datasets.exporters.folder import write_release
from annotation.datasets.exporters.listing import ScanVoxels
from annotation.datasets.exporters.manifest import manifest_hash
from annotation.datasets.keeping import check_list
from annotation.datasets.models import Export, Release
from annotation.datasets.parts import list_of
from annotation.datasets.resuming import (
    RELEASE,
    BucketProgress,
    FileSize,
    FolderProgress,
    KeptProgress,
    plan_of,
    require_proven,
)
from annotation.datasets.services import folder_of, folder_of_export
from annotation.datasets.signing import open_signer
from annotation.datasets.states import EXPORTABLE
from annotation.datasets.verify import Verdict, verify
from annotation.masks.models import MaskRevision
from annotation.masks.store import load_labels
from annotation.scans.models import Scan
from annotation.scans.states import ScanState
from annotation.scans.volumes import read_voxels, ready_volume
from voxloop.accounts.actors import SystemActor
from voxloop.audit.services import record
from voxloop.jobs.running import Claim, GiveBack
from voxloop.kernel.errors import FULL, Conflict, NoSpace, StorageAway
from voxloop.storage.store import open_store

Tell = Callable[[int, str], None]
WRITTEN, PROVEN = 80, 90  # percent of the whole after these steps
PLAN_FILE = "plan"


def write_export(claim: Claim) -> dict[str, Any]:
    """Write, verify and publish the job's export; returns its location and seal. To a folder, everything is written
    into one whose name begins with a dot, verified there, then renamed. A bucket has no rename: SHA256SUMS is deleted
    first and written last, and marks a complete release. An attempt that was killed leaves nothing that looks complete,
    and the next one goes on from its last whole scan (`resuming`)."""
    export = Export.objects.select_related("release__campaign", "created_by").get(pk=claim.job.payload["export"])
    release = export.release
    _require_exportable(release)
    check_list(release)
    frozen = list_of(release.manifest or {}, export.part)
    name, plan = folder_of_export(export), plan_of(frozen, export.formats)
    is_folder = export.destination.startswith("file://")
    root = folder_of(export.destination) if is_folder else settings.WORK_DIR / "exports"
    # Exports of one release to two buckets do not meet.
    scratch = name if is_folder else f"{name}.{sha256(export.destination.encode()).hexdigest()[:16]}"
    with _part_folder(root, scratch, claim, plan) as part:
        progress: KeptProgress
        if is_folder:
            progress = FolderProgress(part)
        else:
            progress = BucketProgress(part, open_store(export.destination), name, frozen, plan)
        seal = write_release(
            part / RELEASE,
            frozen,
            _loader(),
            lambda n, said: claim.report(n * WRITTEN // 100, said),
            export.formats,
            open_signer(),
            progress,
        )
        sent = [] if is_folder else [path for path, _, _ in progress.files]
        verdict = _prove(part / RELEASE, seal, claim.report, sent)
        files = list_files(part / RELEASE, progress.files)
        if isinstance(progress, BucketProgress):
            _publish_bucket(progress, export, claim)
        else:
            _publish_folder(part / RELEASE, root / name, export, claim)
        _note(export, seal, files, verdict, claim)
    return {
        "name": name,
        "seal": seal,
        "manifest_hash": manifest_hash(frozen),
        "files": verdict.files,
        "scans": verdict.scans,
        "signed_by": verdict.signed_by,
    }


def _note(export: Export, seal: str, files: Sequence[FileSize], verdict: Verdict, claim: Claim) -> None:
    """The row of a complete export."""
    with transaction.atomic():
        claim.check()
        export.seal, export.files = seal, [list(entry) for entry in files]
        export.bytes = sum(size for _, size, _ in files)
        export.save(update_fields=["seal", "files", "bytes"])
        record(
            actor=export.created_by or SystemActor.WORKER,
            action="release.exported",
            target=export.release,
            new={
                "export": str(export.pk),
                "place": location_of(export),
                "part": export.part,
                "seal": seal,
                "files": verdict.files,
                "signed_by": verdict.signed_by,
            },
        )


def list_files(folder: Path, known: Iterable[FileSize] = ()) -> list[FileSize]:
    """Path, bytes and CRC-32 of every file of an export, in the order of its archive: the documents first. `known` are
    those of scans, which may be elsewhere by now."""
    files = {path: (path, size, crc) for path, size, crc in known}
    for path in (path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if name not in files:
            files[name] = (name, path.stat().st_size, crc32_of(path))
    return sorted(files.values(), key=lambda file: (file[0].count("/"), file[0].split("/")))


def location_of(export: Export) -> str:
    """Where an export is, as an address of the server: for the audit log and the command line, never for a page."""
    if not export.destination.startswith("file://"):
        return export.destination
    return (folder_of(export.destination) / folder_of_export(export)).as_uri()


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


def _prove(folder: Path, seal: str, report: Tell, sent: Iterable[str]) -> Verdict:
    """Verify the export before it is published; `sent` was verified before it was sent."""
    verdict = verify(
        folder,
        seal=seal,
        progress=lambda done, total, what: report(WRITTEN + (PROVEN - WRITTEN) * done // total, "Verifying the export"),
        sent=frozenset(sent),
    )
    require_proven(verdict)
    return verdict


@contextmanager
def _part_folder(root: Path, name: str, claim: Claim, plan: str) -> Iterator[Path]:
    """The folder of this attempt, with what an earlier one by the same plan has left in it. It stays when the job will
    be tried again, and is removed at any other end; so are leftovers by other plans."""
    part = root / f".part.{name}.{claim.job.pk}.{claim.fence}"
    is_kept = False
    try:
        root.mkdir(parents=True, exist_ok=True)
        for left in sorted(root.glob(f".part.{name}.*")):
            if not part.exists() and _plan_in(left) == plan:
                left.rename(part)
            else:
                shutil.rmtree(left, ignore_errors=True)
        part.mkdir(mode=0o750, exist_ok=True)
        (part / PLAN_FILE).write_text(plan, "utf-8")
        yield part
    except (GiveBack, StorageAway):
        is_kept = True
        raise
    except OSError as error:
        if error.errno in FULL:
            raise NoSpace("The disk is full; nothing was exported. Free some space and export again.") from error
        raise
    finally:
        if not is_kept:
            shutil.rmtree(part, ignore_errors=True)


def _plan_in(left: Path) -> str:
    try:
        return (left / PLAN_FILE).read_text("utf-8")
    except (OSError, ValueError):
        return ""


def _publish_folder(part: Path, target: Path, export: Export, claim: Claim) -> None:
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


def _publish_bucket(progress: BucketProgress, export: Export, claim: Claim) -> None:
    progress.send_rest(lambda done, total, said: claim.report(PROVEN + (100 - PROVEN) * done // total, said))
    claim.report(99, "Sending the sums")
    _require_exportable(Release.objects.only("state").get(pk=export.release_id))
    progress.send_sums()


def _require_exportable(release: Release) -> None:
    """Before the work, and again before it is seen: a release may be yanked while it is written."""
    if release.state not in EXPORTABLE:
        raise Conflict(f"This release is {release.state}; it is not exported any more.", code="not_frozen")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
