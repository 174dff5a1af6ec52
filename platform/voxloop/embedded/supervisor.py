"""Keeps a set of processes running: starts them in order, restarts crashed ones, leaves none behind."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from voxloop.embedded.messages import StartError, say
from voxloop.embedded.processes import adopt_orphans, die_with_parent, last_words, list_descendants
from voxloop.kernel.errors import FULL
from voxloop.kernel.pulse import DEAD_AFTER_SECONDS, FIRST_WITHIN_SECONDS, proof_of

POLL_SECONDS = 0.1
HEALTHY_AFTER_SECONDS = 20.0
LONGEST_PAUSE_SECONDS = 30.0
ORPHANS_END_WITHIN_SECONDS = 5.0


class StopRequested(Exception):  # noqa: N818
    """INT or TERM arrived; carries nothing."""


@dataclass(frozen=True)
class Child:
    """One process to keep running.

    `is_ready` tells when others may depend on it (None: at once); `before_start` runs before each start;
    `grace_seconds` is how long it may take to stop after `stop_signal`, sent to its main process only. When this
    process is killed the kernel sends the child `orphan_signal` (None: `stop_signal`), once. `proof` is a file that the
    child touches while it works (`voxloop.kernel.pulse`): a child that stops touching it is killed and restarted."""

    name: str
    argv: list[str]
    log: Path
    env: Mapping[str, str] | None = None
    is_ready: Callable[[], bool] | None = None
    before_start: Callable[[], None] | None = None
    ready_within_seconds: float = 60.0
    stop_signal: int = signal.SIGTERM
    orphan_signal: int | None = None
    grace_seconds: float = 10.0
    proof: Path | None = None
    longest_pause_seconds: float = LONGEST_PAUSE_SECONDS
    popen_options: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class _Running:
    child: Child
    stage: int
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    crashes: int = 0
    start_again_at: float = 0.0
    log_offset: int = 0
    proof_seen: int = 0
    proof_due: float = 0.0


class Supervisor:
    """Runs children until told to stop.

    Use from the main thread, as a context manager: on exit it ends every descendant process."""

    def __init__(self, *, first_pause_seconds: float = 0.5) -> None:
        self.first_pause_seconds = first_pause_seconds
        self._running: list[_Running] = []
        self._stages = 0
        self._stop_requested = False
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> "Supervisor":
        adopt_orphans()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._handlers[number] = signal.signal(number, self._request_stop)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _request_stop(self, *_: object) -> None:
        self._stop_requested = True

    @property
    def pids(self) -> dict[str, int]:
        """Main process of each running child by name."""
        return {each.child.name: each.process.pid for each in self._running if each.process}

    def start(self, *children: Child) -> None:
        """Start children concurrently and return when all are ready.

        Raises `StartError` when one ends or is not ready in time, `StopRequested` when INT or TERM arrives.
        """
        self._stages += 1
        new = [_Running(child, self._stages) for child in children]
        for each in new:
            self._running.append(each)
            self._launch(each)
        waiting = [each for each in new if each.child.is_ready]
        while waiting:
            self._raise_if_stopped()
            for each in new:
                if each.process is None or each.process.poll() is not None:
                    raise StartError(f"{each.child.name} did not start: {self._last_line(each)}")
                limit = each.child.ready_within_seconds
                if each in waiting and time.monotonic() - each.started > limit:
                    raise StartError(f"{each.child.name} was not ready in {limit:.0f} s (log: {each.child.log})")
            self._keep_others_running(new)
            waiting = [each for each in waiting if each.child.is_ready and not each.child.is_ready()]
            if waiting:
                time.sleep(POLL_SECONDS)

    def run_once(self, child: Child, *, show: Callable[[str], None] | None = None) -> None:
        """Run a child that is expected to end, and keep the others running meanwhile.

        `show` gets each line of its log as it is written. Raises `StartError` when it fails, `StopRequested` as above.
        """
        self._stages += 1
        each = _Running(child, self._stages)
        self._launch(each)
        process = each.process
        if process is None:
            raise RuntimeError("the child was not launched")
        self._running.append(each)
        try:
            with child.log.open("rb") as log:
                log.seek(each.log_offset)
                while True:
                    ended = process.poll() is not None
                    if show:
                        for line in log.read().decode(errors="replace").splitlines():
                            show(line)
                    if ended:
                        break
                    self._raise_if_stopped()
                    self._keep_others_running([each])
                    time.sleep(POLL_SECONDS)
        finally:
            if process.poll() is not None:
                self._running.remove(each)
        if process.returncode:
            raise StartError(f"{child.name} failed: {self._last_line(each)}")

    def keep_running(self, *, each_round: Callable[[], None] | None = None) -> None:
        """Restart children that end, until INT or TERM."""
        while not self._stop_requested:
            self._keep_others_running([])
            if each_round:
                each_round()
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """Stop children in reverse order of start, those started together concurrently; then every other descendant."""
        for stage in sorted({each.stage for each in self._running}, reverse=True):
            self._stop_stage([each for each in self._running if each.stage == stage])
        self._running.clear()
        # Grandchildren whose parent was killed were adopted by this process.
        for pid in list_descendants(os.getpid()):
            _kill(pid, signal.SIGKILL)
        end = time.monotonic() + ORPHANS_END_WITHIN_SECONDS
        with contextlib.suppress(ChildProcessError):
            while time.monotonic() < end:
                if os.waitpid(-1, os.WNOHANG) == (0, 0):
                    time.sleep(0.01)

    def _launch(self, each: _Running) -> None:
        child = each.child
        if child.before_start:
            child.before_start()
        options = {"env": child.env, **child.popen_options}
        orphan_signal = child.stop_signal if child.orphan_signal is None else child.orphan_signal
        each.started = time.monotonic()
        if child.proof:
            each.proof_seen, each.proof_due = proof_of(child.proof), each.started + FIRST_WITHIN_SECONDS
        try:
            with _open_log(child.log) as log:
                each.log_offset = log.tell()
                each.process = subprocess.Popen(  # noqa: S603
                    child.argv,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    # Its own session: Ctrl-C in the terminal reaches this process only, which stops the rest in order.
                    start_new_session=True,
                    preexec_fn=die_with_parent(orphan_signal),
                    **options,
                )
        except OSError as error:
            raise StartError(f"{child.name} could not be started: {error.strerror or error}.") from error

    def _keep_others_running(self, except_these: list[_Running]) -> None:
        now = time.monotonic()
        for each in self._running:
            if each in except_these:
                continue
            if each.process and each.process.poll() is not None:
                self._note_crash(each, now)
            elif each.process is None and now >= each.start_again_at:
                self._launch_again(each, now)
            elif each.process and each.child.proof:
                self._look_for_proof(each, each.child.proof, now)

    def _launch_again(self, each: _Running, now: float) -> None:
        """Like the first launch, but a failure is retried later: a full disk may have room then."""
        try:
            self._launch(each)
        except (StartError, OSError) as error:
            each.crashes += 1
            each.start_again_at = now + self._pause(each)
            say(f"{each.child.name} could not be started ({error}): trying again in {self._pause(each):.0f} s.")

    def _look_for_proof(self, each: _Running, proof: Path, now: float) -> None:
        # Timed by the monotonic clock: the system clock may be set forward by hours.
        found = proof_of(proof)
        if found != each.proof_seen:
            each.proof_seen, each.proof_due, each.crashes = found, now + DEAD_AFTER_SECONDS, 0
        elif now > each.proof_due and each.process:
            say(f"{each.child.name} is running but takes no work: ending it.")
            each.proof_due = now + DEAD_AFTER_SECONDS
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(each.process.pid, signal.SIGKILL)

    def _pause(self, each: _Running) -> float:
        grown = self.first_pause_seconds * 2 ** min(each.crashes - 1, 10)
        return float(min(grown, each.child.longest_pause_seconds))

    def _note_crash(self, each: _Running, now: float) -> None:
        if each.process is None:
            return
        code, each.process = each.process.returncode, None
        # A child that ran for a while, or proved that it works (`_look_for_proof`), is not in a crash loop.
        each.crashes = 1 if now - each.started > HEALTHY_AFTER_SECONDS else each.crashes + 1
        pause = self._pause(each)
        each.start_again_at = now + pause
        cause = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        say(f"{each.child.name} {cause}: starting it again in {pause:.0f} s (log: {each.child.log}).")

    def _stop_stage(self, stage: list[_Running]) -> None:
        running = [(each.child, each.process) for each in stage if each.process]
        for child, process in running:
            if process.poll() is None:
                # To the main process only: a worker hangs when its whole process group gets TERM.
                _kill(process.pid, child.stop_signal)
        asked = time.monotonic()
        for child, process in running:
            try:
                process.wait(max(0.0, asked + child.grace_seconds - time.monotonic()))
            except subprocess.TimeoutExpired:
                say(f"{child.name} did not stop in {child.grace_seconds:.0f} s: ending it.")
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)  # the child, or what remains of its session
            process.wait()

    def _last_line(self, each: _Running) -> str:
        lines = [line.strip() for line in last_words(each.child.log) if line.strip()]
        if any("No space left on device" in line for line in lines[-20:]):
            return "the disk is full."
        return f"{lines[-1][:300] if lines else 'it ended without a message'} (log: {each.child.log})"

    def _raise_if_stopped(self) -> None:
        if self._stop_requested:
            raise StopRequested


def _open_log(path: Path) -> IO[bytes]:
    """The log to append to; /dev/null when the disk is too full to create it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("ab")
    except OSError as error:
        if error.errno not in FULL:
            raise
        return open(os.devnull, "ab")


def _kill(pid: int, signal_number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal_number)
