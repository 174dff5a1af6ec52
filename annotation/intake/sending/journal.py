"""What was sent already, so that a run that was cut goes on and sends nothing twice. Holds codes only."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from voxloop.child.documents import sync_folder
from voxloop.kernel.errors import Invalid

DAMAGED = "The file {name} is damaged; delete it, and what was sent before is sent again without harm."


@dataclass
class Entry:
    """One series: its contents, the server's job, and its result when there is one."""

    contents: str
    job: str
    scans: list[str] = field(default_factory=list)
    is_done: bool = False


def read_scans(path: Path) -> dict[tuple[str, str], list[str]]:
    """The server's codes of the scans of each series, by campaign and code of the series; of all servers."""
    found: dict[tuple[str, str], list[str]] = {}
    for name in _read(path):
        server, _, campaign = name.partition(" ")
        for code, entry in Journal(path, server, campaign).entries.items():
            found.setdefault((campaign, code), []).extend(entry.scans)
    return found


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        return dict(json.loads(path.read_bytes())) if path.exists() else {}
    except (OSError, ValueError, TypeError) as error:
        raise Invalid(DAMAGED.format(name=path.name), code="bad_journal") from error


class Journal:
    """The entries of one server and campaign in a file; `note` writes it before it returns."""

    def __init__(self, path: Path, server: str, campaign: str) -> None:
        self._path, self._name = path, f"{server} {campaign}"
        self._all = _read(path)
        try:
            self.entries = {code: Entry(**entry) for code, entry in self._all.get(self._name, {}).items()}
        except (TypeError, AttributeError) as error:
            raise Invalid(DAMAGED.format(name=path.name), code="bad_journal") from error

    def find(self, series_code: str, contents: str) -> Entry | None:
        """The entry of a series, if it was sent with the same contents."""
        entry = self.entries.get(series_code)
        return entry if entry is not None and entry.contents == contents else None

    def note(self, series_code: str, entry: Entry) -> None:
        """Keep an entry: a new file beside the old one, then renamed over it."""
        self.entries[series_code] = entry
        self._all[self._name] = {code: asdict(entry) for code, entry in self.entries.items()}
        spare = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        with spare.open("w", encoding="utf-8") as handle:
            json.dump(self._all, handle, indent=1)
            handle.flush()
            os.fsync(handle.fileno())
        spare.replace(self._path)
        sync_folder(self._path.parent)
