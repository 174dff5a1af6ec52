"""`python -m voxloop.project.front`: serve the pages and the API. TERM stops it within 5 s."""

import argparse
import sys

from django.conf import settings
from django.db import connections
from django.urls import get_resolver

from voxloop.embedded.messages import say
from voxloop.project.wsgi import application  # first: it sets up Django

# isort: split
from voxloop.project.front.processes import Parent, Shape, listen, prepare_memory


def main() -> int:
    """Serve until TERM or INT; returns 0 after a clean stop, 1 (after printing one sentence) when it cannot bind."""
    plain = Shape()
    parser = argparse.ArgumentParser(prog="python -m voxloop.project.front", description=__doc__)
    parser.add_argument("--bind", default="127.0.0.1:8000", help="address and port (127.0.0.1:8000)")
    parser.add_argument("--processes", type=int, default=plain.processes, help="web processes (2)")
    parser.add_argument("--threads", type=int, default=plain.threads, help="concurrent requests in each (8)")
    parser.add_argument("--connections", type=int, default=plain.connections, help="open connections of each (2000)")
    parser.add_argument("--most-mb", type=int, default=plain.most_mb, help="replace above this; 0: never (600)")
    parser.add_argument("--most-requests", type=int, default=plain.most_requests, help="or after so many; 0: never (0)")
    parser.add_argument("--check", action="store_true", help="read the arguments, load the product, and end")
    options = parser.parse_args()
    host, _, port = options.bind.rpartition(":")
    shape = Shape(options.processes, options.threads, options.connections, options.most_mb, options.most_requests)
    if settings.HTTPS and not settings.PROXIES:
        say("VOXLOOP_HTTPS is 1 and VOXLOOP_PROXIES is 0: say how many proxies are in front, one of them for TLS.")
        return 1
    get_resolver().url_patterns  # noqa: B018 - loads every view once, before the fork
    connections.close_all()
    if options.check:
        return 0
    try:
        listener = listen(host.strip("[]"), int(port))
    except OSError as error:
        say(f"The pages cannot answer at {options.bind}: {error.strerror or error}.")
        return 1
    prepare_memory(shape)
    return Parent(application, listener, shape).run()


if __name__ == "__main__":
    sys.exit(main())
