"""The web processes of one machine: a parent that only holds the listening socket, and children that serve it. The
parent loads the product once and forks, so that children share memory and start fast. It replaces a child that ended,
hangs, exceeds its memory or has served its number of requests; the new one accepts connections before the old one
stops, so none is refused."""

import contextlib
import ctypes
import gc
import mmap
import os
import resource
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from waitress import wasyncore

from voxloop.embedded.messages import say
from voxloop.embedded.processes import die_with_parent
from voxloop.project.front.server import IDLE_SECONDS, Server, make_server

POLL_SECONDS = 0.2
LOOK_SECONDS = 2.0  # interval of checking the children's memory and requests
STOP_SECONDS = 4.0  # time for requests in progress at a stop
RETIRE_SECONDS = IDLE_SECONDS + 45.0  # a replaced child ends with its last connection, at the latest after this time
TRIM_SECONDS = 30.0
SETTLE_SECONDS = 20.0  # a child that ends sooner than this is restarted after a pause
PAUSE_SECONDS = 1.0
HUNG_SECONDS = 20.0  # a child loops every second; one that does not for this long is ended
COUNTER = struct.Struct("<QQ")  # requests served, loop iterations


@dataclass(frozen=True)
class Shape:
    """Numbers of processes, threads and connections. A child is replaced above `most_mb` of resident memory or after
    `most_requests`; 0: never."""

    processes: int = 2
    threads: int = 8
    connections: int = 2000
    most_mb: int = 600
    most_requests: int = 0


@dataclass
class _Child:
    pid: int
    slot: int
    started: float
    retires_at: float | None = None
    rounds: int = -1
    moved_at: float = 0.0  # when its loop was last seen to advance


