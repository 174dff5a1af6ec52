"""The front with a toy application: slow clients, body limits, killed and replaced processes."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from voxloop.embedded.processes import free_port, is_alive, is_port_free, list_descendants
from voxloop.project.front.limits import CREDENTIALS, SMALL

ROOT = Path(__file__).parents[3]
THREADS = 2


class Front:
    """A running front."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process, self.port = process, port

    def line(self) -> "closing[http.client.HTTPConnection]":
        return closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=90))

    def get(self, path: str = "/pid") -> str:
        with self.line() as line:
            return ask(line, path)

    def open(self, said: bytes) -> socket.socket:
        """A connection on which `text` was sent, with a small receive buffer."""
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.settimeout(90)
        line.connect(("127.0.0.1", self.port))
        line.sendall(said)
        return line

    def children(self) -> list[int]:
        return list_descendants(self.process.pid)


def ask(line: http.client.HTTPConnection, path: str = "/pid") -> str:
    line.request("GET", path)
    answer = line.getresponse()
    assert answer.status == 200
    return answer.read().decode()


def wait_for(condition: Callable[[], object], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@contextmanager
def running(processes: int, most_requests: int = 0) -> Iterator[Front]:
    port = free_port()
    command = [sys.executable, "-m", "tests.unit.front.toy", *map(str, (port, processes, THREADS, most_requests))]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}"}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    front = Front(process, port)
    try:
        wait_for(lambda: not is_port_free(port) and len(front.children()) == processes)
        yield front
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=90)


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with running(processes=1) as one:
        yield one


def read_answer(line: socket.socket) -> tuple[int, dict[str, str], bytes]:
    answer = http.client.HTTPResponse(line)
    answer.begin()
    return answer.status, dict(answer.getheaders()), answer.read()


@pytest.mark.parametrize(
    ("many", "said"),
    [
        (8, b"GET /pid HTTP/1.1\r\nHost: slow\r\n"),
        (300, b"POST /length HTTP/1.1\r\nHost: slow\r\nContent-Length: 100000\r\n\r\nbegins"),
        (40, b"POST /length HTTP/1.1\r\nHost: slow\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegin"),
        (20, b"GET /big HTTP/1.1\r\nHost: slow\r\n\r\n"),
        (20, b"GET /file HTTP/1.1\r\nHost: slow\r\n\r\n"),
    ],
    ids=["headers", "bodies", "chunks", "readers", "downloads"],
)
@pytest.mark.fault("slow headers, bodies and readers")
def test_slow_clients_hold_no_thread(front: Front, many: int, said: bytes) -> None:
    with ExitStack() as lines:
        for _ in range(many):
            lines.enter_context(front.open(said))
        assert front.get() == front.get()


def test_a_slow_body_comes_in_whole(front: Front) -> None:
    with front.open(b"POST /length HTTP/1.1\r\nHost: slow\r\nContent-Length: 300000\r\n\r\n") as line:
        for _ in range(3):
            line.sendall(bytes(100_000))
            time.sleep(0.05)
        assert read_answer(line)[2] == b"300000"


def test_a_body_that_is_too_long_is_refused_by_what_its_header_says(front: Front) -> None:
    """The response comes before any byte of the body is sent."""
    head = f"POST /api/v1/auth/token HTTP/1.1\r\nHost: a\r\nContent-Length: {60 << 20}\r\n\r\n"
    with front.open(head.encode()) as line:
        status, headers, body = read_answer(line)
    assert (status, json.loads(body)["code"]) == (413, "too_large")
    assert headers["Content-Type"] == "application/problem+json"
    assert headers["Connection"] == "close"


def test_a_client_that_sends_all_of_a_refused_body_first_still_reads_the_answer(front: Front) -> None:
    with front.line() as line:
        line.request("POST", "/api/v1/auth/token", bytes(60 << 20), {"Content-Type": "application/json"})
        answer = line.getresponse()
        assert (answer.status, json.loads(answer.read())["code"]) == (413, "too_large")


def test_who_asks_first_is_told_before_sending(front: Front) -> None:
    head = f"PUT /people/me/ HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: {SMALL + 1}\r\n\r\n"
    with front.open(head.encode()) as line:
        status, headers, body = read_answer(line)
    assert status == 413
    assert headers["Content-Type"].startswith("text/html")
    assert b"larger than the 1 MiB" in body


