"""What of an export is written already, so that one that was stopped goes on where it was and gives the same bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Done:
    """A scan that is written: its files as the manifest lists them, and what the writer of each format told of it."""

    files: Sequence[Mapping[str, Any]]
    told: Sequence[Any]


class Progress(Protocol):
    """Keeps the scans of one export that are written. `place` counts the scans of the list from 0."""

    def recall(self, place: int, scan: Mapping[str, Any]) -> Done | None:
        """A scan that an earlier attempt has written, its files being there; None: write it."""

    def keep(self, place: int, scan: Mapping[str, Any], done: Done) -> None:
        """Note a scan that was written just now. Its files may move to where the export goes."""


class NoProgress:
    """Remembers nothing: every scan is written."""

    def recall(self, place: int, scan: Mapping[str, Any]) -> Done | None:
        """Nothing was written before."""
        return None

    def keep(self, place: int, scan: Mapping[str, Any], done: Done) -> None:
        """Nothing is kept."""
