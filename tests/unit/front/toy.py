"""A toy application behind the real front: `python -m tests.unit.front.toy PORT [--most-requests N] …`."""

import os
import sys
import tempfile
import time
from collections.abc import Iterable
from typing import Any

slow_ones: list[str] = []  # begun


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """/pid · /length of the body · /big: 20 MB · /file: 64 GiB from a file · /slow: a second · /slow-ones: how many of
    these have begun."""
    path = environ["PATH_INFO"]
    if path == "/file":
        made = tempfile.TemporaryFile()  # noqa: SIM115 - the server closes it
        made.truncate(64 << 30)  # sparse: no bytes on disk
        start_response("200 OK", [("Content-Length", str(64 << 30))])
        sent: Iterable[bytes] = environ["wsgi.file_wrapper"](made, 65536)
        return sent
    if path == "/big":
        start_response("200 OK", [("Content-Length", str(20 << 20))])
        return (bytes(1 << 20) for _ in range(20))
    if path == "/slow":
        slow_ones.append(path)
        time.sleep(1.0)
    body = slow_ones if path == "/slow-ones" else environ["wsgi.input"].read()
    answer = str(os.getpid() if path in {"/pid", "/slow"} else len(body)).encode()
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]


if __name__ == "__main__":
    import django

    django.setup()  # the front's own pages are Django's templates
    from voxloop.project.front.processes import Parent, Shape, listen, prepare_memory

    port, processes, threads, most_requests = map(int, sys.argv[1:])
    shape = Shape(processes=processes, threads=threads, most_requests=most_requests, most_mb=0)
    listener = listen("127.0.0.1", port)
    prepare_memory(shape)
    sys.exit(Parent(application, listener, shape).run())
