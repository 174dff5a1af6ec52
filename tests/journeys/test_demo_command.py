"""`manage.py demo` with a campaign without scans: start, crash of a child, stop, second start."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from voxloop.embedded.processes import command_line, free_port, is_alive, is_port_free, list_descendants

ROOT = Path(__file__).parents[2]


class Demo:
    """A started command."""

    def __init__(self, state: Path, settings: dict[str, str] | None = None) -> None:
        self.state = state
        self.settings = {"VOXLOOP_DEMO_SCANS": "0", **(settings or {})}
        self.port = free_port()
        self.process = self.start()

    def start(self) -> subprocess.Popen[str]:
        command = [sys.executable, str(ROOT / "manage.py"), "demo", "--no-browser", "--state", str(self.state)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("VOXLOOP_")}
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port)],
            env=environment | self.settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return self.process

    def card(self) -> dict[str, Any]:
        try:
            return dict(json.loads((self.state / "demo.json").read_text()))
        except FileNotFoundError:
            return {}

    def wait(self, condition: Callable[[dict[str, Any]], object], seconds: float = 90.0) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while not condition(self.card()):
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < end, self.card()
            time.sleep(0.1)
        return self.card()

    def status(self, path: str) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return int(answer.status)

    def stop(self) -> tuple[int, str, str]:
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


@pytest.fixture
def demo() -> Iterator[Demo]:
    state = Path(tempfile.mkdtemp(prefix="voxloop-demo-"))
    state.chmod(0o711)
    demo = Demo(state)
    yield demo
    if demo.process.poll() is None:
        demo.stop()
    shutil.rmtree(state, ignore_errors=True)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.fault("a child of the demonstration is killed")
def test_start_crash_stop_and_start_again(demo: Demo) -> None:
    card = demo.wait(lambda card: card.get("running") and card.get("demonstration") == "complete")
    assert (demo.state / "demo.json").stat().st_mode & 0o777 == 0o600
    assert card["address"] == f"http://localhost:{demo.port}/"
    assert {"PostgreSQL", "web", "worker default-1", "worker default-2", "worker ml-1", "beat", "supervisor"} == set(
        card["pids"]
    )
    assert demo.status("/healthz") == 200
    assert demo.status("/accounts/login/") == 200

    os.kill(card["pids"]["web"], signal.SIGKILL)
    demo.wait(lambda now: now["pids"].get("web") not in (None, card["pids"]["web"]) and answers(demo.port))
    assert demo.status("/healthz") == 200

    os.kill(card["pids"]["PostgreSQL"], signal.SIGKILL)
    demo.wait(lambda now: now["pids"].get("PostgreSQL") not in (None, card["pids"]["PostgreSQL"]))

    everyone = [demo.process.pid, *list_descendants(demo.process.pid)]
    code, out, err = demo.stop()
    assert code == 0, err
    assert [pid for pid in everyone if is_alive(pid)] == []
    assert is_port_free(demo.port)
    for account in card["accounts"]:
        assert f"{account['username']:<13}  {account['password']}" in out
    said = err.splitlines()
    assert any(line.startswith("web was killed by SIGKILL: starting it again") for line in said)
    assert any(line.startswith("PostgreSQL was killed by SIGKILL: starting it again") for line in said)
    assert said[-1] == "Stopped."
    assert demo.card()["running"] is False

    demo.start()
    again = demo.wait(lambda now: now.get("running"))
    assert again["accounts"] == card["accounts"]
    assert again["demonstration"] == "complete"
    assert demo.status("/accounts/login/") == 200


@pytest.mark.fault("the demonstration itself is killed")
def test_nothing_is_left_when_the_command_itself_is_killed(demo: Demo) -> None:
    demo.wait(lambda card: card.get("running"))
    everyone = {pid: command_line(pid) for pid in [demo.process.pid, *list_descendants(demo.process.pid)]}
    assert len(everyone) > 6
    demo.process.kill()
    demo.process.communicate(timeout=10)
    end = time.monotonic() + 30
    while any(is_alive(pid) for pid in everyone) and time.monotonic() < end:
        time.sleep(0.1)
    assert {pid: command for pid, command in everyone.items() if is_alive(pid)} == {}
    # Leftovers do not block the next start.
    demo.start()
    demo.wait(lambda card: card.get("running") and card["pids"].get("supervisor") == demo.process.pid)
    assert demo.status("/healthz") == 200
