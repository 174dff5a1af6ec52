"""The front compared with usual Python servers: response times under slow clients, and memory. Peers: gunicorn with
threads as Voxloop used it before (docs/adr/0015), and the same behind Debian's nginx with buffering. All serve the same
product on the same database. A client without a response in 10 s counts as 10 s."""

import contextlib
import http.client
import json
import multiprocessing
import random
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks._front_servers import STARTS, started
from benchmarks._rows import plain_row, ratio_row
from benchmarks.memory import sizes_of
from tests.product import ROOT, Product, new_database
from voxloop.embedded.processes import free_port, list_descendants
from voxloop.embedded.testing import database

SHAPE = (160, 384, 384)  # noise: a pack of some 20 MB
LONGEST_SECONDS = 10.0
REQUESTS = 60
MIXED = 10_000
MOST_GROWTH = 1.05
SEED = f"""
from tests.factories.world import PASSWORD, build_world, publish
world = build_world(scans=1, shape_zyx={SHAPE})
print(publish(world, size=1).assignments.get().pk, world.scans[0].pk, PASSWORD, sep="\\n")
"""
SLOW = {
    "8 slow headers": ("header", 8),
    "40 slow bodies": ("body", 40),
    "300 slow bodies": ("body", 300),
    "40 slow readers of a pack": ("reader", 40),
}


def run() -> Iterator[dict[str, Any]]:
    """Rows of milliseconds (p95 of an answer) and megabytes."""
    with database(ROOT), new_database() as url, tempfile.TemporaryDirectory() as folder:
        product = Product(Path(folder), url)
        product.manage("prepare_broker", "--migrate")
        pk, scan, password = product.manage("shell", "-v", "0", "-c", SEED).stdout.splitlines()[-3:]
        found: dict[str, dict[str, float]] = {}
        for name, start in STARTS.items():
            with start(product) as address:
                found[name] = measure(address, pk, scan, password)
        ours = found.pop("front")
        for peer, figures in found.items():
            for case, milliseconds in ours.items():
                limit = 2.0 if case in {"idle", "34 clients"} else 1.0
                judged = limit if peer == "gunicorn" else None
                yield ratio_row("front", f"{case} (peer: {peer})", milliseconds, figures[case], "ms", judged)
        for case in SLOW:
            yield ratio_row("front", f"{case} (peer: itself, idle)", ours[case], ours["idle"], "ms", 4.0)
        yield from growth(product, pk, scan, password)


def token(address: str, password: str) -> str:
    """A token of the annotator."""
    line = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
    body = json.dumps({"username": "annotator", "password": password})
    line.request("POST", "/api/v1/auth/token", body, {"Content-Type": "application/json"})
    return str(json.loads(line.getresponse().read())["token"])


def measure(address: str, pk: str, scan: str, password: str) -> dict[str, float]:
    """p95 in milliseconds by case."""
    known = token(address, password)
    context = multiprocessing.get_context("fork")
    with context.Pool(4) as pool:  # every thread has its database connection
        pool.starmap(ask, [(address, known, REQUESTS, 0.0)] * 4)
    found = {"idle": p95(ask(address, known, REQUESTS, 0.0))}
    with context.Pool(4) as pool:
        # 34 people on four processes: each asks once a second.
        rounds = [(address, known, people, 8) for people in (9, 9, 8, 8)]
        found["34 clients"] = p95([each for some in pool.starmap(crowd, rounds) for each in some])
    for case, (kind, many) in SLOW.items():
        with slow_clients(address, known, scan, kind, many):
            found[case] = p95(ask(address, known, 20, 0.02))
    return found


def p95(milliseconds: list[float]) -> float:
    """The time that 95 of 100 answers needed."""
    return statistics.quantiles(milliseconds, n=20, method="inclusive")[-1]


