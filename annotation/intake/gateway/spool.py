"""De-identified images on disk, by series, until the server has them. What was acknowledged to the PACS is here."""

from __future__ import annotations

import os
import shutil
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from annotation.intake.deidentify.cleaning import deidentify
from annotation.intake.deidentify.report import Report
from annotation.intake.deidentify.rules import Rules
from annotation.intake.deidentify.vault import Vault
from annotation.intake.limits import Limits
from annotation.intake.sending.packing import FASTEST, entry_of
from annotation.intake.sending.series import hash_contents
from voxloop.child.documents import sync_folder

SUFFIX = ".dcm"


@dataclass(frozen=True)
class SpooledSeries:
    """A series on disk: its images by code, a hash of them, and when the last one came (seconds of the epoch)."""

    code: str
    instances: tuple[str, ...]
    contents: str
    last_at: float


class Spool:
    """The folder of one campaign. Associations run in threads, parsers warn through globals: one image at a time."""

    def __init__(self, folder: Path, vault: Vault, campaign: str, rules: Rules, limits: Limits | None = None) -> None:
        self._folder, self._vault, self._campaign = folder, vault, campaign
        self._rules, self._limits = rules, limits or Limits()
        self._keys = vault.keys(campaign)
        self._noted: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[int, SpooledSeries]] = {}
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in folder.glob("*/*.part"):  # by a process that was killed: never acknowledged
            left.unlink()

    def receive(self, data: bytes) -> None:
        """Keep one image: de-identified in memory, its person noted in the vault, then written and flushed to disk.

        Raises Refusal for an image that may not be sent, OSError when the disk takes no more."""
        with self._lock:
            cleaned = deidentify(data, keys=self._keys, rules=self._rules, report=Report(), limits=self._limits)
            origin = (cleaned.person.code, cleaned.series_code)
            if origin not in self._noted:
                self._vault.note(self._campaign, cleaned)
                self._vault.save()
                self._noted.add(origin)
            folder = self._folder / cleaned.series_code
            folder.mkdir(exist_ok=True, mode=0o700)
            target = folder / f"{cleaned.instance_code}{SUFFIX}"
            spare = target.with_suffix(".part")
            with spare.open("wb") as handle:
                handle.write(cleaned.data)
                handle.flush()
                os.fsync(handle.fileno())
            spare.replace(target)
            sync_folder(folder)

    def list_series(self) -> Iterator[SpooledSeries]:
        """Every series on disk."""
        for folder in sorted(self._folder.iterdir()):
            stamp = folder.stat().st_mtime_ns
            known = self._seen.get(folder.name)
            if known is None or known[0] != stamp:
                names = tuple(sorted(path.stem for path in folder.glob(f"*{SUFFIX}")))
                found = SpooledSeries(folder.name, names, hash_contents(names, self._rules), stamp / 1e9)
                self._seen[folder.name] = known = (stamp, found)
            if known[1].instances:
                yield known[1]

    def pack(self, series: SpooledSeries, target: Path) -> None:
        """The images of a series as a new zip, the same for the same images."""
        with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED, compresslevel=FASTEST) as archive:
            for name in series.instances:
                file = f"{name}{SUFFIX}"
                archive.writestr(entry_of(file), (self._folder / series.code / file).read_bytes())

    def forget_before(self, series: SpooledSeries, age_s: float) -> None:
        """Delete a series of which nothing came for so long."""
        with self._lock:
            if time.time() - (self._folder / series.code).stat().st_mtime >= age_s:
                shutil.rmtree(self._folder / series.code)
