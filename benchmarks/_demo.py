"""A demonstration started for a benchmark, in its own folder."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from voxloop.embedded.processes import free_port, list_descendants

ROOT = Path(__file__).parents[1]


class RunningDemo:
    """A started demonstration: its card (`demo.json`), its processes, its database."""

    def __init__(self, state: Path, process: subprocess.Popen[bytes], started: float) -> None:
        self.state = state
        self.process = process
        self.started = started

    @property
    def card(self) -> dict[str, Any]:
        """The current content of `demo.json`; empty before it is written."""
        try:
            return dict(json.loads((self.state / "demo.json").read_text()))
        except FileNotFoundError:
            return {}

    def seconds(self) -> float:
        """Since the command was started."""
        return time.monotonic() - self.started

    def wait(self, condition: Any, what: str, seconds: float = 1800) -> float:
        """Wait until `condition(self)`; return the seconds since the start."""
        while not condition(self):
            self.check_alive()
            if self.seconds() > seconds:
                raise RuntimeError(f"{what} did not happen within {seconds} s.")
            time.sleep(0.05)
        return self.seconds()

    def check_alive(self) -> None:
        """Raise when the command has ended."""
        if self.process.poll() is not None:
            raise RuntimeError(f"The demonstration ended by itself with code {self.process.returncode}.")

    def query(self, question: str) -> list[tuple[Any, ...]]:
        """Rows from its database."""
        with psycopg.connect(self.database) as connection:
            return connection.execute(question).fetchall()

    @property
    def environment(self) -> dict[str, str]:
        """Of one of its own processes."""
        lines = Path(f"/proc/{self.card['pids']['web']}/environ").read_bytes().decode().split("\0")
        return {name: value for name, _, value in (line.partition("=") for line in lines if line)}

    @property
    def database(self) -> str:
        """Address of its database."""
        return self.environment["VOXLOOP_DATABASE"]

    def password(self, username: str) -> str:
        """Of one of its accounts."""
        return next(str(a["password"]) for a in self.card["accounts"] if a["username"] == username)

    def run_inside(self, script: str) -> str:
        """Run Python with the product's own settings; returns its output."""
        command = [sys.executable, str(ROOT / "manage.py"), "shell", "--no-imports", "-c", script]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, cwd=ROOT)
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        return done.stdout

    def processes(self) -> dict[str, list[int]]:
        """Pids by name, each with its descendants."""
        return {name: [pid, *list_descendants(pid)] for name, pid in self.card["pids"].items() if name != "supervisor"}


@contextlib.contextmanager
def running_demo(state: Path, **settings: str) -> Iterator[RunningDemo]:
    """Start `manage.py demo` in `state` with additional environment variables, and stop it at the end."""
    started = time.monotonic()
    command = [sys.executable, str(ROOT / "manage.py"), "demo", "--no-browser", "--state", str(state)]
    process = subprocess.Popen(
        [*command, "--port", str(free_port())], stdout=subprocess.DEVNULL, env=os.environ | settings
    )
    try:
        yield RunningDemo(state, process, started)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@contextlib.contextmanager
def temporary_state() -> Iterator[Path]:
    """A folder for a demonstration that the database's user can reach, deleted at the end."""
    state = Path(tempfile.mkdtemp(prefix="voxloop-bench-", dir=os.environ.get("VOXLOOP_BENCH_FOLDER")))
    state.chmod(0o711)
    try:
        yield state
    finally:
        shutil.rmtree(state, ignore_errors=True)


def is_running(demo: RunningDemo) -> bool:
    """Every process answers."""
    return bool(demo.card.get("running"))


def is_complete(demo: RunningDemo) -> bool:
    """Whether the demonstration is complete; raises when it failed."""
    if demo.card.get("demonstration") == "failed":
        raise RuntimeError(f"The demonstration failed: {(demo.state / 'log' / 'demonstration.log').read_text()[-500:]}")
    return demo.card.get("demonstration") == "complete"
