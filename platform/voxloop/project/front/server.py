"""One web process: waitress with body limits before reading, deadlines for slow clients, and graceful shutdown.
Waitress reads and writes every socket in one thread and passes a request to a worker thread once it is complete.
Extended by subclassing its documented classes."""

import contextlib
import errno
import logging
import socket
import time
from typing import Any

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher, WSGITask

from voxloop.project.front.limits import Refused, refuse_body
from voxloop.project.refusing import render_refusal

HEADER_SECONDS = 30.0  # from the first byte of a request to the end of its header
BODY_SECONDS = 120.0  # for a body, plus a second for each … of it
BODY_BYTES_A_SECOND = 1024  # … so many bytes: the slowest accepted transfer rate
IDLE_SECONDS = 75  # a connection without a request, or whose response makes no progress
LINGER_SECONDS = 5.0  # how long the rest of a refused body is discarded, so that its sender reads the refusal
QUEUE_SECONDS = 20.0  # a request that waited longer for a thread gets "busy": its sender has retried by now
CHUNKED_OVERHEAD = 64 << 10
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE})
BUSY = Refused(503, "busy", "The server has too much to do; nothing was changed. Try again in a moment.", 5)
NO_SPACE = Refused(507, "no_space", "The disk is full; nothing was stored. Free some space and try again.")


class Parser(HTTPRequestParser):
    """Refuses a body by its declared length before reading it, a chunked one as soon as it is too long."""

    refused: Refused | None = None
    _is_checked = False
    body_rcv: Any

    def __init__(self, adj: Adjustments) -> None:
        super().__init__(adj)
        self.began = time.time()

    def received(self, data: bytes) -> int:
        """Take bytes; those after a refused header or body are not parsed as another request."""
        try:
            taken: int = super().received(data)
        except OSError as error:  # writing a long body's temporary file
            if error.errno not in FULL:
                raise
            self._refuse(NO_SPACE)
        if self.headers_finished and not self.error and not self.empty:
            self._check()
        return len(data) if self.error else taken

    def _check(self) -> None:
        size = self.content_length
        if self.chunked:
            size = len(self.body_rcv)
            if self.body_bytes_received > 2 * size + CHUNKED_OVERHEAD:
                self._refuse(Refused(400, "bad_request", "The chunks of the body are too small."))
                return
        elif self._is_checked:
            return
        self._is_checked = True
        is_known = "AUTHORIZATION" in self.headers or "sessionid=" in self.headers.get("COOKIE", "")
        refused = refuse_body(self.path, size, is_known=is_known)
        if refused:
            self._refuse(refused)

    def _refuse(self, refused: Refused) -> None:
        self.refused = self.error = refused
        self.completed = True
        self.expect_continue = False
        if self.body_rcv is not None:
            self.body_rcv.getbuf().close()
            self.body_rcv = None


class RefusalTask(ErrorTask):
    """Responds to a request refused before it reached the product: a problem document or a page."""

    def execute(self) -> None:
        """Write the response and close the connection."""
        error = self.request.error
        refused = error if isinstance(error, Refused) else Refused(error.code, "bad_request", error.reason + ".")
        path = getattr(self.request, "path", "/")
        answer = render_refusal(
            path,
            refused.status,
            refused.code,
            refused.detail,
            refused.again_after_seconds,
            is_read=getattr(self.request, "command", "GET") == "GET",
        )
        self.status = f"{refused.status} {answer.reason}"
        self.response_headers.extend(answer.headers)
        self.set_close_on_finish()
        self.content_length = len(answer.body)
        self.write(answer.body)


class ProductTask(WSGITask):
    """A counted request to the product; the last of its connection when the process is stopping."""

    def build_response_header(self) -> bytes:
        """As in waitress, with `Connection: close` when this is the connection's last request."""
        if self.channel.server.is_leaving:
            self.set_close_on_finish()
        header: bytes = super().build_response_header()
        return header

    def service(self) -> None:
        """Run the product and count the request."""
        super().service()
        self.channel.server.served += 1


