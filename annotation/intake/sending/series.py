"""Which series there are among the files, by their headers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from annotation.intake.deidentify.cleaning import INSTANCE, quiet
from annotation.intake.deidentify.elements import find, text_of
from annotation.intake.deidentify.keys import SiteKeys
from annotation.intake.deidentify.rules import Rules
from annotation.intake.deidentify.screen import SERIES_UID, STUDY_UID
from annotation.intake.dicom.read import read_whole
from annotation.intake.limits import Limits
from annotation.intake.sending.sources import Member
from voxloop.kernel.errors import Refusal

SERIES_NUMBER = 0x00200011
LONGEST_NUMBER = 5  # digits: a longer Series Number may be a patient's or a date


@dataclass
class FoundSeries:
    """The files of one series. `code` is its new UID; `contents` tells whether it is the same as at another time."""

    code: str
    number: int | None
    members: list[Member] = field(default_factory=list)
    instances: list[str] = field(default_factory=list)

    def contents(self, rules: Rules) -> str:
        """See `hash_contents`."""
        return hash_contents(self.instances, rules)


def hash_contents(instances: Iterable[str], rules: Rules) -> str:
    """A hash of which images a series holds, by their codes, and of the version of the rules."""
    words = "\n".join([str(rules.version), *sorted(instances)])
    return hashlib.sha256(words.encode()).hexdigest()


@dataclass
class Finds:
    """The series, and how many files are no DICOM or damaged."""

    series: list[FoundSeries]
    not_dicom: int = 0
    unreadable: int = 0


def find_series(
    members: Sequence[Member], keys: SiteKeys, limits: Limits, on_progress: Callable[[int], None] = lambda done: None
) -> Finds:
    """Read every header. Files without a series UID make one series, which is refused file by file."""
    found: dict[tuple[str, str], FoundSeries] = {}
    finds = Finds([])
    for done, member in enumerate(members, start=1):
        try:
            with quiet():
                header, _ = read_whole(member.read(), limits, stop_before_pixels=True)
                study, uid, instance, number = (
                    text_of(find(header, tag)) for tag in (STUDY_UID, SERIES_UID, INSTANCE, SERIES_NUMBER)
                )
        except Refusal as refusal:
            if refusal.code == "not_dicom":
                finds.not_dicom += 1
            else:
                finds.unreadable += 1
        else:
            is_short = number.isdecimal() and number.isascii() and len(number) <= LONGEST_NUMBER
            series = found.setdefault(
                (study, uid), FoundSeries(keys.uid(uid) if uid else "", int(number) if is_short else None)
            )
            series.members.append(member)
            series.instances.append(keys.uid(instance) if instance else "")
        on_progress(done)
    finds.series = list(found.values())
    return finds
