"""What the gateway did, in a file that `--status` reads. Codes and counts only."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class RefusedSeries:
    """A series that the server did not take, with what it held then."""

    contents: str
    code: str
    reason: str


@dataclass
class Facts:
    """Counts since the vault was made; `problem` is what keeps series from being sent now."""

    received: int = 0
    set_aside: dict[str, int] = field(default_factory=dict)
    sent: int = 0
    waiting: int = 0
    problem: str = ""
    refused: dict[str, RefusedSeries] = field(default_factory=dict)


class Status:
    """The facts and their file; associations and the sender change them from their own threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.facts = read_facts(path)

    def count_received(self) -> None:
        """One more image was kept."""
        with self._lock:
            self.facts.received += 1

    def count_set_aside(self, code: str) -> None:
        """One more image was not kept."""
        with self._lock:
            self.facts.set_aside[code] = self.facts.set_aside.get(code, 0) + 1

    def save(self) -> None:
        """Write the file: a new one beside it, then renamed over it."""
        with self._lock:
            text = json.dumps(asdict(self.facts), indent=1)
        spare = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        spare.write_text(text, encoding="utf-8")
        spare.replace(self._path)


def read_facts(path: Path) -> Facts:
    """The facts of a file; none where there is no readable one: only counts are lost."""
    try:
        values = json.loads(path.read_text("utf-8"))
        refused = {code: RefusedSeries(**entry) for code, entry in values.pop("refused").items()}
        return Facts(**values, refused=refused)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return Facts()


def in_words(facts: Facts, *, is_running: bool) -> list[str]:
    """The lines that `--status` prints."""
    lines = ["The gateway is running." if is_running else "The gateway is not running; start it to go on."]
    lines.append(f"Images received: {facts.received}. Series sent: {facts.sent}, waiting: {facts.waiting}.")
    if facts.set_aside:
        told = ", ".join(f"{code} {count}" for code, count in sorted(facts.set_aside.items()))
        lines.append(f"Images not kept: {told}.")
    lines += [f"Refused by the server ({entry.code}). {entry.reason}" for entry in facts.refused.values()]
    return [*lines, facts.problem] if facts.problem else lines