def test_chunks_are_counted_while_they_come(front: Front) -> None:
    with front.open(b"POST /api/v1/auth/token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n") as line:
        line.sendall(b"%x\r\n" % (1 << 30) + bytes(CREDENTIALS + 1))
        assert read_answer(line)[0] == 413


def test_chunks_of_one_byte_are_refused(front: Front) -> None:
    with front.open(b"POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n") as line:
        line.sendall(b"1\r\nx\r\n" * 40_000)
        assert read_answer(line)[0] == 400


@pytest.mark.parametrize(
    ("known", "status"), [("", 401), ("Authorization: Token x\r\n", 200), ("Cookie: sessionid=x\r\n", 200)]
)
def test_a_large_file_is_taken_from_who_shows_a_log_in(front: Front, known: str, status: int) -> None:
    head = f"POST /api/v1/scans/upload HTTP/1.1\r\nHost: a\r\n{known}Content-Length: {SMALL + 1}\r\n\r\n"
    with front.open(head.encode() + bytes(SMALL + 1)) as line:
        assert read_answer(line)[0] == status


@pytest.mark.fault("a request hidden in a refused body")
def test_what_follows_a_refused_body_is_no_request(front: Front) -> None:
    """A second request hidden in the body is not run, and a malformed header is refused."""
    inner = b"GET /pid HTTP/1.1\r\nHost: a\r\n\r\n"
    with front.open(b"POST /api/v1/auth/token HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n" + inner) as line:
        assert read_answer(line)[0] == 413
        assert line.recv(100) == b""
    with front.open(b"GET /pid HTTP/1.1\r\nno header\r\n\r\n") as line:
        assert read_answer(line)[0] == 400
    with front.open(b"GET /pid HTTP/1.1\r\nX: " + b"x" * 40_000 + b"\r\n\r\n") as line:
        assert read_answer(line)[0] == 431


@pytest.mark.fault("one of two web processes is killed")
def test_a_killed_process_is_replaced_while_the_other_serves() -> None:
    with running(processes=2) as front:
        first = front.children()
        os.kill(first[0], signal.SIGKILL)
        answered = {front.get() for _ in range(50)}
        assert str(first[0]) not in answered
        wait_for(lambda: len(front.children()) == 2)
        assert first[1] in front.children()
        front.process.terminate()
        _, said = front.process.communicate(timeout=90)
        assert f"Web process {first[0]} was killed by SIGKILL; another takes its place." in said


@pytest.mark.fault("a web process hangs")
def test_a_process_that_does_nothing_is_replaced() -> None:
    with running(processes=1) as front:
        (hung,) = front.children()
        os.kill(hung, signal.SIGSTOP)
        wait_for(lambda: hung not in front.children() and len(front.children()) == 1)
        assert front.get() != str(hung)
        front.process.terminate()
        _, said = front.process.communicate(timeout=90)
        assert f"Web process {hung} has done nothing for" in said


@pytest.mark.fault("a web process is recycled")
def test_a_replaced_process_refuses_nothing() -> None:
    """On persistent and new connections: each request gets its response, and the old process ends."""
    with running(processes=1, most_requests=20) as front, front.line() as kept, front.line() as silent:
        (old,) = front.children()
        assert ask(silent) == str(old)
        answered: set[str] = set()

        def is_replaced() -> bool:
            answered.update((front.get(), ask(kept)))
            return len(answered) > 1

        wait_for(is_replaced)
        assert str(old) in answered
        # It waits for an idle connection, whose next response is its last.
        assert is_alive(old)
        assert ask(silent) == str(old)
        wait_for(lambda: not is_alive(old))


def test_a_stop_finishes_what_is_under_way() -> None:
    with running(processes=1) as front, front.line() as line:
        everyone = [front.process.pid, *front.children()]
        line.request("GET", "/slow")
        with front.line() as other:
            wait_for(lambda: ask(other, "/slow-ones") == "1")
        front.process.terminate()
        answer = line.getresponse()
        assert (answer.status, answer.read()) == (200, str(everyone[1]).encode())
        assert front.process.wait(90) == 0
        assert [pid for pid in everyone if is_alive(pid)] == []
        assert is_port_free(front.port)


def test_children_do_not_outlive_a_killed_parent() -> None:
    with running(processes=2) as front:
        children = front.children()
        front.process.kill()
        front.process.wait(90)
        wait_for(lambda: not any(is_alive(pid) for pid in children))
        assert is_port_free(front.port)