def ask(address: str, known: str, times: int, pause: float) -> list[float]:
    """Milliseconds of `GET /api/v1/me/`, each on a new connection."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        line = http.client.HTTPConnection(urlsplit(address).netloc, timeout=LONGEST_SECONDS)
        with contextlib.suppress(OSError, http.client.HTTPException):
            line.request("GET", "/api/v1/me/", headers={"Authorization": f"Token {known}"})
            assert line.getresponse().read()
        line.close()
        taken.append(1000 * (time.perf_counter() - start))
        if sum(taken) > 30_000:  # nobody is served: three samples are enough
            break
        time.sleep(pause)
    return taken


def crowd(address: str, known: str, people: int, seconds: int) -> list[float]:
    """Milliseconds of requests that `people` make once a second, each on a persistent connection."""
    lines = [http.client.HTTPConnection(urlsplit(address).netloc, timeout=LONGEST_SECONDS) for _ in range(people)]
    taken, begin = [], time.perf_counter()
    plan = sorted(second + random.random() for second in range(seconds) for _ in range(people))
    for number, at in enumerate(plan):
        time.sleep(max(0.0, begin + at - time.perf_counter()))
        start = time.perf_counter()
        line = lines[number % people]
        try:
            line.request("GET", "/api/v1/me/", headers={"Authorization": f"Token {known}"})
            line.getresponse().read()
        except (OSError, http.client.HTTPException):
            line.close()
        taken.append(1000 * (time.perf_counter() - start))
    return taken


@contextlib.contextmanager
def slow_clients(address: str, known: str, scan: str, kind: str, many: int) -> Iterator[None]:
    """Open connections that begin a request and do not finish it, or do not read the response."""
    host, port = str(urlsplit(address).hostname), int(urlsplit(address).port or 80)
    begin = f"Host: {host}\r\nAuthorization: Token {known}\r\n"
    said = {
        "header": f"GET /api/v1/me/ HTTP/1.1\r\n{begin}",
        "body": f"PUT /api/v1/assignments/{scan}/mask HTTP/1.1\r\n{begin}Content-Length: 500000\r\n"
        "Content-Type: application/gzip\r\n\r\nbegins",
        "reader": f"GET /api/v1/scans/{scan}/volume/pack HTTP/1.1\r\n{begin}\r\n",
    }[kind]
    lines = []
    try:
        for _ in range(many):
            line = socket.socket()
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.settimeout(LONGEST_SECONDS)
            line.connect((host, port))
            line.sendall(said.encode())
            lines.append(line)
        time.sleep(2.0)
        yield
    finally:
        for line in lines:
            line.close()


def growth(product: Product, pk: str, scan: str, password: str) -> Iterator[dict[str, Any]]:
    """Resident memory of the largest web process after 1 000 requests and after 10 000 more, none replaced."""
    port = free_port()
    command = [sys.executable, "-m", "voxloop.project.front", "--bind", f"127.0.0.1:{port}", "--most-mb", "0"]
    with started(product, *command, port=port) as pid:
        address = f"http://127.0.0.1:{port}"
        known = token(address, password)
        mixed(address, known, pk, scan, MIXED // 10)
        before = max(sizes_of(child)["Rss"] for child in list_descendants(pid))
        failed = mixed(address, known, pk, scan, MIXED)
        after = max(sizes_of(child)["Rss"] for child in list_descendants(pid))
    yield ratio_row("front", f"web process after {MIXED} requests", after, before, "MB", MOST_GROWTH)
    yield plain_row("front", "of these answered with 5xx or not at all", failed, "", 0)


def mixed(address: str, known: str, pk: str, scan: str, times: int) -> int:
    """A typical mix of good and bad requests by four clients; returns how many got a 5xx or no response."""
    with multiprocessing.get_context("fork").Pool(4) as pool:
        return sum(pool.starmap(_mixed, [(address, known, pk, scan, times // 4, seed) for seed in range(4)]))


def _mixed(address: str, known: str, pk: str, scan: str, times: int, seed: int) -> int:
    choose = random.Random(seed)
    line = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    some, failed = {"Authorization": f"Token {known}"}, 0
    as_json = some | {"Content-Type": "application/json"}
    save = as_json | {"Content-Type": "application/gzip", "If-Match": '"empty"', "Idempotency-Key": pk}
    requests: list[tuple[str, str, bytes | None, dict[str, str]]] = [
        ("GET", "/api/v1/me/", None, some),
        ("GET", "/api/v1/assignments/", None, some),
        ("GET", f"/api/v1/scans/{scan}/volume", None, some),
        ("GET", f"/api/v1/scans/{scan}/volume/preview", None, some),
        ("GET", f"/api/v1/scans/{scan}/volume/pack", None, some | {"Range": "bytes=1000000-1500000"}),
        ("GET", "/accounts/login/", None, {}),
        ("GET", "/static/viewer/", None, {}),
        ("PUT", f"/api/v1/assignments/{pk}/mask?layer=findings", bytes(200_000), save),
        ("PATCH", "/api/v1/me/settings", json.dumps({"values": {"x": "y" * 900_000}}).encode(), as_json),
        ("PATCH", "/api/v1/me/settings", b"[" * 5000, as_json),
        ("GET", "/api/v1/nothing", None, some),
    ]
    for _ in range(times):
        method, path, body, headers = choose.choice(requests)
        try:
            line.request(method, path, body, headers)
            answer = line.getresponse()
            answer.read()
            failed += answer.status >= 500
        except (OSError, http.client.HTTPException):
            failed += 1
            line.close()
    return failed