class Parent:
    """Keeps `shape.processes` children serving until TERM or INT. Raises OSError when a child cannot be forked."""

    def __init__(self, application: Any, listener: socket.socket, shape: Shape) -> None:
        self.application = application
        self.listener = listener
        self.shape = shape
        self._children: list[_Child] = []
        self._is_stopping = False
        self._start_after = 0.0
        # Shared counters of each child, written by it and read here; more slots than children, for retiring ones.
        self._slots = 4 * shape.processes
        self._served = mmap.mmap(-1, COUNTER.size * self._slots)

    def run(self) -> int:
        """Serve; return 0 after a clean stop."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._request_stop)
        looks_at = seen_at = 0.0
        while not self._is_stopping:
            self._reap()
            now = time.monotonic()
            if now - seen_at > HUNG_SECONDS / 2:  # this process was suspended itself: restart the children's timers
                for child in self._children:
                    child.moved_at = now
            seen_at = now
            serving = [child for child in self._children if child.retires_at is None]
            if len(serving) < self.shape.processes and now >= self._start_after:
                self._fork()
            if now >= looks_at:
                looks_at = now + LOOK_SECONDS
                self._end_hung(now)
                self._replace_one(serving, now)
            time.sleep(POLL_SECONDS)
        self._stop()
        return 0

    def _request_stop(self, *_: object) -> None:
        self._is_stopping = True

    def _fork(self) -> None:
        taken = {child.slot for child in self._children}
        slot = next((number for number in range(self._slots) if number not in taken), None)
        if slot is None:
            return
        COUNTER.pack_into(self._served, slot * COUNTER.size, 0, 0)
        is_orphan = die_with_parent(signal.SIGTERM)
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                if is_orphan:
                    is_orphan()
                serve_until_told(self.application, self.listener, self.shape, self._counter(slot))
                code = 0
            except Exception as error:
                say(f"A web process ended: {error!r}")
            finally:
                sys.stderr.flush()
                os._exit(code)  # skip the parent's exit handlers
        self._children.append(_Child(pid, slot, time.monotonic(), moved_at=time.monotonic()))

    def _counter(self, slot: int) -> Callable[[int, int], None]:
        return lambda served, rounds: COUNTER.pack_into(self._served, slot * COUNTER.size, served, rounds)

    def _end_hung(self, now: float) -> None:
        """Kill hung children: their connections would wait for ever."""
        for child in self._children:
            _served, rounds = COUNTER.unpack_from(self._served, child.slot * COUNTER.size)
            if rounds != child.rounds:
                child.rounds, child.moved_at = rounds, now
            elif now - child.moved_at > HUNG_SECONDS:
                say(f"Web process {child.pid} has done nothing for {HUNG_SECONDS:.0f} s and is ended.")
                child.moved_at = now
                _signal(child.pid, signal.SIGKILL)

    def _reap(self) -> None:
        for child in list(self._children):
            with contextlib.suppress(ChildProcessError):
                pid, status = os.waitpid(child.pid, os.WNOHANG)
                if not pid:
                    if child.retires_at is not None and time.monotonic() > child.retires_at:
                        _signal(child.pid, signal.SIGKILL)
                    continue
                if child.retires_at is None and not self._is_stopping:
                    code = os.waitstatus_to_exitcode(status)
                    cause = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
                    is_early = time.monotonic() - child.started < SETTLE_SECONDS
                    self._start_after = time.monotonic() + (PAUSE_SECONDS if is_early else 0.0)
                    say(f"Web process {child.pid} {cause}; another takes its place.")
            self._children.remove(child)

    def _replace_one(self, serving: list[_Child], now: float) -> None:
        """Replace at most one child at a time, so that memory is doubled for one only."""
        if any(child.retires_at is not None for child in self._children):
            return
        for child in serving:
            served, _rounds = COUNTER.unpack_from(self._served, child.slot * COUNTER.size)
            megabytes = resident_mb(child.pid)
            too_large = 0 < self.shape.most_mb < megabytes
            too_old = 0 < self.shape.most_requests <= served
            if (too_large or too_old) and now - child.started > LOOK_SECONDS:
                self._fork()
                child.retires_at = now + RETIRE_SECONDS + 2 * STOP_SECONDS
                _signal(child.pid, signal.SIGUSR1)
                say(f"Web process {child.pid} is replaced after {served} requests, at {megabytes:.0f} MB.")
                return

    def _stop(self) -> None:
        for child in self._children:
            _signal(child.pid, signal.SIGTERM)
        end = time.monotonic() + STOP_SECONDS + 0.5
        while self._children and time.monotonic() < end:
            self._reap()
            time.sleep(0.02)
        for child in self._children:
            _signal(child.pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child.pid, 0)


def serve_until_told(
    application: Any, listener: socket.socket, shape: Shape, count: Callable[[int, int], None] = lambda *counts: None
) -> None:
    """In a child: serve until TERM (finish requests in progress) or USR1 (wait until every connection has closed)."""
    server = make_server(application, listener, threads=shape.threads, connections=shape.connections)
    asked: list[float] = []

    def leave(within_seconds: float) -> Callable[..., None]:
        def handle(*_: object) -> None:
            asked.append(time.monotonic() + within_seconds)
            server.pull_trigger()

        return handle

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal: the parent sends TERM
    signal.signal(signal.SIGTERM, leave(STOP_SECONDS))
    signal.signal(signal.SIGUSR1, leave(RETIRE_SECONDS))
    trims_at = time.monotonic() + TRIM_SECONDS
    rounds = 0
    while not (asked and is_done(server, min(asked))):
        wasyncore.loop(timeout=1.0 if not asked else 0.1, use_poll=True, map=server._map, count=1)
        rounds += 1
        count(server.served, rounds)
        if asked:
            server.leave()
            server.maintenance(time.time())
        if time.monotonic() >= trims_at:
            trims_at = time.monotonic() + TRIM_SECONDS
            return_memory()
    server.task_dispatcher.shutdown(timeout=0)


def is_done(server: Server, ends_at: float) -> bool:
    """Whether a server that was asked to stop may end."""
    now = time.monotonic()
    if now >= ends_at:
        return True
    if not server.is_leaving:
        return False
    return not (server.is_busy if ends_at - now <= STOP_SECONDS else server.active_channels)


def listen(host: str, port: int, *, wait_seconds: float = 10.0) -> socket.socket:
    """A listening socket; waits while children of a killed parent release the port. Raises OSError when the port stays
    taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    end = time.monotonic() + wait_seconds
    while True:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(1024)
            return listener
        except OSError:
            listener.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def prepare_memory(shape: Shape) -> None:
    """Before the fork: raise the limit on open files, limit malloc arenas, and freeze objects for the garbage
    collector."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(3 * shape.connections + 256, hard if hard != resource.RLIM_INFINITY else 1 << 20)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(-8, 2)  # M_ARENA_MAX: with an arena per thread each keeps its peak memory
    gc.collect()
    gc.freeze()


def return_memory() -> None:
    """Return unused memory to the operating system, where the C library can."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def resident_mb(pid: int) -> float:
    """Resident memory of a process in MB; 0 where unknown."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() / (1 << 20)
    except (OSError, ValueError, IndexError):
        return 0.0


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
