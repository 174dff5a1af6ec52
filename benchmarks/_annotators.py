"""Annotators for benchmarks: log-ins, a realistic mask, and strokes that change it, sent as the viewer sends them."""

import http.client
import json
import math
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from scipy import ndimage

from benchmarks._builds import Build
from voxloop.volume.labelmap import CHUNK, MEDIA_TYPE, ChunkIndex, encode_chunk, encode_message

SHAPE = (320, 512, 512)
CSRF = "a" * 32  # the CSRF token: as cookie and as header
# Test data made with the product's services, without voxels, which a save never reads.
WORLD = """
import json, logging
from django.test import Client
from knox.models import get_token_model
from annotation.masks.services import begin
from annotation.scans.models import Scan
from annotation.work.people import invite_person
from tests.factories.world import build_world, publish, PASSWORD
from voxloop.accounts.roles import Role
Token = get_token_model()
scopes = {{"scopes": ["read", "work"]}} if hasattr(Token, "scopes") else {{}}  # a build has them or not
world = build_world(scans={count})
Scan.objects.update(shape_zyx={shape})
made = []
for number in range({count}):
    name = f"annotator{{number + 10}}"
    world.people[name] = invite_person(username=name, password=PASSWORD, actor=world["admin"],
        roles=[(world.campaign, Role.ANNOTATOR)], sites=world.sites.values())
    batch = publish(world, to=name, size=1)
    assignment = begin(assignment_id=batch.assignments.get().pk, actor=world[name])
    client = Client()
    client.force_login(world[name], backend="django.contrib.auth.backends.ModelBackend")
    token = Token.objects.create(user=world[name], **scopes)[1]
    made.append([str(assignment.pk), token, client.cookies["sessionid"].value])
print(json.dumps(made))
"""


@dataclass(frozen=True)
class LogIn:
    """An annotator's assignment, and two ways to authenticate: a token, or a browser's session."""

    assignment: str
    token: str
    session: str

    def headers(self, way: str) -> dict[str, str]:
        """Headers of a request authenticated by `token` or by `session`."""
        if way == "token":
            return {"Authorization": f"Token {self.token}"}
        return {"Cookie": f"sessionid={self.session}; csrftoken={CSRF}", "X-CSRFToken": CSRF}


def make_log_ins(build: Build, count: int, *, shape: tuple[int, int, int] = SHAPE) -> list[LogIn]:
    """`count` annotators, each with one open scan."""
    answer = build.run_inside(WORLD.format(count=count, shape=list(shape))).splitlines()[-1]
    return [LogIn(*row) for row in json.loads(answer)]


class Drawing:
    """A labelmap as its chunks, as ragged as region growing leaves it; strokes change it. Deterministic by seed."""

    _ragged = ndimage.gaussian_filter(
        np.random.default_rng(1).normal(size=(96, 96, 96)).astype(np.float32), 1.5, mode="wrap"
    )
    _ragged /= _ragged.std()

    def __init__(self, seed: int, balls: int = 14) -> None:
        self.random = np.random.default_rng(seed)
        self.chunks: dict[ChunkIndex, Any] = {}
        self.first: set[ChunkIndex] = set()
        for _ in range(balls):
            self.first |= self._ball(self.random.uniform(38, 62), self._centre(0.2), 1)

    def whole(self) -> bytes:
        """The message of everything drawn so far."""
        return self._message(sorted(self.chunks), 0)

    def strokes(self, count: int) -> Iterator[bytes]:
        """Messages of successive strokes, each of which changes 8 to 30 chunks."""
        for number in range(count):
            touched: set[ChunkIndex] = set()
            while not 8 <= len(touched) <= 30:
                touched = self._ball(self.random.uniform(24, 34), self._centre(0.2), 1 + number % 3)
            yield self._message(sorted(touched), number + 1)

    def _centre(self, margin: float) -> list[float]:
        return [float(self.random.uniform(margin * n, (1 - margin) * n)) for n in SHAPE]

    def _ball(self, radius: float, centre: list[float], segment: int) -> set[ChunkIndex]:
        """Draw the ragged part of a ball; returns the chunks that it changes."""
        touched = set()
        ranges = [range(int((c - radius) // CHUNK), int((c + radius) // CHUNK) + 1) for c in centre]
        for index in ((z, y, x) for z in ranges[0] for y in ranges[1] for x in ranges[2]):
            if any(not 0 <= i < math.ceil(n / CHUNK) for i, n in zip(index, SHAPE, strict=True)):
                continue
            grid = np.ogrid[tuple(slice(CHUNK * i, CHUNK * (i + 1)) for i in index)]
            distance = sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True)) / radius**2
            z, y, x = (int(CHUNK * i % 96) for i in index)
            inside = distance + 0.25 * self._ragged[z : z + CHUNK, y : y + CHUNK, x : x + CHUNK] < 1
            before = self.chunks.get(index)
            if inside.any() and (before is None or (before[inside] != segment).any()):
                after = np.zeros((CHUNK, CHUNK, CHUNK), np.uint8) if before is None else before.copy()
                after[inside] = segment
                self.chunks[index] = after
                touched.add(index)
        return touched

    def _message(self, indices: list[ChunkIndex], number: int) -> bytes:
        stroke = {
            "id": str(UUID(int=number)),
            "tool": "sphere",
            "segment": 1 + number % 3,
            "ijk": [256, 256, 150],
            "radius_mm": 14.0,
            "params": {"lo": -800, "hi": 200},
            "added": 33401,
            "removed": 0,
            "at": "2026-01-01T00:00:00Z",
        }
        payloads = {index: encode_chunk(self.chunks[index]) for index in indices}
        return encode_message("findings", SHAPE, payloads, [stroke])


class Saver:
    """One annotator's connection: sequential saves, each on the head returned by the previous one."""

    def __init__(self, port: int, log_in: LogIn, way: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.connection.connect()
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.path = f"/api/v1/assignments/{log_in.assignment}/mask?layer=findings"
        self.headers = {**log_in.headers(way), "Content-Type": MEDIA_TYPE}

    def save(self, message: bytes, head: str, key: UUID) -> tuple[str, float]:
        """Save; returns the new head and the response time in ms."""
        headers = {**self.headers, "If-Match": f'"{head}"', "Idempotency-Key": str(key)}
        start = time.perf_counter()
        self.connection.request("PUT", self.path, message, headers)
        answer = self.connection.getresponse()
        body = answer.read()
        took = 1000 * (time.perf_counter() - start)
        if answer.status != 201:
            raise RuntimeError(f"A save answered {answer.status}: {body[:300]!r}")
        return json.loads(body)["revision"], took
