"""Codes and shifts by the site's secret key. Without the key none of them leads back."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import date, timedelta

from voxloop.kernel.uids import uid_of_digest

KEY_BYTES = 32
# No vowel and no digit: such a code reads neither like a name nor like a date (annotation.intake.dicom.identity).
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
CODE_LETTERS = 18  # 77 bits: among a million subjects a collision has probability 3e-12
MOST_SHIFT_DAYS = 3650


@dataclass(frozen=True)
class Person:
    """What takes the place of a patient: the code, and by how many days dates move (always back)."""

    code: str
    shift_days: int

    def move(self, day: date) -> date | None:
        """The day as it is written; None where the calendar ends."""
        try:
            return day + timedelta(days=self.shift_days)
        except OverflowError:
            return None


@dataclass(frozen=True)
class SiteKeys:
    """Codes of one campaign at one site. The secret stays out of `repr`, so that no log or trace shows it."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes")

    def uid(self, original: str) -> str:
        """The replacement of a UID: under `2.25.` (PS3.5 B.2), a version 8 UUID of RFC 9562 from 122 bits of HMAC."""
        return uid_of_digest(self._digest("uid", original), version=8)

    def person(self, kind: str, identifier: str) -> Person:
        """Code and shift of a patient, by the Patient ID (`kind` "patient") or, without one, by the study."""
        number = int.from_bytes(self._digest("subject", kind, identifier), "big")
        signs = []
        for _ in range(CODE_LETTERS):
            number, rest = divmod(number, len(LETTERS))
            signs.append(LETTERS[rest])
        days = int.from_bytes(self._digest("shift", kind, identifier)[:8], "big") % MOST_SHIFT_DAYS + 1
        return Person("P-" + "".join(signs), -days)

    def _digest(self, *words: str) -> bytes:
        return hmac.new(self.secret, "\0".join(words).encode(), hashlib.sha256).digest()
