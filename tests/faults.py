"""A faulty proxy before a real server: requests and responses are cut, delayed, duplicated and reordered."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

READ = 1 << 16


class Fault(StrEnum):
    """What happens to one request."""

    BEFORE = "cut before the server hears of it"
    BODY = "cut in the middle of its body"
    COMMITTED = "cut after the server has done it, before it answers"
    ANSWER = "cut in the middle of the answer"
    TWICE = "delivered twice"
    LATE = "cut, and delivered after the next one has been answered"


CUTS = (Fault.BEFORE, Fault.BODY, Fault.COMMITTED, Fault.ANSWER)


@dataclass(frozen=True)
class Request:
    """One HTTP/1.1 request as it came."""

    method: str
    path: str
    head: bytes
    body: bytes

    @property
    def saves(self) -> bool:
        """Whether it saves a mask."""
        return self.method == "PUT" and "/mask" in self.path


@dataclass
class FaultyLine:
    """A proxy on its own port. `arm` sets the fault of the next save, or of the next request that `befalls` says;
    `down`, `up`: stop and restart."""

    upstream: str
    port: int = 0
    delay_s: float = 0.0
    befalls: Callable[[Request], bool] = lambda request: request.saves
    befallen: list[tuple[Fault, str]] = field(default_factory=list)  # what was done, and the path
    _armed: list[tuple[Fault, Callable[[], None]]] = field(default_factory=list)
    _late: list[Request] = field(default_factory=list)
    _listener: socket.socket | None = None
    _idle: set[socket.socket] = field(default_factory=set)  # connections over which nothing was asked yet
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.down()

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def arm(self, fault: Fault, then: Callable[[], None] = lambda: None) -> None:
        """Let the next save meet this fault; `then` runs at that step (kill a server, end a session)."""
        with self._lock:
            self._armed.append((fault, then))

    def up(self) -> None:
        """Listen, on the same port as before."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(64)
        self.port, self._listener = listener.getsockname()[1], listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def down(self) -> None:
        """Refuse connections, like a stopped server; those that Firefox keeps ready end, too."""
        for client in self._idle.copy():
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        if self._listener:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            self._idle.add(client)
            try:
                request = _read_request(client)
            finally:
                self._idle.discard(client)
            if request is None:
                return
            fault, then = None, None
            if self.befalls(request):
                with self._lock:
                    if self._armed:
                        fault, then = self._armed.pop(0)
            if self.delay_s:
                threading.Event().wait(self.delay_s)
            self._deliver(client, request, fault, then or (lambda: None))

    def _deliver(self, client: socket.socket, request: Request, fault: Fault | None, then: Callable[[], None]) -> None:
        if fault:
            self.befallen.append((fault, request.path))
        if fault in (Fault.BEFORE, Fault.LATE):
            if fault is Fault.LATE:
                self._late.append(request)
            then()
            return _reset(client)
        if fault is Fault.BODY:
            with self._connect() as server:
                server.sendall(request.head + request.body[: len(request.body) // 2])
                then()
                _reset(server)
            return _reset(client)
        if fault is Fault.TWICE:
            self._ask(request)
        answer = self._ask(request)
        if fault is Fault.COMMITTED:
            then()
            return _reset(client)
        if fault is Fault.ANSWER:
            client.sendall(answer[: len(answer) - max(1, len(answer.partition(b"\r\n\r\n")[2]) // 2)])
            then()
            return _reset(client)
        client.sendall(answer)
        if request.saves and fault is None:
            late, self._late = self._late, []
            for one in late:
                self._ask(one)
        return None

    def _connect(self) -> socket.socket:
        address = urlsplit(self.upstream)
        return socket.create_connection((address.hostname or "", address.port or 80), timeout=60)

    def _ask(self, request: Request) -> bytes:
        with self._connect() as server:
            server.sendall(request.head + request.body)
            answer = b""
            while block := server.recv(READ):
                answer += block
        return answer


def _read_request(client: socket.socket) -> Request | None:
    data = b""
    while b"\r\n\r\n" not in data:
        block = client.recv(READ)
        if not block:
            return None
        data += block
    head, _, body = data.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    length = next((int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        block = client.recv(READ)
        if not block:
            return None
        body += block
    method, path, _ = lines[0].decode("latin-1").split(" ", 2)
    # One request per connection: a response ends with its connection.
    return Request(method, path, b"\r\n".join([*lines, b"Connection: close", b"", b""]), body)


def _reset(connection: socket.socket) -> None:
    """Reset the connection."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
