"""Two builds of the product side by side: ours, and that of a commit, each with its own database. To compare the cost
of saves, both use waitress, so that only the application differs."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import tarfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from voxloop.embedded.postgres import EmbeddedPostgres
from voxloop.embedded.processes import die_with_parent, free_port, list_descendants

ROOT = Path(__file__).parents[1]
BEGAN = "e031fe2"  # the baseline commit: "today's build"
WEB_PROCESSES = 2
THREADS = 8
TICKS = os.sysconf("SC_CLK_TCK")


class Build:
    """A build of the product with its own PostgreSQL and web processes; `root` is its source.

    With `has_front` each web process is the product's front, whose children serve; else it is waitress by itself.
    """

    def __init__(
        self, name: str, root: Path, state: Path, *, web_processes: int = WEB_PROCESSES, has_front: bool = False
    ) -> None:
        self.name, self.root, self.state, self.has_front = name, root, state, has_front
        self.postgres = EmbeddedPostgres(state / "database")
        self.ports = [free_port() for _ in range(web_processes)]
        self.web: list[subprocess.Popen[bytes] | None] = [None] * web_processes
        self.worker: subprocess.Popen[bytes] | None = None
        self.environment: dict[str, str] = {}

    def start(self) -> None:
        """Database, tables and web processes."""
        self.postgres.start()
        self.environment = os.environ | {
            # One role for both: older builds know no other.
            "VOXLOOP_DATABASE": self.postgres.owner_url,
            "VOXLOOP_STATE": str(self.state),
            "VOXLOOP_STORAGE": f"file://{self.state / 'objects'}",
            "VOXLOOP_SECRET_KEY": "only-for-this-benchmark",
            "DJANGO_SETTINGS_MODULE": "voxloop.project.settings",
            "PYTHONPATH": os.pathsep.join([str(self.root), str(self.root / "platform")]),
        }
        self.run("migrate", "-v", "0")
        for number in range(len(self.ports)):
            self.start_web(number)

    def start_web(self, number: int) -> None:
        """Start one of the web processes and wait until it answers."""
        address = f"127.0.0.1:{self.ports[number]}"
        plain = ["waitress", f"--listen={address}", f"--threads={THREADS}", "voxloop.project.wsgi:application"]
        front = ["voxloop.project.front", "--bind", address, "--processes", "2", "--threads", str(THREADS)]
        self.web[number] = self._start(f"web{number}", front if self.has_front else plain)
        end = time.monotonic() + 60
        while not self.answers(number):
            if time.monotonic() > end:
                raise RuntimeError(f"The web process of {self.name} did not come up; see {self.state}.")
            time.sleep(0.1)

    def answers(self, number: int) -> bool:
        """Whether a web process answers."""
        address = f"http://127.0.0.1:{self.ports[number]}/healthz?live"
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2) as answer:
            return bool(answer.status == 200)
        return False

    def start_worker(self) -> None:
        """Start the worker of the queue `default`."""
        self.run("prepare_broker", "--migrate")
        self._restart_worker()

    def _restart_worker(self) -> None:
        celery = ["celery", "-A", "voxloop.project", "worker", "-Q", "default", "-c", "1", "-n", f"{self.name}@bench"]
        self.worker = self._start("worker", celery)

    def _start(self, name: str, module: list[str]) -> subprocess.Popen[bytes]:
        with (self.state / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", *module],
                cwd=self.root,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGKILL),
            )

    @property
    def web_pids(self) -> list[int]:
        """Processes that serve requests."""
        found = [process.pid for process in self.web if process and process.poll() is None]
        return [child for pid in found for child in list_descendants(pid)] if self.has_front else found

    @property
    def workers(self) -> list[int]:
        """The worker and its children."""
        return [self.worker.pid, *list_descendants(self.worker.pid)] if self.worker else []

    def restore(self) -> None:
        """Restart what has ended, as a supervisor does."""
        if self.postgres.pid is None:
            self.postgres.start()
        for number, process in enumerate(self.web):
            if process and process.poll() is not None:
                self.start_web(number)
        if self.worker and self.worker.poll() is not None:
            self._restart_worker()

    def run(self, *arguments: str) -> str:
        """Run a management command of this build; returns its output."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{self.name}: {done.stderr[-2000:]}")
        return done.stdout

    def run_inside(self, script: str) -> str:
        """Run a script with this build's settings; returns its output."""
        return self.run("shell", "-v", "0", "-c", script)

    def processor_ms(self) -> tuple[float, float]:
        """CPU time so far of all web processes, and of PostgreSQL, in ms."""
        web = sum(map(_ticks, self.web_pids))
        server = self.postgres.pid
        database = _ticks(server, with_ended=True) + sum(map(_ticks, list_descendants(server))) if server else 0
        return 1000 * web / TICKS, 1000 * database / TICKS

    @contextlib.contextmanager
    def logged_statements(self) -> Iterator[list[str]]:
        """Collect every statement that the database gets meanwhile."""
        found: list[str] = []
        configuration = self.postgres.data / "postgresql.conf"
        before = configuration.read_text()
        self._configure(before + "\nlog_min_duration_statement = 0\nlog_line_prefix = ''\n")
        offset = self.postgres.log.stat().st_size
        try:
            yield found
        finally:
            self._configure(before)
        text = self.postgres.log.read_bytes()[offset:].decode(errors="replace")
        told = [line for line in text.splitlines() if line.startswith("LOG:  duration")]
        found += [line for line in told if "statement:" in line or "execute " in line]

    def _configure(self, text: str) -> None:
        (self.postgres.data / "postgresql.conf").write_text(text)
        os.kill(self.postgres.pid or 0, signal.SIGHUP)
        time.sleep(0.5)

    def stop(self) -> None:
        """End the web processes and the database."""
        for process in (*self.web, self.worker):
            if process:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)
        self.postgres.stop()
        self.postgres.remove()


def _ticks(pid: int | None, *, with_ended: bool = False) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(map(int, fields[11 : 15 if with_ended else 13]))


def source_of_today(folder: Path) -> Path:
    """The source of the baseline build: `VOXLOOP_BENCH_BASE`, or from the repository's history."""
    if given := os.environ.get("VOXLOOP_BENCH_BASE"):
        return Path(given)
    archive = subprocess.run(["git", "archive", BEGAN], cwd=ROOT, capture_output=True)
    if archive.returncode:
        raise RuntimeError(
            f"Today's build is read from the repository's history ({BEGAN}), which is not here: "
            "set VOXLOOP_BENCH_BASE to a folder that holds it."
        )
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as source:
        source.extractall(folder, filter="data")
    return folder
