"""What of an export is written, kept beside it, so that an attempt that was killed is gone on with by the next one.

A scan counts as written when all of its files are and its record is. Records belong to one plan: another list, other
formats or another version of the software begin anew."""

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from annotation.datasets.archive import crc32_of
from annotation.datasets.exporters.listing import Frozen
from annotation.datasets.exporters.progress import Done
from annotation.datasets.verify import KEY, SIGNATURE, SUMS, Verdict, check_scan
from voxloop import __version__
from voxloop.kernel.canonical import canonical_hash
from voxloop.kernel.errors import Conflict, NotFound
from voxloop.storage.objects import Store

FileSize = tuple[str, int, int]  # path, bytes, CRC-32
RELEASE, RECORDS = "release", "records"  # in the folder of an attempt
IN_BUCKET = ".part"  # folder of the records in a bucket
PLAN = f"{IN_BUCKET}/plan.json"


def plan_of(frozen: Frozen, formats: Sequence[str]) -> str:
    """What the files of scans depend on, as one hash."""
    return canonical_hash({"frozen": frozen, "formats": list(formats), "software": __version__})


class KeptProgress(ABC):
    """The scans of one export that are written, each with a record."""

    def __init__(self) -> None:
        self.files: list[FileSize] = []  # of all scans so far

    def recall(self, place: int, scan: Mapping[str, Any]) -> Done | None:
        """As `exporters.progress.Progress`."""
        record = self._read(place)
        if record is None or record["scan"] != scan["code"]:
            return None
        if not all(self._is_there(path, size) for path, size, _ in record["sizes"]):
            return None
        self.files += [(path, size, crc) for path, size, crc in record["sizes"]]
        return Done(record["files"], record["told"])

    def keep(self, place: int, scan: Mapping[str, Any], done: Done) -> None:
        """As `exporters.progress.Progress`."""
        sizes = self._settle(scan, done)
        self._write(place, {"scan": scan["code"], "files": done.files, "told": done.told, "sizes": sizes})
        self.files += sizes

    @abstractmethod
    def _settle(self, scan: Mapping[str, Any], done: Done) -> list[FileSize]:
        """Bring the files of a scan to where they stay during the export."""

    @abstractmethod
    def _is_there(self, path: str, size: int) -> bool: ...

    @abstractmethod
    def _read(self, place: int) -> dict[str, Any] | None: ...

    @abstractmethod
    def _write(self, place: int, record: Mapping[str, Any]) -> None: ...


class FolderProgress(KeptProgress):
    """Of an export to a folder: files and records lie side by side in the folder of the attempt. Files without a record
    are removed, so that an attempt that was overtaken cannot write into them any more."""

    def __init__(self, part: Path) -> None:
        super().__init__()
        self.release, self.records = part / RELEASE, part / RECORDS
        for folder in (self.release, self.records):
            folder.mkdir(mode=0o750, exist_ok=True)
        known = {
            path
            for file in self.records.glob("*.json")
            for path, _, _ in (_parsed(file.read_bytes()) or {"sizes": []})["sizes"]
        }
        for path in self.release.rglob("*"):
            if path.is_file() and path.relative_to(self.release).as_posix() not in known:
                path.unlink()

    def _settle(self, scan: Mapping[str, Any], done: Done) -> list[FileSize]:
        return [(file["path"], file["bytes"], crc32_of(self.release / file["path"])) for file in done.files]

    def _is_there(self, path: str, size: int) -> bool:
        file = self.release / path
        return file.is_file() and file.stat().st_size == size

    def _read(self, place: int) -> dict[str, Any] | None:
        file = self.records / f"{place:06d}.json"
        return _parsed(file.read_bytes()) if file.is_file() else None

    def _write(self, place: int, record: Mapping[str, Any]) -> None:
        file = self.records / f"{place:06d}.json"
        half = file.with_suffix(".half")
        half.write_text(json.dumps(record), "utf-8")
        os.replace(half, file)