class Channel(HTTPChannel):
    """One connection."""

    task_class = ProductTask
    error_task_class = RefusalTask
    parser_class = Parser
    lingers_until = 0.0
    waiting_since = 0.0
    close_when_flushed: bool
    is_refused = False

    def received(self, data: bytes) -> bool:
        """Take bytes; record when a request began to wait for a thread."""
        self.waiting_since = time.time()
        taken: bool = super().received(data)
        return taken

    def service(self) -> None:
        """In a worker thread: run the request, unless its sender has given up by now."""
        request = self.requests[0]
        if not request.error and time.time() - self.waiting_since > QUEUE_SECONDS:
            request.error = BUSY
        self.is_refused = bool(request.error)
        super().service()
        self.waiting_since = time.time()

    def handle_write(self) -> None:
        """Send; after a refusal close only the sending side, because a reset would discard the response."""
        if self.is_refused and self.close_when_flushed and not self.total_outbufs_len and not self.will_close:
            self.close_when_flushed = self.is_refused = False
            self.lingers_until = time.time() + LINGER_SECONDS
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)
            return
        super().handle_write()

    def readable(self) -> bool:
        """Whether bytes are wanted."""
        return bool(self.lingers_until or super().readable())

    def handle_read(self) -> None:
        """Read; discard what comes after a refusal."""
        if self.lingers_until:
            with contextlib.suppress(OSError):
                self.recv(self.adj.recv_bytes)  # closes at end of stream
            return
        super().handle_read()

    def is_overdue(self, now: float) -> bool:
        """Whether the client has exceeded its deadline."""
        if self.lingers_until:
            return now > self.lingers_until
        if self.requests:
            return False
        request = self.request
        if request is None or self.total_outbufs_len:
            return bool(now - self.last_activity > self.adj.channel_timeout)
        if not request.headers_finished:
            return bool(now - request.began > HEADER_SECONDS)
        return bool(now - request.began > BODY_SECONDS + request.body_bytes_received / BODY_BYTES_A_SECOND)


class Server(TcpWSGIServer):
    """The sockets and threads of one web process."""

    channel_class = Channel
    is_leaving = False
    served = 0

    def maintenance(self, now: float) -> None:
        """Close overdue connections; when too many are open, also the longest idle ones."""
        channels = list(self.active_channels.values())
        for channel in channels:
            if channel.is_overdue(now):
                channel.will_close = True
        if self.in_connection_overflow:
            silent = [each for each in channels if not each.requests and not each.total_outbufs_len]
            for channel in sorted(silent, key=lambda each: each.last_activity)[: 1 + len(silent) // 10]:
                channel.will_close = True

    def leave(self) -> None:
        """Accept no new connection; finish requests in progress and close each connection after its next response."""
        if not self.is_leaving:
            self.is_leaving = True
            self.accepting = False
            self.del_channel()
            self.socket.close()

    @property
    def is_busy(self) -> bool:
        """Whether a request is being read or processed, or a response is being sent."""
        channels = list(self.active_channels.values())
        return any(each.requests or each.request or each.total_outbufs_len for each in channels)


def make_server(application: Any, listener: socket.socket, *, threads: int, connections: int) -> Server:
    """A server of `application` on a listening socket that it shares with other processes."""
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    adjustments = Adjustments(
        sockets=[listener],
        threads=threads,
        connection_limit=connections,
        ident="voxloop",
        channel_timeout=IDLE_SECONDS,
        cleanup_interval=1,
        recv_bytes=256 << 10,
        asyncore_use_poll=True,
        max_request_header_size=32 << 10,
        max_request_body_size=1 << 62,  # the parser above enforces the limits
        # Longer bodies and responses are buffered in a temporary file. No response exceeds the last figure, so none
        # blocks its thread on a slow reader.
        inbuf_overflow=1 << 20,
        outbuf_overflow=4 << 20,
        outbuf_high_watermark=1 << 30,
        # `project/ingress.py` handles headers of proxies, the same for every server.
        clear_untrusted_proxy_headers=False,
        log_socket_errors=False,
    )
    dispatcher = ThreadedTaskDispatcher()
    dispatcher.set_thread_count(threads)
    name = (listener.family, listener.type, listener.proto, listener.getsockname())
    return Server(application, {}, True, listener, dispatcher, adjustments, name, False)
