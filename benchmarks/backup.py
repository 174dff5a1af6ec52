"""A back-up while 34 annotators save once a second: what the longest of them waits, and how long the back-up takes.

The baseline is the same load without a back-up, in the same run. The back-up, its second run (nothing new) and its
verification are the real commands; the restore goes into an empty database and folder."""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from benchmarks._rows import plain_row
from tests.product import ROOT, Product, new_database
from voxloop.embedded.testing import database
from voxloop.volume.labelmap import MEDIA_TYPE, changed_chunks, encode_message

PEOPLE = 34
SHAPE = (40, 128, 128)
IDLE_SECONDS = 20.0
MOST_MS = 1000.0
SEED = f"""
import json
from tests.factories.world import PASSWORD, build_world, publish
from annotation.work.people import invite_person
from voxloop.accounts.roles import Role
from rest_framework.test import APIClient
world = build_world(scans={PEOPLE}, shape_zyx={SHAPE})
clients = []
for number in range({PEOPLE}):
    name = f"reader{{number}}"
    world.people[name] = invite_person(
        username=name, password=PASSWORD, actor=world["admin"], roles=[(world.campaign, Role.ANNOTATOR)],
        sites=world.sites.values())
    clients.append((name, str(publish(world, to=name, size=1).assignments.get().pk)))
print(json.dumps([PASSWORD, clients]))
"""


class Reader(threading.Thread):
    """Saves one stroke a second over one connection; `waits`: start time and milliseconds of each save."""

    def __init__(self, port: int, name: str, password: str, pk: str) -> None:
        super().__init__(daemon=True)
        self.port, self.pk = port, pk
        self.waits: list[tuple[float, float]] = []
        self.failed = 0
        self.stop_now = threading.Event()
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        body = json.dumps({"username": name, "password": password}).encode()
        self.headers = {"Content-Type": "application/json"}
        self.headers["Authorization"] = f"Token {self.ask('POST', '/api/v1/auth/token', body)['token']}"
        self.ask("POST", f"/api/v1/assignments/{pk}/open", b"{}")

    def ask(self, method: str, path: str, body: bytes, **headers: str) -> dict[str, Any]:
        """One request; its JSON answer. Raises RuntimeError for a refusal."""
        self.connection.request(method, path, body, self.headers | headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{answer.status} {text[:300]!r}")
        return dict(json.loads(text))

    def run(self) -> None:
        """Until told to stop."""
        labels, head, number = np.zeros(SHAPE, np.uint8), "empty", 0
        while not self.stop_now.wait(1.0 if number else np.random.default_rng(hash(self.pk) % 1000).random()):
            before = labels.copy()
            z = number % 30
            labels[z : z + 6, z : z + 20, z : z + 20] = 1 + number % 3
            stroke = [{"id": str(uuid4()), "tool": "sphere"}]
            message = encode_message("findings", SHAPE, changed_chunks(before, labels), stroke)
            headers = {"Content-Type": MEDIA_TYPE, "If-Match": f'"{head}"', "Idempotency-Key": str(uuid4())}
            start = time.monotonic()
            try:
                path = f"/api/v1/assignments/{self.pk}/mask?layer=findings"
                head = str(self.ask("PUT", path, message, **headers)["revision"])
            except (RuntimeError, OSError, http.client.HTTPException):
                self.failed += 1
                return
            self.waits.append((start, 1000 * (time.monotonic() - start)))
            number += 1


def run() -> Iterator[dict[str, Any]]:
    """Rows of milliseconds per save, and of seconds."""
    with database(ROOT), new_database() as url, new_database() as empty, tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "first").mkdir()
        product = Product(folder / "first", url)
        product.environment |= {"VOXLOOP_AUDIT_KEY": uuid4().hex, "VOXLOOP_BACKUP_PASSPHRASE": "only for a benchmark"}
        product.manage("prepare_installation")
        password, clients = json.loads(product.manage("shell", "-v", "0", "-c", SEED).stdout.splitlines()[-1])
        product.start("web")
        try:
            readers = [Reader(product.port, name, password, pk) for name, pk in clients]
            for reader in readers:
                reader.start()
            time.sleep(3)
            started = time.monotonic()
            time.sleep(IDLE_SECONDS)
            idle = waits_between(readers, started, time.monotonic())
            started = time.monotonic()
            seconds = {"back-up": _seconds(product, "backup", str(folder / "to"))}
            seconds["back-up, nothing new but saves"] = _seconds(product, "backup", str(folder / "to"))
            busy = waits_between(readers, started, time.monotonic())
            for reader in readers:
                reader.stop_now.set()
            for reader in readers:
                reader.join()
        finally:
            product.stop()
        seconds["verify"] = _seconds(product, "backup", str(folder / "to"), "--verify")
        (folder / "second").mkdir()
        other = Product(folder / "second", empty)
        other.environment["VOXLOOP_BACKUP_PASSPHRASE"] = product.environment["VOXLOOP_BACKUP_PASSPHRASE"]
        other.environment["VOXLOOP_SECRET_KEY"] = product.environment["VOXLOOP_SECRET_KEY"]
        seconds["restore"] = _seconds(other, "restore", str(folder / "to"))
        size = sum(path.stat().st_size for path in (folder / "to").rglob("*") if path.is_file()) / 1e6
    yield plain_row("backup", f"{PEOPLE} saving, no back-up: p95", float(np.percentile(idle, 95)), "ms")
    yield plain_row("backup", f"{PEOPLE} saving, no back-up: longest", max(idle), "ms")
    yield plain_row("backup", f"{PEOPLE} saving, back-up runs: p95", float(np.percentile(busy, 95)), "ms")
    yield plain_row("backup", f"{PEOPLE} saving, back-up runs: longest", max(busy), "ms", MOST_MS)
    yield plain_row("backup", "saves that failed", sum(reader.failed for reader in readers), "saves", 0)
    yield plain_row("backup", "size of two back-ups", size, "MB")
    for name, taken in seconds.items():
        yield plain_row("backup", name, taken, "s")


def waits_between(readers: list[Reader], start: float, end: float) -> list[float]:
    """Milliseconds of every save that began in that time."""
    return [wait for reader in readers for at, wait in list(reader.waits) if start <= at <= end]


def _seconds(product: Product, *arguments: str) -> float:
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments, "--json"],
        cwd=ROOT,
        env=os.environ | product.environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-1000:])
    return time.monotonic() - started
