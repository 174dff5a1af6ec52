"""Shows the progress of the set-up on the terminal and on every page."""

import json
import time
from collections.abc import Callable

from annotation.pages.selectors.setup import progress_file
from voxloop.kernel.clock import now


class SetupReporter:
    """Shows each step once; the percentage never decreases."""

    def __init__(self, tell: Callable[[str], object]) -> None:
        self._tell = tell
        self._percent = 0
        self._said = ""
        self._started, self._started_at = time.monotonic(), now()

    def report(self, percent: float, message: str) -> None:
        """Show `message` at `percent` (0-100) of the whole."""
        self._percent = max(self._percent, min(100, round(percent)))
        self._write(message, running=self._percent < 100)

    def stop(self, message: str) -> None:
        """Show why it stopped."""
        self._write(message, running=False)

    def _write(self, message: str, *, running: bool) -> None:
        if message == self._said:
            return
        self._said = message
        path = progress_file()
        half = path.with_suffix(".new")
        half.write_text(
            json.dumps(
                {
                    "running": running,
                    "percent": self._percent,
                    "message": message,
                    "started_at": self._started_at.isoformat(),
                }
            ),
            encoding="utf-8",
        )
        half.replace(path)
        self._tell(f"{self._percent:3d} %  {message}  ({time.monotonic() - self._started:.0f} s)")
