"""What became of the attributes: counts by class, never a value."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pydicom.datadict import dictionary_has_tag, dictionary_VR

KEPT, CHANGED, REMOVED = "kept", "changed", "removed"
_BY_VR = {
    "PN": "names of persons",
    "UI": "other identifiers",
    **dict.fromkeys(("DA", "DT", "TM"), "other dates and times"),
    **dict.fromkeys(("LO", "LT", "SH", "ST", "UC", "UT", "UR"), "free text"),
    "SQ": "sequences",
}


@dataclass
class Report:
    """Counts of attributes by class and outcome: the groups of the rule file, and the classes of what is removed."""

    files: int = 0
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, name: str, outcome: str) -> None:
        self.counts[name, outcome] += 1

    def merge(self, other: Report) -> None:
        """Add the counts of another report."""
        self.files += other.files
        self.counts.update(other.counts)

    def to_json(self) -> dict[str, Any]:
        """`{files, classes: {class: {kept, changed, removed}}}`."""
        names = sorted({name for name, _ in self.counts})
        outcomes = (KEPT, CHANGED, REMOVED)
        return {
            "files": self.files,
            "classes": {name: {outcome: self.counts[name, outcome] for outcome in outcomes} for name in names},
        }


@lru_cache(maxsize=4096)
def class_of(tag: int) -> str:
    """The class of an attribute that is not listed (PS3.5 7.6, 7.8; PS3.6)."""
    group = tag >> 16
    if group % 2:
        return "private tags"
    if group & 0xFF00 == 0x6000:
        return "overlays"
    if group & 0xFF00 == 0x5000:
        return "curves"
    if group <= 0x0002:
        return "file meta"
    if not dictionary_has_tag(tag):
        return "unknown tags"
    return _BY_VR.get(dictionary_VR(tag), "other attributes")
