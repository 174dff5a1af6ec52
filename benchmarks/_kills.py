"""kill -9 of every process involved in a save, under load; then check every acknowledged save. Clients save as the
viewer does: the same body under the same key until the server acknowledges. Kills web processes, back ends of
PostgreSQL, its postmaster and a worker, at seeded times. An acknowledged save must exist exactly once: by its key, its
position in the line of revisions, its audit entry, and its voxels."""

import contextlib
import http.client
import json
import os
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import psycopg

from benchmarks._annotators import LogIn, make_log_ins
from benchmarks._builds import ROOT, Build, source_of_today
from benchmarks._demo import temporary_state
from benchmarks._rows import least_row, plain_row, ratio_row
from voxloop.embedded.processes import list_descendants
from voxloop.volume.labelmap import MEDIA_TYPE, changed_chunks, decode_message, encode_message

CLIENTS = 4
SHAPE = (40, 48, 56)
# How often each kind is killed, of 20 kills.
SHARES = {"web process": 12, "back end": 4, "postmaster": 2, "worker": 2}
PATIENCE_S = 60.0  # longest wait for a save after a kill
RETRY_S = 0.2
MOST_S = 420.0  # time limit for the kills of one build; the number of skipped ones is reported
MOST_OF_TODAY = 0.01


@dataclass
class Facts:
    """Kills, responses to clients, and the fate of their saves."""

    kills: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    answers: Counter[str] = field(default_factory=Counter)  # by status; "none" where the connection broke
    lost: int = 0
    twice: int = 0
    faults: list[str] = field(default_factory=list)
    longest_silence_s: float = 0.0

    @property
    def broken(self) -> int:
        """Number of 5xx responses other than 503."""
        return sum(n for status, n in self.answers.items() if status.startswith("5") and status != "503")