class BucketProgress(KeptProgress):
    """Of an export to a bucket: each scan is proven, sent and removed here before the next one is written, so that the
    server's disk holds one scan at a time. The records lie in the bucket, where the next attempt finds them on any
    machine, and go when the release is complete."""

    def __init__(self, part: Path, store: Store, name: str, frozen: Frozen, plan: str) -> None:
        super().__init__()
        self.release, self.store, self.name, self.frozen = part / RELEASE, store, name, frozen
        self.release.mkdir(mode=0o750, exist_ok=True)
        self.scratch = part / "record.json"
        known = self._get(PLAN)
        if known is None or known["plan"] != plan:
            stale = self._listed_before() | (self._drop_records(known) if known else set())
            known = {"plan": plan, "scans": len(frozen["scans"]), "stale": sorted(stale)}
            self._put(PLAN, known)
        self.known = known
        store.delete(f"{name}/{SUMS}")

    def send_rest(self, report: Callable[[int, int, str], None]) -> None:
        """Send the documents that are left here, and remove what is not of this release."""
        left = sorted(path.relative_to(self.release).as_posix() for path in self.release.rglob("*") if path.is_file())
        left.remove(SUMS)
        for number, file in enumerate(left):
            report(number, len(left), f"Sending {file}")
            self.store.put_named(f"{self.name}/{file}", self.release / file)
        there = {path for path, _, _ in self.files} | set(left)
        for file in (set(self.known["stale"]) | {SIGNATURE, KEY}) - there:
            self.store.delete(f"{self.name}/{file}")

    def send_sums(self) -> None:
        """Mark the release as complete; what was kept to go on from is not needed any more."""
        self.store.put_named(f"{self.name}/{SUMS}", self.release / SUMS)
        for place in range(self.known["scans"]):
            self.store.delete(f"{self.name}/{_record(place)}")
        self.store.delete(f"{self.name}/{PLAN}")

    def _settle(self, scan: Mapping[str, Any], done: Done) -> list[FileSize]:
        verdict = Verdict()
        paths = {(file["scan"], file["layer"], file["role"]): str(file["path"]) for file in done.files}
        check_scan(self.release, dict(self.frozen), dict(scan), paths, verdict)
        require_proven(verdict)
        sizes = [(file["path"], file["bytes"], crc32_of(self.release / file["path"])) for file in done.files]
        for path, _, _ in sizes:
            self.store.put_named(f"{self.name}/{path}", self.release / path)
        for path, _, _ in sizes:
            (self.release / path).unlink()
        return sizes

    def _is_there(self, path: str, size: int) -> bool:
        try:
            return self.store.size(f"{self.name}/{path}") == size
        except NotFound:
            return False

    def _read(self, place: int) -> dict[str, Any] | None:
        return self._get(_record(place))

    def _write(self, place: int, record: Mapping[str, Any]) -> None:
        self._put(_record(place), record)

    def _get(self, name: str) -> dict[str, Any] | None:
        try:
            return _parsed(self.store.get(f"{self.name}/{name}"))
        except NotFound:
            return None

    def _put(self, name: str, document: Mapping[str, Any]) -> None:
        self.scratch.write_text(json.dumps(document), "utf-8")
        self.store.put_named(f"{self.name}/{name}", self.scratch)

    def _drop_records(self, known: Mapping[str, Any]) -> set[str]:
        """Forget what an unfinished export by another plan has sent; returns its files."""
        sent: set[str] = set(known["stale"])
        for place in range(known["scans"]):
            if record := self._read(place):
                sent |= {path for path, _, _ in record["sizes"]}
                self.store.delete(f"{self.name}/{_record(place)}")
        return sent

    def _listed_before(self) -> set[str]:
        """Files of an earlier export of the same release at this destination."""
        try:
            sums = self.store.get(f"{self.name}/{SUMS}").decode()
        except NotFound:
            return set()
        return {line.partition("  ")[2] for line in sums.splitlines()} - {""}


def require_proven(verdict: Verdict) -> None:
    """Raise Conflict (`not_proven`) with the first fault."""
    if not verdict.is_proven:
        fault = verdict.faults[0]
        raise Conflict(f"The export does not verify: {fault.file}: {fault.message}", code="not_proven")


def _record(place: int) -> str:
    return f"{IN_BUCKET}/{place:06d}.json"


def _parsed(data: bytes) -> dict[str, Any] | None:
    """A record; None for one that was cut off."""
    try:
        found = json.loads(data)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
