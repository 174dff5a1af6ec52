"""How far the set-up of the demonstration is, for everybody who logs in while it fills itself in."""

import json
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings


@dataclass(frozen=True)
class Progress:
    """Where the set-up is: `percent` of the whole, and a sentence."""

    running: bool
    percent: int
    message: str


def progress_file() -> Path:
    """The small file that `annotation.demonstration` writes and the pages read."""
    return Path(settings.STATE_DIR) / "demonstration.json"


def setup_progress() -> Progress | None:
    """What the file says; None where there is none, as in every installation that is no demonstration."""
    try:
        stored = json.loads(progress_file().read_text(encoding="utf-8"))
        return Progress(bool(stored["running"]), int(stored["percent"]), str(stored["message"]))
    except (OSError, ValueError, KeyError):
        return None
