"""How far the demonstration is: one small file that the command writes and the pages read."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings


def progress_file() -> Path:
    """Where it lies."""
    return Path(settings.STATE_DIR) / "demonstration.json"


def read_progress() -> dict[str, Any] | None:
    """`{"percent", "text"}` while the demonstration is being created, else None."""
    try:
        stored = json.loads(progress_file().read_text())
    except (OSError, ValueError):
        return None
    return stored if stored.get("percent", 100) < 100 else None


class Progress:
    """Tells each step on the terminal and in the file; never goes back."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._percent = 0

    def report(self, percent: float, text: str) -> None:
        """Say `text` at `percent` (0-100) of the whole."""
        self._percent = max(self._percent, min(100, round(percent)))
        half = progress_file().with_suffix(".new")
        half.write_text(json.dumps({"percent": self._percent, "text": text}))
        half.replace(progress_file())
        self._tell(f"{self._percent:3d} %  {text}")
