"""The product as its operator runs it: its own database, the front, and both Celery workers, as real processes."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg

from voxloop.embedded.commands import beat_command, worker_command

ROOT = Path(__file__).resolve().parents[1]


SUPERVISE = """
import contextlib, os, sys
from pathlib import Path
from voxloop.embedded.demo import Demo
from voxloop.embedded.supervisor import StopRequested, Supervisor
with Supervisor() as supervisor, contextlib.suppress(StopRequested):
    supervisor.start(*Demo(Path(sys.argv[1]), Path(sys.argv[2]), 1).background(dict(os.environ)))
    supervisor.keep_running()
"""


def free_port() -> int:
    """A free port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Product:
    """Processes and their environment. `kill` ends one as a power cut would."""

    def __init__(self, state: Path, database: str, secret: str = "") -> None:
        self.state = state
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.releases, self.export_to = state / "releases", ""
        self.environment = os.environ | {
            "VOXLOOP_DATABASE": database,
            "VOXLOOP_STATE": str(state),
            "VOXLOOP_STORAGE": f"file://{state}/objects",
            "VOXLOOP_EXPORTS": str(state / "releases"),
            "VOXLOOP_SECRET_KEY": secret or "only-for-this-test-" + uuid4().hex,
            "DJANGO_SETTINGS_MODULE": "voxloop.project.settings",
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}",
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def manage(self, *arguments: str, check: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a management command to its end; `more` is added to its environment."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment | more,
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert not check or done.returncode == 0, f"manage.py {arguments[0]}: {done.stdout}\n{done.stderr}"
        return done

    def start(self, name: str) -> subprocess.Popen[bytes]:
        """Start `web`, `default`, `ml`, `beat`, or the `supervisor` of one machine with all workers and the
        scheduler."""
        command = {
            "web": [
                sys.executable,
                "-m",
                "voxloop.project.front",
                "--bind",
                f"127.0.0.1:{self.port}",
                "--processes",
                "1",
            ],
            "default": [sys.executable, "-m", *worker_command(f"default-{self.port}", "default")],
            "ml": [sys.executable, "-m", *worker_command(f"ml-{self.port}", "ml")],
            "beat": [sys.executable, "-m", *beat_command()],
            "supervisor": [sys.executable, "-c", SUPERVISE, str(ROOT), str(self.state)],
        }[name]
        log = (self.state / f"{name}.log").open("ab")
        process = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
        )
        log.close()
        self.processes[name] = process
        if name == "web":
            self.wait_until_up()
        return process

    def wait_until_up(self, seconds: float = 60) -> None:
        """Until the web server answers."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/healthz?live", timeout=2) as answer:
                if answer.status == 200:
                    return
            assert self.processes["web"].poll() is None, (self.state / "web.log").read_text()
            time.sleep(0.2)
        raise AssertionError("the web server did not come up: " + (self.state / "web.log").read_text())

    def kill(self, name: str) -> None:
        """Kill a process and its children at once."""
        process = self.processes.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def stop(self) -> None:
        """Stop everything: SIGTERM first, then SIGKILL."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for name, process in list(self.processes.items()):
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill(name)
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def logs(self) -> str:
        """The last lines of every process, for a failing test."""
        return "\n".join(
            f"--- {path.name}\n{path.read_text(errors='replace')[-3000:]}" for path in sorted(self.state.glob("*.log"))
        )


@contextlib.contextmanager
def new_database(template: str = "template1") -> Iterator[str]:
    """An empty database on the server of the tests, or a copy of `template`, to which nobody is connected; its URL."""
    server = urlsplit(os.environ["VOXLOOP_DATABASE"])
    name = f"product_{uuid4().hex[:12]}"

    def run(statement: str) -> None:
        with psycopg.connect(urlunsplit(server._replace(path="/postgres")), autocommit=True) as connection:
            connection.execute(statement)

    run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield urlunsplit(server._replace(path=f"/{name}"))
    finally:
        run(f'DROP DATABASE "{name}" WITH (FORCE)')


def wait_for(what: str, check: Any, seconds: float = 60, every: float = 0.3) -> Any:
    """Call `check` until it returns something true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := check():
            return found
        time.sleep(every)
    raise AssertionError(f"waited {seconds:.0f} s in vain for {what}")
