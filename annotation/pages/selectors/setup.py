"""Progress of the demonstration's set-up, shown to everybody while it runs."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings


@dataclass(frozen=True)
class SetupProgress:
    """Progress of the set-up: `percent` of the whole, a sentence, and when it was started."""

    running: bool
    percent: int
    message: str
    started_at: datetime | None


def progress_file() -> Path:
    """The file that `annotation.demonstration` writes and the pages read."""
    return Path(settings.STATE_DIR) / "demonstration.json"


def setup_progress() -> SetupProgress | None:
    """The content of the file; None where there is none (outside of a demonstration)."""
    try:
        stored = json.loads(progress_file().read_text(encoding="utf-8"))
        started = datetime.fromisoformat(stored["started_at"]) if "started_at" in stored else None
        return SetupProgress(bool(stored["running"]), int(stored["percent"]), str(stored["message"]), started)
    except (OSError, ValueError, KeyError, TypeError):
        return None
