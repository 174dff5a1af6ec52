"""De-identify a series into one zip that may be sent."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from annotation.intake.deidentify.cleaning import Cleaned, deidentify
from annotation.intake.deidentify.keys import SiteKeys
from annotation.intake.deidentify.report import Report
from annotation.intake.deidentify.rules import Rules
from annotation.intake.limits import Limits
from annotation.intake.sending.series import FoundSeries
from voxloop.kernel.errors import Refusal

EPOCH = (1980, 1, 1, 0, 0, 0)  # the same files make the same zip
FASTEST = 1  # halves the bytes of a CT; more costs ten times the time for a few per cent


@dataclass
class SetAside:
    """Files of a series that are not sent, for one reason; `folder` and `file` are those of the first."""

    code: str
    reason: str
    folder: str
    file: str
    files: int = 0


@dataclass
class Packed:
    """What became of a series: how many files are in the zip, what was set aside, and of whom it is, by their codes
    (for the site's table; without the files themselves)."""

    files: int = 0
    set_aside: dict[str, SetAside] = field(default_factory=dict)
    origins: dict[str, Cleaned] = field(default_factory=dict)


def pack_series(
    series: FoundSeries,
    target: Path | None,
    *,
    keys: SiteKeys,
    rules: Rules,
    report: Report,
    limits: Limits,
    on_file: Callable[[], None] = lambda: None,
) -> Packed:
    """De-identify every file of a series, into a new zip at `target` (None: only to see what would be sent).

    Raises Refusal only when a file cannot be read from its source; a refused file is set aside."""
    packed = Packed()
    written: set[str] = set()
    archive = None if target is None else zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED, compresslevel=FASTEST)
    try:
        for member in series.members:
            data = member.read()
            try:
                cleaned = deidentify(data, keys=keys, rules=rules, report=report, limits=limits)
            except Refusal as refusal:
                aside = SetAside(refusal.code, refusal.detail, member.sent.folder, member.sent.file)
                packed.set_aside.setdefault(refusal.code, aside).files += 1
            else:
                packed.files += 1
                packed.origins.setdefault(cleaned.person.code, replace(cleaned, data=b""))
                if archive is not None:
                    archive.writestr(_entry(cleaned.instance_code, written), cleaned.data)
            on_file()
    finally:
        if archive is not None:
            archive.close()
    return packed


def entry_of(name: str) -> zipfile.ZipInfo:
    """A member of a zip, the same for the same name."""
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _entry(code: str, written: set[str]) -> zipfile.ZipInfo:
    """The name of a file in the zip; one that comes twice gets a number, and the server judges."""
    name, number = f"{code}.dcm", 1
    while name in written:
        number += 1
        name = f"{code}-{number}.dcm"
    written.add(name)
    return entry_of(name)
