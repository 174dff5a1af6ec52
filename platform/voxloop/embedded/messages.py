"""Messages for a person at the terminal, on stderr, so that stdout stays free for results."""

import contextlib
import sys
import time
from types import TracebackType


class StartError(Exception):
    """Something a person can fix, told in one sentence; the command ends with exit code 1."""


def say(sentence: str) -> None:
    """Write one line to stderr; a failed write (full disk, closed terminal) is ignored."""
    with contextlib.suppress(OSError):
        sys.stderr.write(sentence + "\n")
        sys.stderr.flush()


class ProgressLine:
    """A progress line: rewritten in place on a terminal, appended every few seconds to a log."""

    WIDTH = 100
    LOG_EVERY_SECONDS = 10.0

    def __init__(self, title: str) -> None:
        self.title = title
        self.started = time.monotonic()
        self._tty = sys.stderr.isatty()
        self._last = self.started
        if not self._tty:
            say(f"{title} …")

    def show(self, text: str) -> None:
        """Show `text` as the current step."""
        now = time.monotonic()
        if self._tty:
            line = f"{self.title}: {text}"[: self.WIDTH]
            sys.stderr.write(f"\r{line:<{self.WIDTH}}")
            sys.stderr.flush()
        elif now - self._last >= self.LOG_EVERY_SECONDS:
            self._last = now
            say(f"{self.title}: {text}")

    def __enter__(self) -> "ProgressLine":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._tty:
            sys.stderr.write("\r" + " " * self.WIDTH + "\r")
        if kind is None:
            say(f"{self.title}: done in {time.monotonic() - self.started:.0f} s")
