"""The supervisor with small real processes; run as a child, because it ends all its descendants."""

import itertools
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from voxloop.embedded.processes import is_alive

ROOT = Path(__file__).parents[3]
HEAD = """
import sys, time, os, signal
from pathlib import Path
from voxloop.embedded.messages import StartError, say
from voxloop.embedded.supervisor import Child, StopRequested, Supervisor

here = Path(sys.argv[1])

def child(name, code, **more):
    pid_file = str(here / f"{name}.pid")
    prelude = f"import os, sys, time, signal; open({pid_file!r}, 'a').write(str(os.getpid()) + chr(10)); "
    return Child(name=name, argv=[sys.executable, "-c", prelude + code], log=here / f"{name}.log", **more)

def wrote(name):
    return lambda: (here / name).exists()
"""


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Start a script that uses the supervisor; `tmp_path` is `here` in it."""
    started: list[subprocess.Popen[str]] = []

    def start(body: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", HEAD + textwrap.dedent(body), str(tmp_path)],
            env=os.environ | {"PYTHONPATH": str(ROOT / "platform")},
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def wait_for(condition: Callable[[], object], seconds: float = 90.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def pids(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def test_children_start_in_order_and_stop_in_reverse(
    tmp_path: Path, supervise: Callable[[str], subprocess.Popen[str]]
) -> None:
    script = supervise("""
        def told(name):
            return (f"story = {str(here / 'story')!r}; open(story, 'a').write('+{name} '); "
                    f"signal.signal(signal.SIGTERM, lambda *_: (open(story, 'a').write('-{name} '), sys.exit())); "
                    f"time.sleep(0.2); open({str(here)!r} + '/{name}.ready', 'w'); time.sleep(60)")
        with Supervisor() as supervisor:
            supervisor.start(child("first", told("first"), is_ready=wrote("first.ready")))
            supervisor.start(child("second", told("second"), is_ready=wrote("second.ready")))
            (here / "up").touch()
            supervisor.keep_running()
    """)
    wait_for((tmp_path / "up").exists)
    script.send_signal(signal.SIGINT)
    _, said = script.communicate(timeout=90)
    assert script.returncode == 0, said
    assert (tmp_path / "story").read_text() == "+first +second -second -first "
    assert said == ""


def test_a_crashed_child_is_started_again_and_told_in_one_sentence(
    tmp_path: Path, supervise: Callable[[str], subprocess.Popen[str]]
) -> None:
    script = supervise("""
        with Supervisor(first_pause_seconds=0.1) as supervisor:
            supervisor.start(child("web", "time.sleep(60)"))
            supervisor.keep_running()
    """)
    wait_for(lambda: len(pids(tmp_path / "web.pid")) == 1)
    os.kill(pids(tmp_path / "web.pid")[0], signal.SIGKILL)
    wait_for(lambda: len(pids(tmp_path / "web.pid")) == 2)
    script.terminate()
    _, said = script.communicate(timeout=90)
    assert said == f"web was killed by SIGKILL: starting it again in 0 s (log: {tmp_path}/web.log).\n"
    assert [pid for pid in pids(tmp_path / "web.pid") if is_alive(pid)] == []


def test_the_pause_grows_while_a_child_keeps_crashing(
    tmp_path: Path, supervise: Callable[[str], subprocess.Popen[str]]
) -> None:
    script = supervise("""
        with Supervisor(first_pause_seconds=0.2) as supervisor:
            note = f"open({str(here / 'times')!r}, 'a').write(str(time.monotonic()) + ' '); sys.exit(3)"
            supervisor.start(child("beat", note))
            supervisor.keep_running()
    """)
    wait_for(lambda: (tmp_path / "times").exists() and len((tmp_path / "times").read_text().split()) == 4)
    script.terminate()
    _, said = script.communicate(timeout=90)
    assert "beat ended with code 3: starting it again" in said
    times = [float(time) for time in (tmp_path / "times").read_text().split()]
    pauses = [late - early for early, late in itertools.pairwise(times)]
    # Starting takes its time as well, more on a loaded machine.
    assert all(pause >= 0.2 * 2**n for n, pause in enumerate(pauses)), pauses


def test_a_child_that_does_not_start_is_a_sentence_and_nothing_is_left(
    tmp_path: Path, supervise: Callable[[str], subprocess.Popen[str]]
) -> None:
    script = supervise("""
        try:
            with Supervisor() as supervisor:
                supervisor.start(child("database", "time.sleep(60)"))
                supervisor.start(child("web", "sys.exit('Address already in use')", is_ready=wrote("never")))
        except StartError as error:
            say(str(error)); sys.exit(1)
    """)
    _, said = script.communicate(timeout=90)
    assert script.returncode == 1
    assert said == f"web did not start: Address already in use (log: {tmp_path}/web.log)\n"
    assert not is_alive(pids(tmp_path / "database.pid")[0])


def test_a_child_that_is_never_ready_is_a_sentence(supervise: Callable[[str], subprocess.Popen[str]]) -> None:
    script = supervise("""
        try:
            with Supervisor() as supervisor:
                supervisor.start(child("web", "time.sleep(60)", is_ready=wrote("never"), ready_within_seconds=0.5))
        except StartError as error:
            say(str(error)); sys.exit(1)
    """)
    _, said = script.communicate(timeout=90)
    assert said.startswith("web was not ready in 0 s")


def test_a_full_disk_is_told_as_such(supervise: Callable[[str], subprocess.Popen[str]]) -> None:
    script = supervise("""
        try:
            with Supervisor() as supervisor:
                supervisor.run_once(child("migrate", "sys.exit('OSError: [Errno 28] No space left on device')"))
        except StartError as error:
            say(str(error)); sys.exit(1)
    """)
    _, said = script.communicate(timeout=90)
    assert said == "migrate failed: the disk is full.\n"


def test_a_child_that_ignores_term_and_its_own_children_are_ended(
    tmp_path: Path, supervise: Callable[[str], subprocess.Popen[str]]
) -> None:
    script = supervise("""
        stubborn = ("import subprocess; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
                    "inner = subprocess.Popen(['sleep', '60']); "
                    "outer = subprocess.Popen(['sleep', '60'], start_new_session=True); "
                    "both = f'{inner.pid} {outer.pid}'; "
                    f"open({str(here / 'inner.pid')!r}, 'w').write(both); time.sleep(60)")
        with Supervisor() as supervisor:
            supervisor.start(child("worker", stubborn, grace_seconds=0.5))
            supervisor.keep_running()
    """)
    wait_for(lambda: len(pids(tmp_path / "inner.pid")) == 2)
    everyone = pids(tmp_path / "inner.pid") + pids(tmp_path / "worker.pid")
    script.terminate()
    _, said = script.communicate(timeout=90)
    assert said == "worker did not stop in 0 s: ending it.\n"
    assert [pid for pid in everyone if is_alive(pid)] == []


@pytest.mark.fault("the supervisor is killed")
def test_children_end_when_the_supervisor_is_killed(
    tmp_path: Path, supervise: Callable[[str], subprocess.Popen[str]]
) -> None:
    script = supervise("""
        deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
        with Supervisor() as supervisor:
            supervisor.start(child("web", "time.sleep(60)"), child("clock", deaf, orphan_signal=signal.SIGKILL))
            supervisor.keep_running()
    """)
    wait_for(lambda: len(pids(tmp_path / "web.pid") + pids(tmp_path / "clock.pid")) == 2)
    everyone = pids(tmp_path / "web.pid") + pids(tmp_path / "clock.pid")
    script.kill()
    script.communicate(timeout=90)
    wait_for(lambda: not [pid for pid in everyone if is_alive(pid)])


def test_a_command_that_ends_shows_its_lines_and_others_live_on(
    tmp_path: Path, supervise: Callable[[str], subprocess.Popen[str]]
) -> None:
    script = supervise("""
        with Supervisor() as supervisor:
            supervisor.start(child("web", "time.sleep(60)"))
            supervisor.run_once(child("migrate", "print('one'); print('two')"), show=say)
            say("alive" if "web" in supervisor.pids and "migrate" not in supervisor.pids else str(supervisor.pids))
    """)
    _, said = script.communicate(timeout=90)
    assert said == "one\ntwo\nalive\n"


def test_stop_is_heard_while_waiting_for_a_command(
    tmp_path: Path, supervise: Callable[[str], subprocess.Popen[str]]
) -> None:
    script = supervise("""
        try:
            with Supervisor() as supervisor:
                supervisor.run_once(child("migrate", "time.sleep(60)"))
        except StopRequested:
            say("heard")
    """)
    wait_for(lambda: pids(tmp_path / "migrate.pid"))
    script.terminate()
    _, said = script.communicate(timeout=90)
    assert said == "heard\n"
    assert not is_alive(pids(tmp_path / "migrate.pid")[0])