def run_kills(count: int, seed: int, *, of_today: int | None = None) -> dict[str, Facts]:
    """Facts of `ours` after `count` kills and of `today` after `of_today` (a quarter of them, where it is not said)."""
    found: dict[str, Facts] = {}
    with temporary_state() as folder, tempfile.TemporaryDirectory() as source:
        plan = [("ours", ROOT, count, True)]
        if of_today != 0:
            plan.append(("today", source_of_today(Path(source)), of_today or -(-count // 4), False))
        for name, root, kills, has_front in plan:
            (folder / name).mkdir(mode=0o711)
            build = Build(name, root, folder / name, web_processes=1, has_front=has_front)
            try:
                build.start()
                build.start_worker()
                found[name] = Siege(build, kills, seed).run()
            finally:
                build.stop()
    return found


def kill_rows(found: dict[str, Facts], bench: str, count: int) -> Iterator[dict[str, Any]]:
    """Rows of the result of `run_kills`; 5xx responses are counted per kill."""
    ours = found["ours"]
    yield least_row(bench, "kills: killed", ours.kills.total(), "", count)
    yield least_row(bench, "kills: saves acknowledged", ours.acknowledged, "", 1)
    for name, figure in (("lost", ours.lost), ("twice", ours.twice), ("other faults", len(ours.faults))):
        yield plain_row(bench, f"kills: acknowledged saves {name}", figure, "", 0)
    yield plain_row(bench, "kills: longest until everybody saves again", ours.longest_silence_s, "s")
    today = found.get("today")
    if today is not None:
        mine, peer = (facts.broken / max(1, facts.kills.total()) for facts in (ours, today))
        yield ratio_row(bench, "kills: 5xx but 503 for each kill", mine, max(peer, 1e-9), "", MOST_OF_TODAY)


class Siege:
    """A build under load and kills."""

    def __init__(self, build: Build, kills: int, seed: int) -> None:
        self.build, self.kills = build, kills
        self.random = random.Random(seed)
        self.facts = Facts()
        self.is_over = threading.Event()
        self.clients = [
            Client(build, log_in, self.facts, self.is_over) for log_in in make_log_ins(build, CLIENTS, shape=SHAPE)
        ]

    def run(self) -> Facts:
        """Kill, wait until saves are acknowledged again, repeat; at the end check every save."""
        threads = [threading.Thread(target=client.run) for client in self.clients]
        for thread in threads:
            thread.start()
        kinds = [kind for kind, share in SHARES.items() for _ in range(share)]
        try:
            end = time.monotonic() + MOST_S
            for _ in range(self.kills):
                if time.monotonic() > end:
                    break
                self.strike(self.random.choice(kinds))
                time.sleep(self.random.uniform(0.05, 0.4))
        finally:
            self.is_over.set()
            for thread in threads:
                thread.join(PATIENCE_S + 10)
        for client in self.clients:
            client.look()
        self.facts.acknowledged = sum(len(client.revisions) for client in self.clients)
        return self.facts

    def strike(self, kind: str) -> None:
        """Kill one process between two saves, or within one; wait until everybody saves again."""
        time.sleep(self.random.uniform(0, 0.1))
        victims = self.victims(kind)
        if victims:
            victim = self.random.choice(victims)
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
                self.facts.kills[kind] += 1
        start, before = time.monotonic(), [len(client.revisions) for client in self.clients]
        self.build.restore()
        while any(len(client.revisions) == n for client, n in zip(self.clients, before, strict=True)):
            if time.monotonic() - start > PATIENCE_S:
                self.facts.faults.append(f"nobody could save for {PATIENCE_S:.0f} s after the kill of a {kind}")
                break
            self.build.restore()
            time.sleep(0.02)
        self.facts.longest_silence_s = max(self.facts.longest_silence_s, time.monotonic() - start)

    def victims(self, kind: str) -> list[int]:
        """Current processes of that kind."""
        postmaster = self.build.postgres.pid
        if kind == "postmaster":
            return [postmaster] if postmaster else []
        if kind == "back end":
            return _back_ends(postmaster) if postmaster else []
        return self.build.workers if kind == "worker" else self.build.web_pids


def _back_ends(postmaster: int) -> list[int]:
    """Processes of the server that serve a connection of ours."""
    found = []
    for pid in list_descendants(postmaster):
        with contextlib.suppress(OSError):
            if b"voxloop 127.0.0.1" in Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" "):
                found.append(pid)
    return found


class Client:
    """An annotator who draws boxes with distinct voxels."""

    def __init__(self, build: Build, log_in: LogIn, facts: Facts, is_over: threading.Event) -> None:
        self.build, self.log_in, self.facts, self.is_over = build, log_in, facts, is_over
        self.labels = np.zeros(SHAPE, np.uint8)
        self.head = "empty"
        self.revisions: list[tuple[str, str]] = []  # key, revision
        self.random = np.random.default_rng(int(log_in.assignment[:8], 16))

    def run(self) -> None:
        """Save until it is over."""
        try:
            while not self.is_over.is_set():
                self.save()
                time.sleep(0.03)
        except Exception as error:
            self.facts.faults.append(f"a client ended: {error!r}")

    def save(self) -> None:
        """Draw, and send it until it is acknowledged."""
        before = self.labels.copy()
        z, y, x = (int(self.random.integers(0, n - 5)) for n in SHAPE)
        self.labels[z : z + 5, y : y + 5, x : x + 5] = self.random.integers(1, 4, (5, 5, 5))
        message = encode_message(
            "findings", SHAPE, changed_chunks(before, self.labels), [{"id": str(uuid4()), "tool": "sphere"}]
        )
        key, end = str(uuid4()), time.monotonic() + PATIENCE_S
        while True:
            status, body = self.send("PUT", message, {"If-Match": f'"{self.head}"', "Idempotency-Key": key})
            self.facts.answers[str(status)] += 1
            if status in (200, 201):
                self.head = json.loads(body)["revision"]
                self.revisions.append((key, self.head))
                return
            if isinstance(status, int) and status < 500:
                raise RuntimeError(f"a save was answered {status}: {body[:200]!r}")
            if time.monotonic() > end:
                raise RuntimeError(f"a save was not acknowledged in {PATIENCE_S:.0f} s")
            time.sleep(RETRY_S)

    def send(self, method: str, body: bytes | None, headers: dict[str, str]) -> tuple[int | str, bytes]:
        """Status (or "none") and body of one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.build.ports[0], timeout=20)
        try:
            path = f"/api/v1/assignments/{self.log_in.assignment}/mask?layer=findings"
            plain = {"Content-Type": MEDIA_TYPE, "Accept": MEDIA_TYPE}
            connection.request(method, path, body, {**self.log_in.headers("token"), **plain, **headers})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return "none", b""
        finally:
            connection.close()

    def look(self) -> None:
        """Compare what is stored with what was acknowledged."""
        with psycopg.connect(self.build.postgres.owner_url) as database:
            rows = database.execute(
                "SELECT r.idempotency_key::text, r.id::text, r.parent_id::text, "
                "(SELECT count(*) FROM audit_auditentry WHERE object_id = r.id::text AND action = 'mask.saved') "
                "FROM masks_maskrevision r WHERE r.assignment_id = %s ORDER BY r.created_at, r.id",
                [self.log_in.assignment],
            ).fetchall()
        stored = Counter(key for key, *_ in rows)
        by_key = {key: revision for key, revision, *_ in rows}
        self.facts.lost += sum(by_key.get(key) != revision for key, revision in self.revisions)
        self.facts.twice += sum(n - 1 for n in stored.values()) + max(0, len(rows) - len(self.revisions))
        line = [None, *(revision for _, revision in self.revisions)]
        if [parent for *_, parent, _ in rows] != line[: len(rows)]:
            self.facts.faults.append("the revisions of an assignment are not the line in which they were saved")
        if any(entries != 1 for *_, entries in rows):
            self.facts.faults.append("a save has not exactly one entry in the audit log")
        status, body = self.send("GET", None, {})
        if status != 200 or not (decode_message(body).labels() == self.labels).all():
            self.facts.faults.append("the voxels are not those that were drawn")
